//! The steps of a quantised network.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

use super::record::SIZES;
use crate::geometry::{Geometry, Shape};
use crate::graph::{Graph, Op, Uses};
use crate::plan::{self, Plan, Step};

/// What a step computes, with its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpS8<'a> {
    /// A convolution, and the max pooling behind it.
    Conv2D {
        /// Sizes of the convolution.
        geometry: &'a Geometry,
        /// Sizes of the pooling.
        pool: Option<&'a Geometry>,
    },
    /// A convolution of each channel by itself.
    DepthwiseConv2D {
        /// Its sizes.
        geometry: &'a Geometry,
    },
    /// A dense layer.
    Dense {
        /// Values of one input sample.
        inputs: u32,
        /// Values of one output sample.
        units: u32,
    },
    /// A max pooling alone.
    MaxPooling2D {
        /// Its sizes.
        geometry: &'a Geometry,
    },
    /// The sum of two tensors.
    Add {
        /// The values of each.
        len: u32,
    },
    /// An average pooling.
    AveragePooling2D {
        /// Its sizes.
        geometry: &'a Geometry,
    },
    /// The mean of each channel.
    Mean {
        /// The window, which is the whole input.
        geometry: &'a Geometry,
    },
    /// An activation by itself.
    Activation {
        /// The values.
        len: u32,
        /// Those of each position.
        channels: u32,
    },
    /// The product of two tensors.
    Multiply {
        /// The values of the first, and of the product.
        len: u32,
        /// The values of the second, which is repeated.
        repeated: u32,
    },
    /// At each position the channels of one tensor, then those of the other.
    Concatenate {
        /// Positions.
        positions: u32,
        /// Channels of each.
        widths: [u16; 2],
    },
    /// Rows and columns around a tensor that read as 0.
    ZeroPadding2D {
        /// Height, width and channels of the input.
        input: [u16; 3],
        /// Rows above and below, columns to the left and to the right.
        padding: [u8; 4],
    },
}

