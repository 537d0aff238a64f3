//! The sum of two quantised tensors.

use super::fixed_point::clamp;
use super::{QuantizedMultiplier, quantize_multiplier};

/// A quantised sum: both inputs are brought to one scale with [`AddS8::LEFT_SHIFT`] more bits, added, and requantised.
/// TFLite's `ADD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddS8 {
    /// Zero points of the inputs. The first is the one whose place the sum takes.
    pub input_zero_points: [i8; 2],
    /// What brings each input to the common scale, twice the larger of the two: at most 1/2.
    pub inputs: [QuantizedMultiplier; 2],
    /// What brings the sum to the output's scale.
    pub output: QuantizedMultiplier,
    /// The output's zero point.
    pub zero_point: i8,
    /// The least and the largest output, in this order.
    pub activation: [i8; 2],
}

impl AddS8 {
    /// Bits that the inputs are shifted by before they are scaled.
    pub const LEFT_SHIFT: u32 = 20;

    /// The factors for inputs and an output of these scales: of the inputs, and of the output (TFLite's `Prepare` of
    /// `ADD`).
    pub const fn factors(inputs: [f32; 2], output: f32) -> [QuantizedMultiplier; 3] {
        let [a, b] = [inputs[0] as f64, inputs[1] as f64];
        let common = 2.0 * if a > b { a } else { b };
        let fixed = quantize_multiplier(common / ((1 << Self::LEFT_SHIFT) as f64 * output as f64));
        [quantize_multiplier(a / common), quantize_multiplier(b / common), fixed]
    }

    /// The output for a value of each input.
    #[inline(always)]
    pub const fn apply(&self, values: [i8; 2]) -> i8 {
        let a = self.scaled(0, values[0]);
        let b = self.scaled(1, values[1]);
        clamp(self.output.apply(a + b), self.zero_point, self.activation)
    }

    /// A value of an input on the common scale. Its magnitude is below 2^28 where [`Self::is_valid`].
    #[inline(always)]
    const fn scaled(&self, input: usize, value: i8) -> i32 {
        let shifted = (value as i32 - self.input_zero_points[input] as i32) << Self::LEFT_SHIFT;
        self.inputs[input].apply(shifted)
    }

    /// Whether the arithmetic is defined for these numbers.
    pub(crate) fn is_valid(&self) -> bool {
        let halves = self.inputs.iter().all(|factor| factor.is_valid() && factor.shift <= 0);
        halves && self.output.is_valid() && self.activation[0] <= self.activation[1]
    }
}
