//! What a network's input stands for, and how a device makes it of raw samples.
//!
//! A network is trained on `scaling.apply(raw)`, and its int8 input is `input.quantize` of that, two divisions of
//! floating point for each value. [`InputTable`] makes the same of bytes, and [`InputMultiplier`] of samples of 16
//! bits, in a few instructions a value and without floating point.

mod multiplier;
mod table;

pub use multiplier::InputMultiplier;
pub use table::InputTable;

#[cfg(feature = "alloc")]
use serde::{Deserialize, Serialize};

/// What a raw value of the input (a pixel, a sample, a column of a table) means: the network takes
/// `(raw - mean) / deviation`, as Keras's `Normalization` layer does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Scaling {
    /// The raw value that becomes 0.
    pub mean: f32,
    /// How much above it becomes 1; never 0.
    pub deviation: f32,
}

impl Scaling {
    /// The network takes raw values as they are.
    pub const NONE: Self = Self { mean: 0.0, deviation: 1.0 };
    /// Bytes from 0 to 255 become 0 to 1, as the Keras tutorial scales pixels.
    pub const UNIT: Self = Self { mean: 0.0, deviation: 255.0 };

    /// Whether it gives a number for every raw value: mean and deviation are finite, and the deviation is not 0.
    pub const fn is_valid(self) -> bool {
        self.mean.is_finite() && self.deviation.is_finite() && self.deviation != 0.0
    }

    /// The network's input for a raw value.
    pub fn apply(self, raw: f32) -> f32 {
        (raw - self.mean) / self.deviation
    }
}

/// What samples are, so that a program knows how one is shown, or made of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Shows {
    /// Numbers, of sensors for one.
    #[default]
    Values = 0,
    /// Pictures, grey of one channel or RGB of three, of 0 to 255.
    Pictures = 1,
    /// Handwritten digits as MNIST has them: bright on black, in the middle.
    Digits = 2,
}
