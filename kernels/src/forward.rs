//! The f32 forward pass: a loop over the steps of a plan.

use core::ops::Range;

use crate::LengthError;
use crate::arch::{Backend, parallel};
use crate::geometry::{Geometry, Shape};
use crate::graph::{Activation, AllOps, Graph, Node, Op, Uses};
use crate::plan::{self, Plan};

/// How a batch is computed.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The kernels that run.
    pub backend: Backend,
    /// Samples in the batch.
    pub batch: usize,
    /// The seed of this step's dropout masks while training; `None` in inference, where dropout does nothing.
    pub dropout_seed: Option<u64>,
}

/// Computes the outputs of a batch: `x.len() / graph.input().len()` samples, `graph.output().len()` values each.
///
/// `plan` is one of this graph, and `memory` has at least [`plan.memory_len(graph, batch)`](Plan::memory_len) values.
///
/// To `observe`, if there is one, the outputs of each step are shown as they are computed, with the number of the node
/// that they are the output of: those before sigmoid, tanh and softmax, as calibration needs them.
///
/// # Errors
///
/// [`LengthError`] names the buffer that has the wrong length.
pub fn forward<'m>(
    graph: &Graph<'_>,
    plan: &Plan<'_>,
    backend: Backend,
    weights: &[f32],
    x: &[f32],
    memory: &'m mut [f32],
    observe: Option<&mut Observer<'_>>,
) -> Result<&'m [f32], LengthError> {
    run::<AllOps>(graph, plan, backend, weights, x, memory, observe)
}

/// What is shown the outputs of each layer.
pub type Observer<'a> = dyn FnMut(usize, &[f32]) + Send + 'a;

pub(crate) fn run<'m, U: Uses>(
    graph: &Graph<'_>,
    plan: &Plan<'_>,
    backend: Backend,
    weights: &[f32],
    x: &[f32],
    memory: &'m mut [f32],
    mut observe: Option<&mut Observer<'_>>,
) -> Result<&'m [f32], LengthError> {
    let input = graph.input().len();
    let batch = x.len() / input;
    LengthError::expect("weights", weights.len(), graph.parameters())?;
    LengthError::expect("x", x.len(), batch.max(1) * input)?;
    LengthError::expect_at_least("memory", memory.len(), plan.memory_len(graph, batch))?;

    let cx = Context { backend, batch, dropout_seed: None };
    let (activations, scratch) = memory.split_at_mut(batch * plan.values);
    parallel::inside(batch.saturating_mul(graph.macs()), || {
        for step in plan.steps {
            let node = graph.node(usize::from(step.node));
            let output = batched(batch, step.output, graph.nodes[step.makes()].output.len());
            let len = |source: u16| graph.nodes[usize::from(source)].output.len();
            if node.op.begins_as_its_first_input() {
                match step.inputs[0] {
                    plan::INPUT => activations[output.clone()].copy_from_slice(x),
                    at if at == step.output => {}
                    at => activations.copy_within(batched(batch, at, output.len() / batch), output.start),
                }
            }
            let own = &weights[node.weights..][..node.parameters()];
            for read in reads(&node) {
                let (x, y) =
                    operands(activations, x, batch, step.inputs[read], len(step.sources[read]), output.clone());
                linear::<U>(&cx, &node, read, own, step.pool(graph), x, y, scratch);
            }
            let y = &mut activations[output];
            if let Some(observe) = &mut observe {
                observe(step.makes(), y);
            }
            activate::<U>(&cx, &node, y);
        }
    });
    Ok(match plan.steps {
        [.., last] => &activations[batched(batch, last.output, graph.output().len())],
        [] => &[],
    })
}

/// Which of its inputs a node reads besides, one after the other.
pub(crate) fn reads(node: &Node<'_>) -> Range<usize> {
    usize::from(node.op.begins_as_its_first_input())..node.op.arity()
}

/// The values of a batch of a tensor that lies at `offset` in one sample's memory and has `len` values.
pub(crate) fn batched(batch: usize, offset: usize, len: usize) -> Range<usize> {
    batch * offset..batch * (offset + len)
}

/// What a step reads, and what it writes. The plan gives both places of their own.
fn operands<'a>(
    activations: &'a mut [f32],
    x: &'a [f32],
    batch: usize,
    input: usize,
    len: usize,
    output: Range<usize>,
) -> (&'a [f32], &'a mut [f32]) {
    if input == plan::INPUT {
        return (x, &mut activations[output]);
    }
    let [x, y] = activations
        .get_disjoint_mut([batched(batch, input, len), output])
        .expect("a plan keeps apart what exists at the same time");
    (x, y)
}

