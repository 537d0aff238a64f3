//! What a layer computes, as data.

use core::fmt;

use crate::geometry::Geometry;

/// What is applied to each output value; Keras's `activation`.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// `x` where it is not negative, `negative_slope * x` elsewhere.
    LeakyRelu {
        /// At least 0.
        negative_slope: f32,
    },
}

impl Activation {
    /// Whether the activation only clamps, so that kernels apply it as they store (TFLite's fused activations).
    pub const fn is_clamp(self) -> bool {
        match self {
            Self::Linear | Self::Relu | Self::Relu6 => true,
            Self::Sigmoid | Self::Tanh | Self::Softmax | Self::LeakyRelu { .. } => false,
        }
    }

    /// Whether it does nothing.
    pub const fn is_linear(self) -> bool {
        matches!(self, Self::Linear)
    }

    /// Whether its settings are in their ranges.
    pub const fn is_valid(self) -> bool {
        match self {
            Self::LeakyRelu { negative_slope } => negative_slope >= 0.0 && negative_slope.is_finite(),
            Self::Linear | Self::Relu | Self::Relu6 | Self::Sigmoid | Self::Tanh | Self::Softmax => true,
        }
    }

    /// Whether its values are probabilities: of classes, not estimates of numbers.
    pub const fn is_probability(self) -> bool {
        match self {
            Self::Sigmoid | Self::Softmax => true,
            Self::Linear | Self::Relu | Self::Relu6 | Self::Tanh | Self::LeakyRelu { .. } => false,
        }
    }

    /// The activation's bit in [`Uses`]. Linear and relu are part of the kernels.
    pub const fn bit(self) -> u32 {
        match self {
            Self::Linear | Self::Relu => 0,
            Self::Relu6 => 1 << 16,
            Self::Sigmoid => 1 << 17,
            Self::Tanh => 1 << 18,
            Self::Softmax => 1 << 19,
            Self::LeakyRelu { .. } => 1 << 20,
        }
    }
}

/// The operation of a [`Node`](super::Node), with all of its sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Op {
    /// The network's input.
    Input,
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
        /// Values of the input.
        inputs: usize,
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
    /// The sum of two tensors of one shape.
    Add {
        /// The activation.
        activation: Activation,
    },
    /// The mean of each window.
    AveragePooling2D {
        /// Sizes of the window.
        geometry: Geometry,
    },
    /// The mean of each channel, as a vector.
    GlobalAveragePooling2D {
        /// The window, which is the whole input.
        geometry: Geometry,
    },
    /// A convolution of each channel by itself, with a kernel `[height, width, channels, multiplier]`: output channel
    /// `channel * multiplier + m` reads input channel `channel`.
    DepthwiseConv2D {
        /// Sizes of the window.
        geometry: Geometry,
        /// Whether each output channel has a bias.
        use_bias: bool,
        /// The activation.
        activation: Activation,
    },
    /// `gamma[c] * (x - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]` for each channel: the batch's mean and
    /// variance while training, their moving averages otherwise. Its weights are gamma, beta, and the two moving
    /// averages.
    BatchNormalization {
        /// How much of a moving average a training step keeps, in `0.0..=1.0`.
        momentum: f32,
        /// Above 0.
        epsilon: f32,
        /// The activation.
        activation: Activation,
    },
    /// An activation by itself.
    Activation {
        /// The activation.
        activation: Activation,
    },
    /// Rows and columns of zeros around the input.
    ZeroPadding2D {
        /// How many: above and below, left and right.
        padding: [[usize; 2]; 2],
    },
    /// At each position the channels of one tensor, then those of the other.
    Concatenate,
    /// The product of two tensors of one shape, or of a tensor and a vector of its channels.
    Multiply {
        /// The activation.
        activation: Activation,
    },
    /// The same values in another shape.
    Reshape,
    /// The maximum of each channel, as a vector.
    GlobalMaxPooling2D {
        /// The window, which is the whole input.
        geometry: Geometry,
    },
}

