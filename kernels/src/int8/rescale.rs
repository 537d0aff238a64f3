//! Another scale and zero point, and what else is linear on both sides of zero.

use super::fixed_point::clamp;
use super::{Affine, QuantizedMultiplier, quantize_multiplier};

/// A quantised function of one value that is linear above zero and linear below:
/// `clamp(zero_point + round(factor * (q - input_zero_point)))`. TFLite's `RELU`, `RELU6` and `LEAKY_RELU`, where they
/// stand alone, and `QUANTIZE` of an int8 tensor, which brings the inputs of a `CONCATENATION` to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RescaleS8 {
    /// The input's zero point.
    pub input_zero_point: i8,
    /// What brings a value to the output's scale: one below zero, and any other.
    pub factors: [QuantizedMultiplier; 2],
    /// The output's zero point.
    pub zero_point: i8,
    /// The least and the largest output, in this order.
    pub activation: [i8; 2],
}

impl RescaleS8 {
    /// The same real values with another scale and zero point.
    pub const fn quantize(input: Affine, output: Affine) -> Self {
        let factor = quantize_multiplier(input.scale as f64 / output.scale as f64);
        Self::new(input, output, [factor; 2], [-128, 127])
    }

    /// A relu of any kind: the same real values, within the ends of `activation`. As in TFLite's `ReluPrepare`, the
    /// factor is an `f32` first.
    pub const fn relu(input: Affine, output: Affine, activation: [i8; 2]) -> Self {
        let factor = quantize_multiplier((input.scale / output.scale) as f64);
        Self::new(input, output, [factor; 2], activation)
    }

    /// A leaky relu: below zero `alpha` (not negative) times the real values, above zero the same. As in TFLite's
    /// `LeakyReluPrepare`, factors are `f32` first.
    pub const fn leaky_relu(input: Affine, output: Affine, alpha: f32) -> Self {
        let below = quantize_multiplier((input.scale * alpha / output.scale) as f64);
        let above = quantize_multiplier((input.scale / output.scale) as f64);
        Self::new(input, output, [below, above], [-128, 127])
    }

    const fn new(input: Affine, output: Affine, factors: [QuantizedMultiplier; 2], activation: [i8; 2]) -> Self {
        Self { input_zero_point: input.zero_point, factors, zero_point: output.zero_point, activation }
    }

    /// The output for a value.
    #[inline(always)]
    pub const fn apply(&self, value: i8) -> i8 {
        let value = value as i32 - self.input_zero_point as i32;
        clamp(self.factors[(value >= 0) as usize].apply(value), self.zero_point, self.activation)
    }

    /// Whether the arithmetic is defined for these numbers.
    pub fn is_consistent(&self) -> bool {
        self.factors.iter().all(|factor| factor.is_valid()) && self.activation[0] <= self.activation[1]
    }
}