/// Computes `y`, a node's output up to an activation that does not only clamp: sigmoid, tanh and so on are left to
/// [`activate`]. With `pool`, which only convolutions get, `y` is what this max pooling makes of it. Where the output
/// [begins as the first input](Op::begins_as_its_first_input), `y` holds that. `x` is the input of number `read`, and
/// it is called for all that the node [reads], in turn.
///
/// A batch normalisation in training leaves the batch's means and variances at the beginning of `scratch`.
#[expect(clippy::too_many_arguments, reason = "one name a tensor")]
pub(crate) fn linear<U: Uses>(
    cx: &Context,
    node: &Node<'_>,
    read: usize,
    weights: &[f32],
    pool: Option<&Geometry>,
    x: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (kernel, bias) = weights.split_at(node.kernel_len());
    let bias = node.op.use_bias().then_some(bias);
    let is_relu = matches!(node.op.activation(), Activation::Relu);
    match &node.op {
        Op::Conv2D { geometry, .. } => {
            if const { U::BITS & Op::CONV2D != 0 } {
                match pool {
                    Some(pool) => {
                        cx.backend.conv2d_max_pool(geometry, pool, cx.batch, x, kernel, bias, is_relu, y, scratch);
                    }
                    None => cx.backend.conv2d(geometry, cx.batch, x, kernel, bias, is_relu, y, scratch),
                }
            }
        }
        Op::DepthwiseConv2D { geometry, .. } => {
            if const { U::BITS & Op::DEPTHWISE_CONV2D != 0 } {
                cx.backend.depthwise_conv2d(geometry, cx.batch, x, kernel, bias, is_relu, y);
            }
        }
        Op::Dense { inputs, .. } => {
            if const { U::BITS & Op::DENSE != 0 } {
                cx.backend.dense(*inputs, node.output.channels, cx.batch, x, kernel, bias, is_relu, y, scratch);
            }
        }
        Op::BatchNormalization { epsilon, .. } => {
            if const { U::BITS & Op::BATCH_NORMALIZATION != 0 } {
                let (parameters, moving) = weights.split_at(node.statistics_len());
                let (moments, scratch) = scratch.split_at_mut(node.statistics_len());
                if cx.dropout_seed.is_some() {
                    cx.backend.moments(node.output, cx.batch, x, moments, scratch);
                } else {
                    moments.copy_from_slice(moving);
                }
                let (gamma, beta) = parameters.split_at(node.output.channels);
                let (shape, parameters) = (node.output, [gamma, beta]);
                cx.backend.batch_normalization(shape, cx.batch, x, parameters, *epsilon, moments, is_relu, y, scratch);
            }
        }
        Op::MaxPooling2D { geometry } | Op::GlobalMaxPooling2D { geometry } => {
            if const { U::BITS & Op::MAX_POOLING2D != 0 } {
                cx.backend.max_pool(geometry, cx.batch, x, y);
            }
        }
        Op::AveragePooling2D { geometry } | Op::GlobalAveragePooling2D { geometry } => {
            if const { U::BITS & (Op::AVERAGE_POOLING2D | Op::GLOBAL_AVERAGE_POOLING2D) != 0 } {
                cx.backend.average_pool(geometry, cx.batch, x, y);
            }
        }
        Op::Add { .. } => {
            if const { U::BITS & Op::ADD != 0 } {
                cx.backend.add(x, y);
                if is_relu {
                    cx.backend.relu(y);
                }
            }
        }
        Op::Multiply { .. } => {
            if const { U::BITS & Op::MULTIPLY != 0 } {
                cx.backend.multiply(cx.batch, x, y);
                if is_relu {
                    cx.backend.relu(y);
                }
            }
        }
        Op::Concatenate => {
            if const { U::BITS & Op::CONCATENATE != 0 } {
                let columns = concatenated(cx.batch, node, read, x.len());
                cx.backend.concatenate(columns.len(), x, [columns.start, node.output.channels], y);
            }
        }
        Op::ZeroPadding2D { padding } => {
            if const { U::BITS & Op::ZERO_PADDING2D != 0 } {
                cx.backend.zero_padding(unpadded(node.output, *padding), *padding, cx.batch, x, y);
            }
        }
        Op::Dropout { rate } => {
            y.copy_from_slice(x);
            if let Some(seed) = cx.dropout_seed {
                cx.backend.dropout(seed, *rate, y);
            }
        }
        Op::Input | Op::Flatten | Op::Reshape => y.copy_from_slice(x),
        // It begins as its input, and `activate` does the rest.
        Op::Activation { .. } => {}
    }
    if const { U::BITS & Activation::Relu6.bit() != 0 } && matches!(node.op.activation(), Activation::Relu6) {
        cx.backend.relu6(y);
    }
}

/// The channels of a concatenation that are those of its input `read`, of which a batch has `len` values.
pub(crate) fn concatenated(batch: usize, node: &Node<'_>, read: usize, len: usize) -> Range<usize> {
    let channels = len / (batch * node.output.height * node.output.width);
    if read == 0 { 0..channels } else { node.output.channels - channels..node.output.channels }
}

/// The shape of what has so much padding around it.
pub(crate) const fn unpadded(shape: Shape, [[above, below], [left, right]]: [[usize; 2]; 2]) -> Shape {
    Shape::new(shape.height - above - below, shape.width - left - right, shape.channels)
}

/// Applies in place what [`linear`] left out. Softmax runs over the channels.
pub(crate) fn activate<U: Uses>(cx: &Context, node: &Node<'_>, y: &mut [f32]) {
    match node.op.activation() {
        Activation::Linear => {}
        // `linear` applies both where it computes something.
        Activation::Relu => {
            if const { U::BITS & Op::ACTIVATION != 0 } && matches!(node.op, Op::Activation { .. }) {
                cx.backend.relu(y);
            }
        }
        Activation::Relu6 => {
            if const { U::BITS & Op::ACTIVATION != 0 && U::BITS & Activation::Relu6.bit() != 0 }
                && matches!(node.op, Op::Activation { .. })
            {
                cx.backend.relu6(y);
            }
        }
        Activation::LeakyRelu { negative_slope } => {
            if const { U::BITS & Activation::LeakyRelu { negative_slope: 0.0 }.bit() != 0 } {
                cx.backend.leaky_relu(negative_slope, y);
            }
        }
        Activation::Sigmoid => {
            if const { U::BITS & Activation::Sigmoid.bit() != 0 } {
                cx.backend.sigmoid(y);
            }
        }
        Activation::Tanh => {
            if const { U::BITS & Activation::Tanh.bit() != 0 } {
                cx.backend.tanh(y);
            }
        }
        Activation::Softmax => {
            if const { U::BITS & Activation::Softmax.bit() != 0 } {
                cx.backend.softmax(node.output.channels, y);
            }
        }
    }
}
