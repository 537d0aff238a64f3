//! Dot products of bytes along rows, 16 at a time.

use core::arch::aarch64::{int8x16_t, int32x4_t, vdupq_n_s32, vld1q_s8, vpaddq_s32, vst1q_s32};

use crate::arch::generic::requantize::lanes;

/// Inputs of a step.
pub(super) const STEP: usize = 16;
pub(super) type Sums = int32x4_t;

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn zero() -> Sums {
    vdupq_n_s32(0)
}

/// The inputs of a step.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn inputs(step: &[i8; STEP]) -> int8x16_t {
    // SAFETY: the array is as long as the vector.
    unsafe { vld1q_s8(step.as_ptr()) }
}

/// Adds the products of inputs and weights.
///
/// # Safety
///
/// `STEP` weights must be readable.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn dot(sums: Sums, weights: *const i8, inputs: int8x16_t) -> Sums {
    // SAFETY: the caller's promise.
    let weights = unsafe { vld1q_s8(weights) };
    add_products(sums, weights, inputs)
}

#[cfg(target_feature = "dotprod")]
#[inline]
#[target_feature(enable = "neon")]
fn add_products(sums: Sums, weights: int8x16_t, inputs: int8x16_t) -> Sums {
    use core::arch::aarch64::vreinterpretq_s32_s8;
    super::vector_s8::dot(sums, vreinterpretq_s32_s8(inputs), vreinterpretq_s32_s8(weights))
}

#[cfg(not(target_feature = "dotprod"))]
#[inline]
#[target_feature(enable = "neon")]
fn add_products(sums: Sums, weights: int8x16_t, inputs: int8x16_t) -> Sums {
    use core::arch::aarch64::{vget_low_s8, vmull_high_s8, vmull_s8, vpadalq_s16};
    let low = vmull_s8(vget_low_s8(weights), vget_low_s8(inputs));
    vpadalq_s16(vpadalq_s16(sums, low), vmull_high_s8(weights, inputs))
}

/// As [`dot`], of less than a step.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn dot_part(sums: Sums, weights: &[i8], inputs: int8x16_t) -> Sums {
    let weights: [i8; STEP] = lanes(weights);
    // SAFETY: the array is one step.
    unsafe { dot(sums, weights.as_ptr(), inputs) }
}

/// Products are what they should be.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn correct(sums: Sums, _inputs: int8x16_t) -> Sums {
    sums
}

/// The lanes of each row's sums, added.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn totals([a, b, c, d]: [Sums; 4]) -> [i32; 4] {
    let total = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
    let mut sums = [0; 4];
    // SAFETY: the array is as long as the vector.
    unsafe { vst1q_s32(sums.as_mut_ptr(), total) };
    sums
}
