//! The product of two quantised tensors.

use super::fixed_point::clamp;
use super::{QuantizedMultiplier, quantize_multiplier};

/// A quantised product, value by value: `clamp(zero_point + round(factor * (a - zero_a) * (b - zero_b)))`. TFLite's
/// `MUL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MulS8 {
    /// Zero points of the inputs. The first is the one whose place the product takes.
    pub input_zero_points: [i8; 2],
    /// What brings a product to the output's scale.
    pub factor: QuantizedMultiplier,
    /// The output's zero point.
    pub zero_point: i8,
    /// The least and the largest output, in this order.
    pub activation: [i8; 2],
}

impl MulS8 {
    /// The factor for inputs and an output of these scales. As in TFLite's `Prepare` of `MUL`, it is an `f32` first.
    pub const fn factor(inputs: [f32; 2], output: f32) -> QuantizedMultiplier {
        quantize_multiplier((inputs[0] * inputs[1] / output) as f64)
    }

    /// The output for a value of each input.
    #[inline(always)]
    pub const fn apply(&self, values: [i8; 2]) -> i8 {
        let a = values[0] as i32 - self.input_zero_points[0] as i32;
        let b = values[1] as i32 - self.input_zero_points[1] as i32;
        clamp(self.factor.apply(a * b), self.zero_point, self.activation)
    }

    /// Whether the arithmetic is defined for these numbers.
    pub fn is_consistent(&self) -> bool {
        self.factor.is_valid() && self.activation[0] <= self.activation[1]
    }
}
