//! Why a network cannot be quantised.

use alloc::string::String;
use core::fmt;

use crate::geometry::Geometry;
use crate::int8::{MeanS8, SoftmaxS8};

/// Why a network cannot be quantised.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum QuantizeError {
    /// Not as many weights as the network has parameters.
    Weights {
        /// How many there are.
        len: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The calibration has not as many layers as the network.
    Layers {
        /// How many it has.
        len: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The calibration has no range for a layer's output: an end is NaN or infinite, or the least value is above the
    /// largest.
    Range {
        /// The layer.
        layer: String,
        /// Its range.
        range: [f32; 2],
    },
    /// As [`QuantizeError::Range`], for the network's input, whose range may not be nothing but 0 either: no scale
    /// follows.
    InputRange {
        /// The range.
        range: [f32; 2],
    },
    /// A weight or bias of this layer is NaN or infinite.
    NotFinite {
        /// The layer.
        layer: String,
    },
    /// This layer's weights are too large beside its outputs for fixed-point arithmetic: the real multiplier is 2^30 or
    /// more.
    Scale {
        /// The layer.
        layer: String,
        /// The multiplier, `input scale x weight scale / output scale`.
        multiplier: f64,
    },
    /// The accumulator of a channel can outgrow 32 bits.
    Sum {
        /// The layer.
        layer: String,
        /// The filter or unit.
        channel: usize,
        /// How far the sum reaches.
        sum: i64,
    },
    /// A mean of more than [`MeanS8::MAX_COUNT`] values.
    Mean {
        /// The layer.
        layer: String,
        /// The window that it runs over.
        geometry: Geometry,
    },
    /// A softmax of more than [`SoftmaxS8::MAX_CLASSES`].
    Classes {
        /// The layer.
        layer: String,
        /// Its classes.
        classes: usize,
    },
}

impl fmt::Display for QuantizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// What every range must be, and where those come from that are not.
        const MUST_BE: &str = "must be finite, the least value first (NaN comes of a calibration that saw nothing, or \
            values that are not finite, or of a percentile that is not above 50 and at most 100)";
        match self {
            Self::Weights { len, needed } => write!(f, "there are {len} weights, but the network has {needed}"),
            Self::Layers { len, needed } => {
                write!(f, "the calibration has the ranges of {len} layers, but the network has {needed}")
            }
            Self::Range { layer, range: [min, max] } => {
                write!(f, "layer `{layer}` has the calibrated range {min:?} to {max:?}, but it {MUST_BE}")
            }
            Self::InputRange { range: [0.0, 0.0] } => f.write_str(
                "the input has the calibrated range 0.0 to 0.0, but must hold other values for a scale to follow",
            ),
            Self::InputRange { range: [min, max] } => {
                write!(f, "the input has the calibrated range {min:?} to {max:?}, but it {MUST_BE}")
            }
            Self::NotFinite { layer } => write!(f, "layer `{layer}` has a weight or bias that is NaN or infinite"),
            Self::Scale { layer, multiplier } => write!(
                f,
                "layer `{layer}` would need a multiplier of {multiplier:e}, but it must be below 2^30: its weights \
                 are too large beside its calibrated outputs"
            ),
            Self::Sum { layer, channel, sum } => write!(
                f,
                "layer `{layer}`: the sum of channel {channel} can reach {sum}, but must stay in {}..={}, the range \
                 of 32 bits",
                i32::MIN,
                i32::MAX
            ),
            Self::Mean { layer, geometry } => {
                let most = MeanS8::MAX_COUNT;
                write!(
                    f,
                    "layer `{layer}`: an int8 mean is of at most {most} values, but the window is that of {geometry}"
                )
            }
            Self::Classes { layer, classes } => {
                let most = SoftmaxS8::MAX_CLASSES;
                write!(f, "layer `{layer}` has a softmax of {classes} classes, but int8 softmax has at most {most}")
            }
        }
    }
}

impl core::error::Error for QuantizeError {}
