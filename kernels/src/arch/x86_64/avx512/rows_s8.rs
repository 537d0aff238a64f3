//! Dot products of bytes along rows, 64 at a time.

use core::arch::x86_64::{
    __m512i, _mm256_add_epi32, _mm512_castsi512_si256, _mm512_dpbusd_epi32, _mm512_extracti64x4_epi64,
    _mm512_loadu_si512, _mm512_maskz_loadu_epi8, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_sub_epi32,
    _mm512_xor_si512,
};

use super::vector_s8::first_bytes;
use crate::arch::x86_64::rows_s8::add_lanes;

/// Inputs of a step.
pub(super) const STEP: usize = 64;
pub(super) type Sums = __m512i;

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn zero() -> Sums {
    _mm512_setzero_si512()
}

/// The inputs of a step.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn inputs(step: &[i8; STEP]) -> __m512i {
    // SAFETY: the array is as long as the vector.
    unsafe { _mm512_loadu_si512(step.as_ptr().cast()) }
}

/// Adds the products of inputs and weights, but of weights that are 128 larger: the instruction multiplies unsigned by
/// signed bytes.
///
/// # Safety
///
/// `STEP` weights must be readable.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn dot(sums: Sums, weights: *const i8, inputs: __m512i) -> Sums {
    // SAFETY: the caller's promise.
    let weights = unsafe { _mm512_loadu_si512(weights.cast()) };
    _mm512_dpbusd_epi32(sums, _mm512_xor_si512(weights, _mm512_set1_epi8(i8::MIN)), inputs)
}

/// As [`dot`], of less than a step.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn dot_part(sums: Sums, weights: &[i8], inputs: __m512i) -> Sums {
    let mask = first_bytes(weights.len());
    // SAFETY: the mask leaves out what lies behind the weights.
    let weights = unsafe { _mm512_maskz_loadu_epi8(mask, weights.as_ptr()) };
    _mm512_dpbusd_epi32(sums, _mm512_xor_si512(weights, _mm512_set1_epi8(i8::MIN)), inputs)
}

/// Takes off 128 times the inputs.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn correct(sums: Sums, inputs: __m512i) -> Sums {
    let taken = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(i8::MIN), inputs);
    _mm512_sub_epi32(sums, taken)
}

/// The lanes of each row's sums, added.
#[inline]
#[target_feature(enable = "avx512f,avx2")]
pub(super) fn totals(sums: [Sums; 8]) -> [i32; 8] {
    let halves = sums.map(|row| _mm256_add_epi32(_mm512_castsi512_si256(row), _mm512_extracti64x4_epi64::<1>(row)));
    add_lanes(halves)
}