impl OpS8<'_> {
    /// The number that stands for it in a [`Record`](super::Record).
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Conv2D { .. } => 0,
            Self::Dense { .. } => 1,
            Self::MaxPooling2D { .. } => 2,
            Self::Add { .. } => 3,
            Self::AveragePooling2D { .. } => 4,
            Self::Mean { .. } => 5,
            Self::DepthwiseConv2D { .. } => 6,
            Self::Activation { .. } => 7,
            Self::Multiply { .. } => 8,
            Self::Concatenate { .. } => 9,
            Self::ZeroPadding2D { .. } => 10,
        }
    }

    /// The sizes, as a [`Record`](super::Record) has them, of a step of a network with these kinds.
    pub(crate) fn sizes<U: Uses>(&self) -> [usize; SIZES] {
        let mut sizes = [0; SIZES];
        let half = |number: u32, shift: u32| (number >> shift) as u16 as usize;
        match self {
            Self::Conv2D { geometry, pool } => {
                put_geometry(&mut sizes, geometry);
                if let Some(pool) = pool {
                    let ([kh, kw], [sh, sw], [top, left]) = (pool.kernel(), pool.strides(), pool.padding());
                    let pool = [pool.output().height, pool.output().width, kh, kw, sh, sw, top, left];
                    sizes[12..].copy_from_slice(&pool);
                }
            }
            Self::DepthwiseConv2D { geometry }
            | Self::MaxPooling2D { geometry }
            | Self::AveragePooling2D { geometry }
            | Self::Mean { geometry } => {
                put_geometry(&mut sizes, geometry);
            }
            Self::Dense { inputs: a, units: b }
            | Self::Activation { len: a, channels: b }
            | Self::Multiply { len: a, repeated: b } => {
                sizes[..4].copy_from_slice(&[half(*a, 0), half(*a, 16), half(*b, 0), half(*b, 16)]);
            }
            Self::Concatenate { positions, widths: [a, b] } => {
                if const { U::BITS & Op::CONCATENATE != 0 } {
                    let all = [half(*positions, 0), half(*positions, 16), usize::from(*a), usize::from(*b)];
                    sizes[..4].copy_from_slice(&all);
                }
            }
            Self::ZeroPadding2D { input, padding } => {
                if const { U::BITS & Op::ZERO_PADDING2D != 0 } {
                    sizes[..3].copy_from_slice(&input.map(usize::from));
                    sizes[3..7].copy_from_slice(&padding.map(usize::from));
                }
            }
            Self::Add { len } => sizes[..2].copy_from_slice(&[half(*len, 0), half(*len, 16)]),
        }
        sizes
    }

    /// How many tensors are read.
    pub(crate) const fn arity(&self) -> usize {
        match self {
            Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::Dense { .. }
            | Self::MaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::Mean { .. }
            | Self::Activation { .. }
            | Self::ZeroPadding2D { .. } => 1,
            Self::Add { .. } | Self::Multiply { .. } | Self::Concatenate { .. } => 2,
        }
    }

    /// Values of one sample of the input of that number, of a step that reads it.
    pub(crate) const fn input_len(&self, read: usize) -> usize {
        match self {
            Self::Conv2D { geometry, .. }
            | Self::DepthwiseConv2D { geometry }
            | Self::MaxPooling2D { geometry }
            | Self::AveragePooling2D { geometry }
            | Self::Mean { geometry } => geometry.input().len(),
            Self::Dense { inputs, .. } => *inputs as usize,
            Self::Add { len } | Self::Activation { len, .. } => *len as usize,
            Self::Multiply { len, repeated } => (if read == 0 { *len } else { *repeated }) as usize,
            Self::Concatenate { positions, widths: [a, b] } => {
                *positions as usize * (if read == 0 { *a } else { *b }) as usize
            }
            Self::ZeroPadding2D { input: [height, width, channels], .. } => {
                *height as usize * *width as usize * *channels as usize
            }
        }
    }

    /// Values of one output sample.
    pub const fn output_len(&self) -> usize {
        match self {
            Self::Conv2D { pool: Some(geometry), .. }
            | Self::Conv2D { geometry, pool: None }
            | Self::DepthwiseConv2D { geometry }
            | Self::MaxPooling2D { geometry }
            | Self::AveragePooling2D { geometry }
            | Self::Mean { geometry } => geometry.output().len(),
            Self::Dense { units, .. } => *units as usize,
            Self::Add { len } | Self::Activation { len, .. } | Self::Multiply { len, .. } => *len as usize,
            Self::Concatenate { positions, widths: [a, b] } => *positions as usize * (*a as usize + *b as usize),
            Self::ZeroPadding2D { input: [height, width, channels], padding: [above, below, left, right] } => {
                let height = *height as usize + *above as usize + *below as usize;
                let width = *width as usize + *left as usize + *right as usize;
                height * width * *channels as usize
            }
        }
    }

    /// Values of each position of the output before a pooling: what a softmax runs over.
    pub(crate) const fn channels(&self) -> usize {
        match self {
            Self::Activation { channels, .. } => *channels as usize,
            Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::Dense { .. }
            | Self::MaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::Mean { .. }
            | Self::Add { .. }
            | Self::Multiply { .. }
            | Self::Concatenate { .. }
            | Self::ZeroPadding2D { .. } => self.weights().1,
        }
    }

    /// Whether the output begins as the first input, and is then changed in place.
    pub(crate) const fn begins_as_its_first_input(&self) -> bool {
        matches!(self, Self::Add { .. } | Self::Multiply { .. } | Self::Activation { .. })
    }

    /// Weights and channels of the step; both 0 where it has none.
    pub(crate) const fn weights(&self) -> (usize, usize) {
        match self {
            Self::Conv2D { geometry, .. } => {
                let filters = geometry.output().channels;
                (geometry.patch() * filters, filters)
            }
            Self::DepthwiseConv2D { geometry } => {
                let ([height, width], channels) = (geometry.kernel(), geometry.output().channels);
                (height * width * channels, channels)
            }
            Self::Dense { inputs, units } => (*inputs as usize * *units as usize, *units as usize),
            Self::MaxPooling2D { .. }
            | Self::Add { .. }
            | Self::AveragePooling2D { .. }
            | Self::Mean { .. }
            | Self::Activation { .. }
            | Self::Multiply { .. }
            | Self::Concatenate { .. }
            | Self::ZeroPadding2D { .. } => (0, 0),
        }
    }
}

