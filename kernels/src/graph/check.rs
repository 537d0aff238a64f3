//! The check of a graph that comes from a file: afterwards every walk may rely on it.

use core::fmt;

use super::{Graph, Node, Op};
use crate::geometry::{Geometry, Shape};

/// Why nodes are no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GraphError<'a> {
    /// There is no layer, the first node is no input, or another one is.
    Input,
    /// More layers than 65,535.
    TooMany {
        /// How many.
        layers: usize,
    },
    /// The network computes nothing: all layers pass on what they read.
    ComputesNothing,
    /// Two layers have one name, or one has none, or one with a control character, a space, `.`, `/` or `:`; or the
    /// network has.
    Name {
        /// The name.
        layer: &'a str,
    },
    /// A layer reads one that comes after it, or itself.
    Order {
        /// The layer.
        layer: &'a str,
        /// The number of the layer that it reads, the input being 0.
        reads: u16,
    },
    /// A layer's sizes do not follow from what it reads.
    Shape {
        /// The layer.
        layer: &'a str,
        /// What it reads.
        input: Shape,
        /// What it says that it gives.
        output: Shape,
    },
    /// Sizes or settings of a layer are out of range: more weights than a slice can hold, or a rate outside of
    /// `0.0..1.0`.
    Range {
        /// The layer.
        layer: &'a str,
    },
    /// A layer's weights do not begin behind those of the layers before it.
    Weights {
        /// The layer.
        layer: &'a str,
    },
    /// Nothing reads a layer's output, and it is not the last.
    Unread {
        /// The layer.
        layer: &'a str,
    },
}

impl fmt::Display for GraphError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input => f.write_str("a network is one input and at least one layer"),
            Self::TooMany { layers } => write!(f, "the network has {layers} layers; at most 65535 are allowed"),
            Self::ComputesNothing => {
                f.write_str("the network computes nothing: all of its layers pass on what they read")
            }
            Self::Name { layer: "" } => f.write_str("the network or a layer has no name"),
            Self::Name { layer } if is_name(layer) => write!(f, "two layers are called `{layer}`"),
            Self::Name { layer } => {
                write!(f, "a name is {layer:?}, but may have no control character, space, `.`, `/` or `:`")
            }
            Self::Order { layer, reads } => {
                write!(f, "layer `{layer}` reads layer {reads}, which does not come before it")
            }
            Self::Shape { layer, input, output } => {
                write!(f, "layer `{layer}` does not make {output} of its input, which is {input}")
            }
            Self::Range { layer } => write!(f, "layer `{layer}` has a size or a setting that is out of range"),
            Self::Weights { layer } => {
                write!(f, "the weights of layer `{layer}` do not begin behind those of the layers before it")
            }
            Self::Unread { layer } => write!(f, "no layer reads layer `{layer}`, which is not the last"),
        }
    }
}

impl core::error::Error for GraphError<'_> {}

