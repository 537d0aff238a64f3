//! What a layer is, as plain data: for summaries, memory plans, files, and the check that a file fits a network.

use core::fmt;

use crate::geometry::{Geometry, Shape};

/// What is applied to each output value; Keras's `activation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Activation {
    /// `x`.
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `tanh(x)`.
    Tanh,
    /// `exp(x_i) / sum_j exp(x_j)` over the channels of each position.
    Softmax,
}

impl Activation {
    /// Whether the activation only clamps, so that kernels apply it as they store (TFLite's fused activations).
    pub const fn is_clamp(self) -> bool {
        matches!(self, Self::Linear | Self::Relu | Self::Relu6)
    }

    /// Whether its values are probabilities: of classes, not estimates of numbers.
    pub const fn is_probability(self) -> bool {
        matches!(self, Self::Sigmoid | Self::Softmax)
    }
}

/// The kind of a layer, with what its shapes do not tell.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LayerKind {
    /// A convolution with a kernel `[height, width, input channels, filters]`.
    Conv2D {
        /// Sizes of the window.
        geometry: Geometry,
        /// Whether each filter has a bias.
        use_bias: bool,
        /// The activation.
        activation: Activation,
    },
    /// The maximum of each window.
    MaxPooling2D {
        /// Sizes of the window.
        geometry: Geometry,
    },
    /// The same values as one vector.
    Flatten,
    /// A fully connected layer with a kernel `[inputs, units]`.
    Dense {
        /// Whether each unit has a bias.
        use_bias: bool,
        /// The activation.
        activation: Activation,
    },
    /// While training, sets each value to 0 with probability `rate` and divides the others by `1 - rate`.
    Dropout {
        /// The fraction that is dropped, in `0.0..1.0`.
        rate: f32,
    },
}

impl LayerKind {
    /// Keras's name of the layer's class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv2D { .. } => "Conv2D",
            Self::MaxPooling2D { .. } => "MaxPooling2D",
            Self::Flatten => "Flatten",
            Self::Dense { .. } => "Dense",
            Self::Dropout { .. } => "Dropout",
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One layer of a network: its name, its kind and its shapes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LayerInfo<'a> {
    /// The field's name in the network.
    pub name: &'a str,
    /// The kind.
    pub kind: LayerKind,
    /// Shape of one input sample.
    pub input: Shape,
    /// Shape of one output sample.
    pub output: Shape,
}

impl LayerInfo<'_> {
    /// The activation; [`Activation::Linear`] for layers that have none.
    pub const fn activation(&self) -> Activation {
        match self.kind {
            LayerKind::Conv2D { activation, .. } | LayerKind::Dense { activation, .. } => activation,
            _ => Activation::Linear,
        }
    }

    /// The window of a convolution or a pooling.
    pub const fn window(&self) -> Option<Geometry> {
        match self.kind {
            LayerKind::Conv2D { geometry, .. } | LayerKind::MaxPooling2D { geometry } => Some(geometry),
            _ => None,
        }
    }

    /// How many inputs one output reads: the fan-in of the kernel, 0 for layers without one.
    pub const fn fan_in(&self) -> usize {
        match self.kind {
            LayerKind::Conv2D { geometry, .. } => geometry.patch(),
            LayerKind::Dense { .. } => self.input.len(),
            _ => 0,
        }
    }

    /// Values in the kernel; 0 for layers without one.
    pub const fn kernel_len(&self) -> usize {
        self.fan_in() * self.output.channels
    }

    /// Values in the bias; 0 for layers without one.
    pub const fn bias_len(&self) -> usize {
        match self.kind {
            LayerKind::Conv2D { use_bias: true, .. } | LayerKind::Dense { use_bias: true, .. } => self.output.channels,
            _ => 0,
        }
    }

    /// Trained values: kernel, then bias.
    pub const fn parameters(&self) -> usize {
        self.kernel_len() + self.bias_len()
    }

    /// Multiply-accumulates for one sample.
    pub const fn macs(&self) -> usize {
        self.output.len() * self.fan_in()
    }

    /// The dimensions of the kernel as Keras holds it: HWIO for a convolution, `[inputs, units]` for a dense layer, and
    /// how many of the four are used (0 without a kernel).
    pub const fn kernel_shape(&self) -> ([usize; 4], usize) {
        match self.kind {
            LayerKind::Conv2D { geometry: g, .. } => {
                ([g.kernel()[0], g.kernel()[1], g.input().channels, g.output().channels], 4)
            }
            LayerKind::Dense { .. } => ([self.input.len(), self.output.channels, 0, 0], 2),
            _ => ([0; 4], 0),
        }
    }
}
