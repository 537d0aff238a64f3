//! Why a blob cannot be written, or put into another order.

use alloc::string::String;
use core::fmt;

use super::BlobError;
use crate::geometry::Geometry;
use crate::graph::Activation;
use crate::input::Scaling;
use crate::int8::{MeanS8, PackError, QuantizedMultiplier, Requantize, SoftmaxS8};

/// Why a blob cannot be written. What is written can be read.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WriteError {
    /// The graph is no network.
    Graph {
        /// Why, as its [check](crate::graph::Graph::check) says.
        reason: String,
    },
    /// The quantised network has other steps, or tensors of other lengths, than the network.
    Mismatch {
        /// The first layer that does not fit.
        layer: String,
    },
    /// Weights cannot be put into the family's order.
    Pack {
        /// The layer.
        layer: String,
        /// The weight.
        error: PackError,
    },
    /// The scale of the input or of a step's output is not a positive number.
    Scale {
        /// The layer; `None` for the network's input.
        layer: Option<String>,
        /// The scale.
        scale: f32,
    },
    /// A channel's multiplier is negative.
    Multiplier {
        /// The layer.
        layer: String,
        /// The filter or unit.
        channel: usize,
        /// The multiplier.
        multiplier: i32,
    },
    /// A channel's shift is not in [`Requantize::SHIFTS`].
    Shift {
        /// The layer.
        layer: String,
        /// The filter or unit.
        channel: usize,
        /// The shift.
        shift: i8,
    },
    /// The least output is above the largest.
    Activation {
        /// The layer.
        layer: String,
        /// The least and the largest output.
        activation: [i8; 2],
    },
    /// What follows on a layer is not what its activation asks for.
    After {
        /// The layer.
        layer: String,
        /// Its activation.
        activation: Activation,
    },
    /// The sum of a channel may leave 32 bits.
    Outgrown {
        /// The layer.
        layer: String,
        /// The filter or unit.
        channel: usize,
        /// How far the sum reaches.
        sum: i64,
    },
    /// The arithmetic of a softmax is not defined for its parameters.
    Softmax {
        /// The layer.
        layer: String,
        /// The parameters.
        softmax: SoftmaxS8,
    },
    /// A softmax of more than [`SoftmaxS8::MAX_CLASSES`].
    Classes {
        /// The layer.
        layer: String,
        /// Its classes.
        classes: usize,
    },
    /// The factors of a sum are out of range: those of its inputs are at most 1, and none is negative.
    Sum {
        /// The layer.
        layer: String,
        /// The factors.
        factors: [QuantizedMultiplier; 3],
    },
    /// A mean of more than [`MeanS8::MAX_COUNT`] values.
    Mean {
        /// The layer.
        layer: String,
        /// The window that it runs over.
        geometry: Geometry,
    },
    /// A size of the layer does not fit 16 bits, or, of a dense layer, 32.
    Size {
        /// The layer.
        layer: String,
    },
    /// There are names for some of the classes, or for more than there are.
    Labels {
        /// How many names.
        labels: usize,
        /// How many classes.
        classes: usize,
    },
    /// There is neither one scaling nor one for each channel.
    Scalings {
        /// How many scalings.
        scalings: usize,
        /// How many channels the input has.
        channels: usize,
    },
    /// A scaling gives no finite number for any raw value.
    Scaling {
        /// The channel, or 0 where one scaling is for all.
        channel: usize,
        /// The scaling.
        scaling: Scaling,
    },
    /// There are names for some of a table's columns, or for more than there are.
    Columns {
        /// How many names.
        columns: usize,
        /// How many channels the input has.
        channels: usize,
        /// How many values it has.
        values: usize,
    },
    /// Likewise for what is wanted.
    Targets {
        /// How many names.
        targets: usize,
        /// How many outputs the network has.
        outputs: usize,
    },
    /// The blob or the network's values would be 4 GiB or more, or there are 65,536 steps.
    TooLarge,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const POSITIVE: &str = "must be positive and finite";
        match self {
            Self::Graph { reason } => f.write_str(reason),
            Self::Mismatch { layer } => write!(f, "the quantised tensors do not fit layer `{layer}`"),
            Self::Pack { layer, error } => write!(f, "layer `{layer}`: {error}"),
            Self::Scale { layer: None, scale } => write!(f, "the input's scale is {scale:?}, but {POSITIVE}"),
            Self::Scale { layer: Some(layer), scale } => {
                write!(f, "layer `{layer}`: the output's scale is {scale:?}, but {POSITIVE}")
            }
            Self::Multiplier { layer, channel, multiplier } => {
                write!(f, "layer `{layer}`: the multiplier of channel {channel} is {multiplier}, but must be 0 or more")
            }
            Self::Shift { layer, channel, shift } => {
                let shifts = Requantize::SHIFTS;
                write!(f, "layer `{layer}`: the shift of channel {channel} is {shift}, but must be in {shifts:?}")
            }
            Self::Activation { layer, activation: [least, largest] } => {
                write!(f, "layer `{layer}`: the least output is {least}, but must be at most the largest, {largest}")
            }
            Self::After { layer, activation } => write!(
                f,
                "what follows on layer `{layer}` must be what its activation asks for, which is {activation:?}: nothing \
                 for a linear one and for one that only clamps, a softmax for softmax, and else a table"
            ),
            Self::Outgrown { layer, channel, sum } => write!(
                f,
                "layer `{layer}`: the sum of channel {channel} can reach {sum}, but must stay in {}..={}, the range \
                 of 32 bits",
                i32::MIN,
                i32::MAX
            ),
            Self::Softmax { layer, softmax: SoftmaxS8 { multiplier, left_shift, diff_min } } => write!(
                f,
                "layer `{layer}`: the softmax has multiplier {multiplier}, left shift {left_shift} and least \
                 difference {diff_min}, but must have 0 or more, at most 31, and 0 or less"
            ),
            Self::Classes { layer, classes } => {
                let most = SoftmaxS8::MAX_CLASSES;
                write!(f, "layer `{layer}` has a softmax of {classes} classes, but int8 softmax has at most {most}")
            }
            Self::Sum { layer, factors } => {
                write!(
                    f,
                    "layer `{layer}`: the factors are {factors:?}, but none may be negative, nor that of a sum's \
                     input above 1"
                )
            }
            Self::Mean { layer, geometry } => {
                let most = MeanS8::MAX_COUNT;
                write!(
                    f,
                    "layer `{layer}`: an int8 mean is of at most {most} values, but the window is that of {geometry}"
                )
            }
            Self::Size { layer } => {
                write!(f, "layer `{layer}` has a size of more than 65535, the most that a blob holds")
            }
            Self::Labels { labels, classes } => {
                write!(f, "there are {labels} labels, but must be none or {classes}, one for each class")
            }
            Self::Scalings { scalings, channels } => write!(
                f,
                "there are {scalings} scalings, but must be one for all values or {channels}, one for each channel of \
                 the input"
            ),
            Self::Scaling { channel, scaling: Scaling { mean, deviation } } => write!(
                f,
                "the scaling of channel {channel} has mean {mean:?} and deviation {deviation:?}, but both must be \
                 finite, and the deviation not 0"
            ),
            Self::Columns { columns, channels, values } => write!(
                f,
                "there are {columns} names of columns, but must be none, {channels}, one for each channel of the \
                 input, or {values}, one for each of its values"
            ),
            Self::Targets { targets, outputs } => write!(
                f,
                "there are {targets} names of columns of targets, but must be none, one, or {outputs}, one for each \
                 output"
            ),
            Self::TooLarge => f.write_str(
                "the blob or the values of the network would be 4 GiB or more, or there are 65536 steps or more",
            ),
        }
    }
}

impl core::error::Error for WriteError {}

/// Why a blob cannot be put into another order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RepackError {
    /// The blob cannot be read.
    Read(BlobError),
    /// It cannot be written.
    Write(WriteError),
}

impl fmt::Display for RepackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RepackError {}