fn put_geometry(sizes: &mut [usize], geometry: &Geometry) {
    let (input, output) = (geometry.input(), geometry.output());
    let ([kh, kw], [sh, sw], [top, left]) = (geometry.kernel(), geometry.strides(), geometry.padding());
    let all = [
        input.height,
        input.width,
        input.channels,
        output.height,
        output.width,
        output.channels,
        kh,
        kw,
        sh,
        sw,
        top,
        left,
    ];
    sizes[..all.len()].copy_from_slice(&all);
}

/// A step of a quantised network: small, since a device keeps a table of them in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepS8<'a> {
    /// The layer's name.
    pub(crate) name: &'a str,
    /// What is computed. A pooling is always one of the convolution's output.
    pub(crate) op: OpS8<'a>,
    /// The steps that are read, counted from 1; 0 is the image.
    pub(crate) sources: [u16; 2],
    /// Where these lie in the activations; [`IMAGE`] for the image.
    pub(crate) inputs: [u32; 2],
    /// Where the output lies.
    pub(crate) output: u32,
}

/// The place of what is no tensor in the network's own memory: the image, which the caller holds.
pub(crate) const IMAGE: u32 = u32::MAX;

impl<'a> StepS8<'a> {
    /// The layer's name.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// What is computed.
    pub const fn op(&self) -> OpS8<'a> {
        self.op
    }

    /// Step `k` of a graph's plan. `windows` has [that](Plan::window) of each node that has one.
    ///
    /// # Panics
    ///
    /// If the graph has no such step, or sizes that do not belong together, or are too large for a step.
    pub const fn new(graph: &Graph<'a>, plan: &Plan<'_>, windows: &[Option<&'a Geometry>], k: usize) -> Self {
        let step = &plan.steps[k];
        let node = &graph.nodes[step.node as usize];
        let window = windows[step.node as usize];
        assert!(has_room(graph, step.node as usize), "sizes that a step has no room for");
        let op = match (&node.op, window) {
            (Op::Conv2D { .. }, Some(geometry)) => {
                let pool = if step.pool == 0 { None } else { windows[step.pool as usize] };
                if let Some(pool) = pool {
                    assert!(geometry.is_pooled_by(pool), "the pooling is not one of the convolution's output");
                }
                OpS8::Conv2D { geometry, pool }
            }
            (Op::DepthwiseConv2D { .. } | Op::BatchNormalization { .. }, Some(geometry)) => {
                OpS8::DepthwiseConv2D { geometry }
            }
            (Op::MaxPooling2D { .. } | Op::GlobalMaxPooling2D { .. }, Some(geometry)) => {
                OpS8::MaxPooling2D { geometry }
            }
            (Op::AveragePooling2D { .. }, Some(geometry)) => OpS8::AveragePooling2D { geometry },
            (Op::GlobalAveragePooling2D { .. }, Some(geometry)) => OpS8::Mean { geometry },
            (Op::Dense { inputs, .. }, _) => OpS8::Dense { inputs: *inputs as u32, units: node.output.channels as u32 },
            (Op::Add { .. }, _) => OpS8::Add { len: node.output.len() as u32 },
            (Op::Activation { .. }, _) => {
                OpS8::Activation { len: node.output.len() as u32, channels: node.output.channels as u32 }
            }
            (Op::Multiply { .. }, _) => {
                let repeated = graph.nodes[node.inputs[1] as usize].output.len() as u32;
                OpS8::Multiply { len: node.output.len() as u32, repeated }
            }
            (Op::Concatenate, _) => {
                let Shape { height, width, channels } = graph.input_of(step.node as usize);
                let widths = [channels as u16, (node.output.channels - channels) as u16];
                OpS8::Concatenate { positions: (height * width) as u32, widths }
            }
            (Op::ZeroPadding2D { padding: [[above, below], [left, right]] }, _) => {
                let Shape { height, width, channels } = graph.input_of(step.node as usize);
                let padding = [*above as u8, *below as u8, *left as u8, *right as u8];
                OpS8::ZeroPadding2D { input: [height as u16, width as u16, channels as u16], padding }
            }
            (
                Op::Conv2D { .. }
                | Op::DepthwiseConv2D { .. }
                | Op::BatchNormalization { .. }
                | Op::MaxPooling2D { .. }
                | Op::GlobalMaxPooling2D { .. }
                | Op::AveragePooling2D { .. }
                | Op::GlobalAveragePooling2D { .. }
                | Op::Input
                | Op::Flatten
                | Op::Reshape
                | Op::Dropout { .. },
                _,
            ) => {
                panic!("a step of a layer that computes nothing, or without its window")
            }
        };
        Self {
            name: node.name,
            op,
            sources: [source(plan, step, 0), source(plan, step, 1)],
            inputs: [step.inputs[0] as u32, step.inputs[1] as u32],
            output: step.output as u32,
        }
    }

    /// Every step.
    pub const fn all<const STEPS: usize>(
        graph: &Graph<'a>,
        plan: &Plan<'_>,
        windows: &[Option<&'a Geometry>],
    ) -> [Self; STEPS] {
        let mut steps =
            [Self { name: "", op: OpS8::Add { len: 0 }, sources: [0; 2], inputs: [IMAGE; 2], output: 0 }; STEPS];
        let mut k = 0;
        while k < STEPS {
            steps[k] = Self::new(graph, plan, windows, k);
            k += 1;
        }
        steps
    }
}

/// Whether a step has room for a node's sizes: of some kinds numbers of 16 bits.
const fn has_room(graph: &Graph<'_>, node: usize) -> bool {
    let Shape { height, width, channels } = graph.input_of(node);
    let output = graph.nodes[node].output.channels;
    match &graph.nodes[node].op {
        Op::Concatenate => output <= u16::MAX as usize,
        Op::ZeroPadding2D { .. } => {
            height <= u16::MAX as usize && width <= u16::MAX as usize && channels <= u16::MAX as usize
        }
        Op::Input
        | Op::Conv2D { .. }
        | Op::DepthwiseConv2D { .. }
        | Op::Dense { .. }
        | Op::MaxPooling2D { .. }
        | Op::GlobalMaxPooling2D { .. }
        | Op::AveragePooling2D { .. }
        | Op::GlobalAveragePooling2D { .. }
        | Op::Flatten
        | Op::Reshape
        | Op::Dropout { .. }
        | Op::BatchNormalization { .. }
        | Op::Activation { .. }
        | Op::Add { .. }
        | Op::Multiply { .. } => true,
    }
}

/// Whether steps can hold a graph's sizes, and places among all of its values: these have 32 bits.
#[cfg(feature = "alloc")]
pub(crate) fn fits(graph: &Graph<'_>) -> bool {
    let mut lengths = graph.nodes.iter().map(|node| u32::try_from(node.output.len()).ok());
    lengths.try_fold(0u32, |sum, len| sum.checked_add(len?)).is_some_and(|values| values < IMAGE)
        && (0..graph.nodes.len()).all(|node| has_room(graph, node))
}

/// The windows that [`steps`] borrows: [that](Plan::window) of each node.
#[cfg(feature = "alloc")]
pub fn windows(graph: &Graph<'_>, plan: &Plan<'_>) -> Vec<Option<Geometry>> {
    (0..graph.nodes.len()).map(|node| plan.window(graph, node)).collect()
}

/// The steps of a plan.
#[cfg(feature = "alloc")]
pub fn steps<'a>(graph: &Graph<'a>, plan: &Plan<'_>, windows: &'a [Option<Geometry>]) -> Vec<StepS8<'a>> {
    let windows: Vec<_> = windows.iter().map(Option::as_ref).collect();
    (0..plan.steps.len()).map(|k| StepS8::new(graph, plan, &windows, k)).collect()
}

/// The number of the step that makes the input `i` of a step, counted from 1; 0 for the image.
const fn source(plan: &Plan<'_>, step: &Step, i: usize) -> u16 {
    let mut k = 0;
    while k < plan.steps.len() {
        if step.inputs[i] != plan::INPUT && plan.steps[k].makes() == step.sources[i] as usize {
            return k as u16 + 1;
        }
        k += 1;
    }
    0
}
