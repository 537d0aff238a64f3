//! Scale and zero point of a tensor.

/// Scale and zero point: the real value of `q` is `scale * (q - zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Affine {
    /// The real distance of two neighbouring values.
    pub scale: f32,
    /// The value that stands for 0.
    pub zero_point: i8,
}

impl Affine {
    /// TFLite's output of softmax and sigmoid: probabilities in steps of 1/256.
    pub const PROBABILITY: Self = Self { scale: 1.0 / 256.0, zero_point: -128 };
    /// TFLite's output of tanh.
    pub const TANH: Self = Self { scale: 1.0 / 128.0, zero_point: 0 };

    /// The parameters that spread -128..=127 over `min..=max`, widened to hold 0 exactly; TFLite's nudged range.
    ///
    /// A range of nothing but 0 has scale 1, as has one that is infinite. An end that is NaN counts as 0.
    pub fn from_range(min: f32, max: f32) -> Self {
        let (min, max) = (min.min(0.0), max.max(0.0));
        let width = max - min;
        let quotient = if width.is_finite() { width / 255.0 } else { max / 255.0 - min / 255.0 };
        if width == 0.0 || quotient.is_infinite() {
            return Self { scale: 1.0, zero_point: 0 };
        }
        let scale = scale_of(quotient);
        let zero_point = libm::roundf(-128.0 - min / scale).clamp(-128.0, 127.0) as i8;
        Self { scale, zero_point }
    }

    /// The nearest int8 to a real value. Halves are rounded away from the zero point, as in TFLite's `AffineQuantize`.
    pub fn quantize(self, value: f32) -> i8 {
        (libm::roundf(value / self.scale) + f32::from(self.zero_point)).clamp(-128.0, 127.0) as i8
    }

    /// The real value of an int8.
    pub fn dequantize(self, value: i8) -> f32 {
        self.scale * f32::from(i16::from(value) - i16::from(self.zero_point))
    }
}

/// A range divided by its steps, as a scale: never 0. Numbers below the normal ones lie so far apart that the nearest
/// to the quotient may be far too small; the one above is not.
pub(crate) fn scale_of(quotient: f32) -> f32 {
    if quotient.is_normal() { quotient } else { f32::from_bits(quotient.to_bits() + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_any_size_are_held_within_a_step() {
        for width in [f32::MAX, 1e30, 255.0, 1.0, 1e-30, 1e-36, 1e-38, 5e-43, 1e-44, 1e-45] {
            for [min, max] in [[0.0, width], [-width, 0.0], [-width, width], [-width / 3.0, width]] {
                let affine = Affine::from_range(min, max);
                for value in [min, min / 2.0, 0.0, max / 3.0, max] {
                    // In f64: the values below the normal ones have no halves, and the largest no doubles.
                    let step = f64::from(affine.scale);
                    let held = step * f64::from(i16::from(affine.quantize(value)) - i16::from(affine.zero_point));
                    // One step more at an end, where the zero point was rounded.
                    assert!((held - f64::from(value)).abs() <= 1.01 * step, "{value:e} of {min:e}..{max:e}: {held:e}");
                }
                assert_eq!(affine.quantize(0.0), affine.zero_point, "{min:e}..{max:e}");
            }
        }
    }

    #[test]
    fn halves_are_rounded_before_the_zero_point_is_added() {
        for (zero_point, expected) in [(-128, [-128, -128, -127]), (0, [-1, 0, 1]), (127, [126, 127, 127])] {
            let affine = Affine { scale: 2.0, zero_point };
            assert_eq!([-1.0, 0.0, 1.0].map(|value| affine.quantize(value)), expected, "zero point {zero_point}");
        }
    }

    #[test]
    fn what_is_no_range_has_scale_1() {
        const NO: f32 = f32::NAN;
        for [min, max] in [[0.0, -0.0], [2.0, -2.0], [NO, NO], [0.0, f32::INFINITY], [f32::NEG_INFINITY, f32::INFINITY]]
        {
            assert_eq!(Affine::from_range(min, max), Affine { scale: 1.0, zero_point: 0 }, "{min}..{max}");
        }
        assert_eq!(Affine::from_range(NO, 255.0), Affine { scale: 1.0, zero_point: -128 });
    }
}
