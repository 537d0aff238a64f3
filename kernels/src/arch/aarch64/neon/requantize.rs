//! Accumulators to int8 outputs, 4 channels at a time. NEON's rounding instructions are those that TFLite's arithmetic
//! was made after.

use core::arch::aarch64::{
    int64x2_t, vaddq_s32, vaddq_s64, vandq_s32, vdupq_n_s32, vget_low_s32, vmaxq_s32, vminq_s32, vmovl_high_s32,
    vmovl_s32, vmull_high_s32, vmull_s32, vqaddq_s32, vqmovn_high_s64, vqmovn_s64, vqrdmulhq_s32, vqshlq_s32,
    vrshlq_s32, vrshlq_s64, vshrq_n_s32, vshrq_n_s64, vst1q_s32,
};

use super::vector_s8::{self as vector, LANES, Vector};
use crate::arch::generic::requantize::Channels;
use crate::int8::Requantize;

/// What both kinds of layers do at last.
struct Clamp {
    zero_point: Vector,
    low: Vector,
    high: Vector,
}

impl Clamp {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new(channels: &Channels<LANES>) -> Self {
        Self {
            zero_point: vdupq_n_s32(channels.zero_point),
            low: vdupq_n_s32(channels.range[0]),
            high: vdupq_n_s32(channels.range[1]),
        }
    }

    /// Stores the clamped outputs of the first channels.
    #[inline]
    #[target_feature(enable = "neon")]
    fn store(&self, scaled: Vector, output: &mut [i8]) {
        let words = vaddq_s32(vminq_s32(vmaxq_s32(scaled, self.low), self.high), self.zero_point);
        let mut all = [0; LANES];
        // SAFETY: the array is as long as the vector.
        unsafe { vst1q_s32(all.as_mut_ptr(), words) };
        for (output, word) in output.iter_mut().zip(all) {
            *output = word as i8;
        }
    }
}

/// Rounds twice, as [`multiply_by_quantized_multiplier`](crate::int8::multiply_by_quantized_multiplier) does.
pub(super) struct ConvScale {
    multiplier: Vector,
    left: Vector,
    /// Never positive: the instruction shifts left.
    right: Vector,
    clamp: Clamp,
}

impl ConvScale {
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn new(requantize: &Requantize<'_>, first: usize) -> Self {
        let channels = Channels::<LANES>::new(requantize, first);
        let (shift, zero) = (vector::from_array(channels.shift), vdupq_n_s32(0));
        Self {
            multiplier: vector::from_array(channels.multiplier),
            left: vmaxq_s32(shift, zero),
            right: vminq_s32(shift, zero),
            clamp: Clamp::new(&channels),
        }
    }

    /// The outputs of the first channels.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn apply(&self, sums: Vector, output: &mut [i8]) {
        let scaled = vqrdmulhq_s32(vqshlq_s32(sums, self.left), self.multiplier);
        // The instruction rounds halves up; negative numbers that are divided at all become 1 less before.
        let away = vshrq_n_s32::<31>(vandq_s32(scaled, self.right));
        self.clamp.store(vrshlq_s32(vqaddq_s32(scaled, away), self.right), output);
    }
}

/// Rounds once, as [`multiply_rounding_once`](crate::int8::multiply_rounding_once) does.
pub(super) struct DenseScale {
    multiplier: Vector,
    /// Always negative: the instruction shifts left.
    places: Vector,
    clamp: Clamp,
}

impl DenseScale {
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn new(requantize: &Requantize<'_>, first: usize) -> Self {
        let channels = Channels::<LANES>::new(requantize, first);
        Self {
            multiplier: vector::from_array(channels.multiplier),
            places: vector::from_array(channels.shift.map(|shift| shift - 31)),
            clamp: Clamp::new(&channels),
        }
    }

    /// The outputs of the first units.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn apply(&self, sums: Vector, output: &mut [i8]) {
        let low = vmull_s32(vget_low_s32(sums), vget_low_s32(self.multiplier));
        let low = rounded(low, vmovl_s32(vget_low_s32(self.places)));
        let high = rounded(vmull_high_s32(sums, self.multiplier), vmovl_high_s32(self.places));
        self.clamp.store(vqmovn_high_s64(vqmovn_s64(low), high), output);
    }
}

/// `round(product * 2^places)`, halves away from zero: the instruction rounds them up.
#[inline]
#[target_feature(enable = "neon")]
fn rounded(product: int64x2_t, places: int64x2_t) -> int64x2_t {
    vrshlq_s64(vaddq_s64(product, vshrq_n_s64::<63>(product)), places)
}