impl Op {
    /// Keras's name of the layer's class.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Input => "InputLayer",
            Self::Conv2D { .. } => "Conv2D",
            Self::MaxPooling2D { .. } => "MaxPooling2D",
            Self::Flatten => "Flatten",
            Self::Dense { .. } => "Dense",
            Self::Dropout { .. } => "Dropout",
            Self::Add { .. } => "Add",
            Self::AveragePooling2D { .. } => "AveragePooling2D",
            Self::GlobalAveragePooling2D { .. } => "GlobalAveragePooling2D",
            Self::DepthwiseConv2D { .. } => "DepthwiseConv2D",
            Self::BatchNormalization { .. } => "BatchNormalization",
            Self::Activation { .. } => "Activation",
            Self::ZeroPadding2D { .. } => "ZeroPadding2D",
            Self::Concatenate => "Concatenate",
            Self::Multiply { .. } => "Multiply",
            Self::Reshape => "Reshape",
            Self::GlobalMaxPooling2D { .. } => "GlobalMaxPooling2D",
        }
    }

    /// The kind's bit in [`Uses`].
    pub const fn bit(&self) -> u32 {
        match self {
            Self::Input => 0,
            Self::Conv2D { .. } => Self::CONV2D,
            Self::MaxPooling2D { .. } | Self::GlobalMaxPooling2D { .. } => Self::MAX_POOLING2D,
            Self::Flatten | Self::Reshape => Self::FLATTEN,
            Self::Dense { .. } => Self::DENSE,
            Self::Dropout { .. } => Self::DROPOUT,
            Self::Add { .. } => Self::ADD,
            Self::AveragePooling2D { .. } => Self::AVERAGE_POOLING2D,
            Self::GlobalAveragePooling2D { .. } => Self::GLOBAL_AVERAGE_POOLING2D,
            Self::DepthwiseConv2D { .. } => Self::DEPTHWISE_CONV2D,
            Self::BatchNormalization { .. } => Self::BATCH_NORMALIZATION,
            Self::Activation { .. } => Self::ACTIVATION,
            Self::ZeroPadding2D { .. } => Self::ZERO_PADDING2D,
            Self::Concatenate => Self::CONCATENATE,
            Self::Multiply { .. } => Self::MULTIPLY,
        }
    }

    pub(crate) const CONV2D: u32 = 1;
    pub(crate) const MAX_POOLING2D: u32 = 1 << 1;
    pub(crate) const FLATTEN: u32 = 1 << 2;
    pub(crate) const DENSE: u32 = 1 << 3;
    pub(crate) const DROPOUT: u32 = 1 << 4;
    pub(crate) const ADD: u32 = 1 << 5;
    pub(crate) const AVERAGE_POOLING2D: u32 = 1 << 6;
    pub(crate) const GLOBAL_AVERAGE_POOLING2D: u32 = 1 << 7;
    pub(crate) const DEPTHWISE_CONV2D: u32 = 1 << 8;
    pub(crate) const BATCH_NORMALIZATION: u32 = 1 << 9;
    pub(crate) const ACTIVATION: u32 = 1 << 10;
    pub(crate) const ZERO_PADDING2D: u32 = 1 << 11;
    pub(crate) const CONCATENATE: u32 = 1 << 12;
    pub(crate) const MULTIPLY: u32 = 1 << 13;

    /// How many tensors it reads: 0, 1 or 2.
    pub const fn arity(&self) -> usize {
        match self {
            Self::Input => 0,
            Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::MaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D { .. }
            | Self::Flatten
            | Self::GlobalMaxPooling2D { .. }
            | Self::Dense { .. }
            | Self::Dropout { .. }
            | Self::BatchNormalization { .. }
            | Self::Activation { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Reshape => 1,
            Self::Add { .. } | Self::Multiply { .. } | Self::Concatenate => 2,
        }
    }

    /// The activation; [`Activation::Linear`] where the layer has none.
    pub const fn activation(&self) -> Activation {
        match self {
            Self::Conv2D { activation, .. }
            | Self::DepthwiseConv2D { activation, .. }
            | Self::Dense { activation, .. }
            | Self::BatchNormalization { activation, .. }
            | Self::Activation { activation }
            | Self::Multiply { activation }
            | Self::Add { activation } => *activation,
            Self::Input
            | Self::MaxPooling2D { .. }
            | Self::GlobalMaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D { .. }
            | Self::Flatten
            | Self::Reshape
            | Self::Dropout { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Concatenate => Activation::Linear,
        }
    }

    /// The same operation with an activation behind it, where its passes apply one: it must have none of its own, and a
    /// sum or a product takes one that only clamps.
    pub(crate) const fn with_activation(self, of_reader: Activation) -> Option<Self> {
        if !self.activation().is_linear() {
            return None;
        }
        match self {
            Self::Conv2D { geometry, use_bias, .. } => Some(Self::Conv2D { geometry, use_bias, activation: of_reader }),
            Self::DepthwiseConv2D { geometry, use_bias, .. } => {
                Some(Self::DepthwiseConv2D { geometry, use_bias, activation: of_reader })
            }
            Self::Dense { inputs, use_bias, .. } => Some(Self::Dense { inputs, use_bias, activation: of_reader }),
            Self::BatchNormalization { momentum, epsilon, .. } => {
                Some(Self::BatchNormalization { momentum, epsilon, activation: of_reader })
            }
            Self::Add { .. } if of_reader.is_clamp() => Some(Self::Add { activation: of_reader }),
            Self::Multiply { .. } if of_reader.is_clamp() => Some(Self::Multiply { activation: of_reader }),
            Self::Add { .. }
            | Self::Multiply { .. }
            | Self::Input
            | Self::MaxPooling2D { .. }
            | Self::GlobalMaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D { .. }
            | Self::Flatten
            | Self::Reshape
            | Self::Dropout { .. }
            | Self::Activation { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Concatenate => None,
        }
    }

    /// The window of a convolution or a pooling.
    pub const fn window(&self) -> Option<&Geometry> {
        match self {
            Self::Conv2D { geometry, .. }
            | Self::DepthwiseConv2D { geometry, .. }
            | Self::MaxPooling2D { geometry }
            | Self::AveragePooling2D { geometry }
            | Self::GlobalAveragePooling2D { geometry }
            | Self::GlobalMaxPooling2D { geometry } => Some(geometry),
            Self::Input
            | Self::Flatten
            | Self::Reshape
            | Self::Dense { .. }
            | Self::Dropout { .. }
            | Self::BatchNormalization { .. }
            | Self::Activation { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Concatenate
            | Self::Add { .. }
            | Self::Multiply { .. } => None,
        }
    }

    /// Of a layer with a kernel: how many inputs one output reads, and whether each output channel has a bias.
    const fn kernel(&self) -> Option<(usize, bool)> {
        match self {
            Self::Conv2D { geometry, use_bias, .. } => Some((geometry.patch(), *use_bias)),
            Self::DepthwiseConv2D { geometry, use_bias, .. } => {
                let [height, width] = geometry.kernel();
                Some((height * width, *use_bias))
            }
            Self::Dense { inputs, use_bias, .. } => Some((*inputs, *use_bias)),
            Self::Input
            | Self::MaxPooling2D { .. }
            | Self::GlobalMaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D { .. }
            | Self::Flatten
            | Self::Reshape
            | Self::Dropout { .. }
            | Self::BatchNormalization { .. }
            | Self::Activation { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Concatenate
            | Self::Add { .. }
            | Self::Multiply { .. } => None,
        }
    }

    /// How many inputs one output reads: the fan-in of the kernel, 0 for layers without one.
    pub const fn fan_in(&self) -> usize {
        match self.kernel() {
            Some((fan_in, _)) => fan_in,
            None => 0,
        }
    }

    /// Whether each output channel has a bias.
    pub const fn use_bias(&self) -> bool {
        matches!(self.kernel(), Some((_, true)))
    }

    /// Whether the output begins as the first input, which is then changed in place.
    pub(crate) const fn begins_as_its_first_input(&self) -> bool {
        match self {
            Self::Add { .. } | Self::Multiply { .. } | Self::Activation { .. } => true,
            Self::Input
            | Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::Dense { .. }
            | Self::MaxPooling2D { .. }
            | Self::GlobalMaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D { .. }
            | Self::Flatten
            | Self::Reshape
            | Self::Dropout { .. }
            | Self::BatchNormalization { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Concatenate => false,
        }
    }

    /// Whether the output is the input's values as they are: in any pass, or, for a dropout, in inference alone.
    pub const fn is_alias(&self, training: bool) -> bool {
        match self {
            Self::Flatten | Self::Reshape => true,
            Self::Dropout { .. } => !training,
            Self::Activation { activation } => activation.is_linear(),
            Self::Input
            | Self::Conv2D { .. }
            | Self::DepthwiseConv2D { .. }
            | Self::MaxPooling2D { .. }
            | Self::GlobalMaxPooling2D { .. }
            | Self::AveragePooling2D { .. }
            | Self::GlobalAveragePooling2D { .. }
            | Self::Dense { .. }
            | Self::BatchNormalization { .. }
            | Self::ZeroPadding2D { .. }
            | Self::Concatenate
            | Self::Add { .. }
            | Self::Multiply { .. } => false,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of operations that a network has, as a type: a walk over its nodes links no kernel of any other.
pub trait Uses {
    /// One bit for each kind, and for each activation.
    const BITS: u32;
    /// The most units of any dense layer. A bound that the compiler knows saves a fifth of the code around a dense
    /// kernel.
    const UNITS: u32;
}

/// The kinds whose bits are set in `BITS`, and dense layers of at most `UNITS` units; see [`Uses`].
#[derive(Clone, Copy, Debug)]
pub struct Ops<const BITS: u32, const UNITS: u32 = { u32::MAX }>;

impl<const BITS: u32, const UNITS: u32> Uses for Ops<BITS, UNITS> {
    const BITS: u32 = BITS;
    const UNITS: u32 = UNITS;
}

/// Every kind: of a network that is known only when the program runs.
pub type AllOps = Ops<{ u32::MAX }>;
