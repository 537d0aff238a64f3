//! Means: of a window, and of a whole tensor.

use super::fixed_point::clamp;
use super::{Affine, QuantizedMultiplier, quantize_multiplier};
use crate::geometry::Geometry;

/// The mean of `count` int8 values whose sum is `sum`, halves away from zero, within the ends of an activation (the
/// least first): an output of TFLite's `AVERAGE_POOL_2D`, which keeps scale and zero point. At a border, `count` is how
/// many values of the window are inside of the input. The mean of no values is 0.
#[inline(always)]
pub const fn average(sum: i32, count: u32, activation: [i8; 2]) -> i8 {
    let magnitude = match sum.unsigned_abs().saturating_add(count / 2).checked_div(count) {
        Some(magnitude) => magnitude as i32,
        None => 0,
    };
    clamp(if sum < 0 { -magnitude } else { magnitude }, 0, activation)
}

/// `ceil(2^24 / count)`, for cores without a division: what [`average`] divides, `n = |sum| + count / 2`, makes
/// `n / count` by a product with it and a shift by 24 bits, for up to [`MOST_BY_RECIPROCAL`] values.
///
/// It is at most `(2^24 + count - 1) / count`, so that the product is at most `n (count - 1) / 2^24 / count` above the
/// quotient. A quotient is at least `1 / count` below the next integer, and `n (count - 1)` is below 2^24, since no
/// magnitude is above 128. Nor is a product above 2^32.
#[cfg(any(test, thumbnet_thumb1))]
pub(crate) const fn reciprocal(count: u32) -> u32 {
    match ((1 << 24) + count - 1).checked_div(count) {
        Some(reciprocal) => reciprocal,
        None => 0,
    }
}

/// See [`reciprocal`].
#[cfg(any(test, thumbnet_thumb1))]
pub(crate) const MOST_BY_RECIPROCAL: usize = 361;

/// A quantised mean over height and width, for an output of any scale:
/// `clamp(zero_point + round(factor * Σ (q - input_zero_point)))`. The factor divides by the number of values, too.
/// TFLite's `MEAN`, to which a GlobalAveragePooling2D is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeanS8 {
    /// What the input's zero point adds to a sum: `-input_zero_point * count`.
    pub offset: i32,
    /// What brings a sum to the output's scale: `input_scale / output_scale / count`.
    pub factor: QuantizedMultiplier,
    /// The output's zero point.
    pub zero_point: i8,
}

impl MeanS8 {
    /// The most values that a sum runs over: `2^23 * 255 < 2^31`.
    pub const MAX_COUNT: usize = 1 << 23;

    /// Whether the sums over a window are below 2^31.
    pub const fn is_window(geometry: &Geometry) -> bool {
        let [height, width] = geometry.kernel();
        // A geometry's sizes are below 2^31, so that the product does not wrap in 64 bits.
        height as u64 * width as u64 <= Self::MAX_COUNT as u64
    }

    /// The parameters for a mean of `count` values. TFLite's `QuantizedMeanOrSum` divides the significant bits of
    /// `input_scale / output_scale` by `count`, and rounds them down.
    ///
    /// # Panics
    ///
    /// If `count` is not in `1..=`[`Self::MAX_COUNT`].
    pub const fn new(input: Affine, output: Affine, count: usize) -> Self {
        assert!(0 < count && count <= Self::MAX_COUNT, "an int8 mean is of 1..=2^23 values");
        let ratio = quantize_multiplier(input.scale as f64 / output.scale as f64);
        // So many places more that the quotient has nearly as many bits, as far as the shift has room for them.
        let places = count.ilog2() as i32;
        let room = 31 + ratio.shift as i32;
        let places = if places < room { places } else { room };
        let multiplier = ((ratio.multiplier as i64) << places) / count as i64;
        let factor = QuantizedMultiplier { multiplier: multiplier as i32, shift: (ratio.shift as i32 - places) as i8 };
        Self { offset: -(input.zero_point as i32) * count as i32, factor, zero_point: output.zero_point }
    }

    /// The output for the sum of the input's values.
    #[inline(always)]
    pub const fn apply(&self, sum: i32) -> i8 {
        clamp(self.factor.apply(sum.wrapping_add(self.offset)), self.zero_point, [-128, 127])
    }

    /// Whether the arithmetic is defined for these numbers.
    pub fn is_consistent(&self) -> bool {
        self.factor.is_valid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reciprocal_divides_what_a_mean_is_made_of() {
        for count in 1..=MOST_BY_RECIPROCAL as u32 {
            for n in 0..=128 * count + count / 2 {
                assert_eq!((n * reciprocal(count)) >> 24, n / count, "{n} / {count}");
            }
        }
    }
}