impl<'a> Graph<'a> {
    /// Whether the nodes are a network: what the other methods, and every walk, rely on. `sequential!` makes nothing
    /// else.
    ///
    /// # Errors
    ///
    /// [`GraphError`] names the first layer that is wrong.
    pub fn check(&self) -> Result<(), GraphError<'a>> {
        let [Node { op: Op::Input, output: input, weights: 0, .. }, layers @ ..] = self.nodes else {
            return Err(GraphError::Input);
        };
        if layers.is_empty() || !fits(*input) {
            return Err(GraphError::Input);
        }
        if u16::try_from(layers.len()).is_err() {
            return Err(GraphError::TooMany { layers: layers.len() });
        }
        if !is_name(self.name) {
            return Err(GraphError::Name { layer: self.name });
        }
        let mut weights = 0usize;
        for (number, node) in self.nodes.iter().enumerate().skip(1) {
            let layer = node.name;
            if !is_name(layer) || self.nodes[..number].iter().any(|other| other.name == layer) {
                return Err(GraphError::Name { layer });
            }
            if let Some(&reads) = node.inputs().iter().find(|&&reads| usize::from(reads) >= number) {
                return Err(GraphError::Order { layer, reads });
            }
            self.check_sizes(number)?;
            if node.weights != weights {
                return Err(GraphError::Weights { layer });
            }
            weights = weights
                .checked_add(node.parameters())
                .filter(|&all| all <= Geometry::LIMIT)
                .ok_or(GraphError::Range { layer })?;
        }
        let mut but_the_last = 1..layers.len();
        if let Some(unread) = but_the_last.find(|&number| self.readers(number) == 0) {
            return Err(GraphError::Unread { layer: self.nodes[unread].name });
        }
        if (1..self.nodes.len()).all(|node| self.is_alias(node, false)) {
            return Err(GraphError::ComputesNothing);
        }
        Ok(())
    }

    /// Whether the sizes of node `number`, which reads earlier nodes only, follow from theirs.
    fn check_sizes(&self, number: usize) -> Result<(), GraphError<'a>> {
        let node = &self.nodes[number];
        let (layer, output, input) = (node.name, node.output, self.input_of(number));
        let fits_in_memory = node
            .op
            .fan_in()
            .checked_mul(output.channels)
            .and_then(|kernel| kernel.checked_add(output.channels))
            .is_some_and(|parameters| parameters <= Geometry::LIMIT);
        if !fits(output) || !fits_in_memory || !node.op.activation().is_valid() {
            return Err(GraphError::Range { layer });
        }
        let second = || self.nodes[usize::from(node.inputs[1])].output;
        let follows = match node.op {
            Op::Input => return Err(GraphError::Input),
            Op::Conv2D { geometry, .. } => geometry.input() == input && geometry.output() == output,
            Op::DepthwiseConv2D { geometry, .. } => {
                geometry.input() == input
                    && geometry.output() == output
                    && output.channels.is_multiple_of(input.channels)
            }
            Op::MaxPooling2D { geometry } | Op::AveragePooling2D { geometry } => {
                geometry.input() == input && geometry.output() == output && input.channels == output.channels
            }
            Op::GlobalAveragePooling2D { geometry } | Op::GlobalMaxPooling2D { geometry } => {
                geometry.input() == input
                    && geometry.kernel() == [input.height, input.width]
                    && [geometry.output(), output] == [Shape::vector(input.channels); 2]
            }
            Op::Flatten => output == Shape::vector(input.len()),
            Op::Dense { inputs, .. } => input == Shape::vector(inputs) && output == Shape::vector(output.channels),
            Op::Dropout { rate } => {
                if !(0.0..1.0).contains(&rate) {
                    return Err(GraphError::Range { layer });
                }
                input == output
            }
            // Every pass applies the others behind weights alone, or by themselves.
            Op::Add { activation } | Op::Multiply { activation } if !activation.is_clamp() => {
                return Err(GraphError::Range { layer });
            }
            Op::Add { .. } => input == output && second() == output,
            Op::Multiply { .. } => {
                input == output && (second() == output || second() == Shape::vector(output.channels))
            }
            Op::Concatenate => {
                let (a, b) = (input, second());
                let channels = a.channels + b.channels;
                [b.height, b.width] == [a.height, a.width] && output == Shape::new(a.height, a.width, channels)
            }
            Op::Reshape => input.len() == output.len(),
            Op::Activation { .. } => input == output,
            Op::BatchNormalization { momentum, epsilon, .. } => {
                let fits = (0.0..=1.0).contains(&momentum) && epsilon > 0.0 && epsilon.is_finite();
                if !fits {
                    return Err(GraphError::Range { layer });
                }
                input == output
            }
            Op::ZeroPadding2D { padding } => {
                if padding.iter().flatten().any(|&zeros| zeros > u8::MAX.into()) {
                    return Err(GraphError::Range { layer });
                }
                let [rows, columns] = padding.map(|[before, after]| before + after);
                output == Shape::new(input.height + rows, input.width + columns, input.channels)
            }
        };
        if follows { Ok(()) } else { Err(GraphError::Shape { layer, input, output }) }
    }
}

/// Whether tensors in files can be called so: no path, and nothing that a terminal obeys.
fn is_name(name: &str) -> bool {
    let is_wrong = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '.' | '/' | ':');
    !name.is_empty() && !name.contains(is_wrong)
}

/// Whether a tensor of that shape has values, and no more than [`Geometry::LIMIT`].
fn fits(shape: Shape) -> bool {
    shape.checked_len().is_some_and(|len| (1..=Geometry::LIMIT).contains(&len))
}
