//! Dot products of bytes along rows, 16 at a time.

use core::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_madd_epi16, _mm256_setzero_si256,
};

use crate::arch::generic::requantize::lanes;
use crate::arch::x86_64::rows_s8::add_lanes;

/// Inputs of a step.
pub(super) const STEP: usize = 16;
pub(super) type Sums = __m256i;

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn zero() -> Sums {
    _mm256_setzero_si256()
}

/// The inputs of a step, widened.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn inputs(step: &[i8; STEP]) -> __m256i {
    // SAFETY: the array is as long as half a vector.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(step.as_ptr().cast()) })
}

/// Adds the products of inputs and weights.
///
/// # Safety
///
/// `STEP` weights must be readable.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dot(sums: Sums, weights: *const i8, inputs: __m256i) -> Sums {
    // SAFETY: the caller's promise.
    let weights = _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(weights.cast()) });
    _mm256_add_epi32(sums, _mm256_madd_epi16(inputs, weights))
}

/// As [`dot`], of less than a step.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn dot_part(sums: Sums, weights: &[i8], inputs: __m256i) -> Sums {
    let weights: [i8; STEP] = lanes(weights);
    // SAFETY: the array is one step.
    unsafe { dot(sums, weights.as_ptr(), inputs) }
}

/// Products are what they should be.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn correct(sums: Sums, _inputs: __m256i) -> Sums {
    sums
}

/// The lanes of each row's sums, added.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn totals(sums: [Sums; 8]) -> [i32; 8] {
    add_lanes(sums)
}
