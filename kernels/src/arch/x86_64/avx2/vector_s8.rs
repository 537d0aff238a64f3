//! The few vector operations that the int8 kernels are made of: 8 sums of products of halfwords, two to a lane.
//!
//! The instruction that multiplies bytes saturates at 16 bits, so bytes are widened once and multiplied as halfwords.

use core::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_max_epi32, _mm256_permute2x128_si256, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_storeu_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use crate::arch::generic::requantize::lanes;

pub(super) const LANES: usize = 8;
/// Values of a word.
pub(super) const GROUP: usize = 2;
/// Inputs stay what they are.
pub(super) const OFFSET: i32 = 0;
/// An input in the image.
pub(super) type Value = i16;
pub(super) type Vector = __m256i;
pub(super) type Sums = __m256i;

#[inline(always)]
pub(super) fn value(input: i8) -> Value {
    i16::from(input)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn zero() -> Sums {
    _mm256_setzero_si256()
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn splat(x: i32) -> Vector {
    _mm256_set1_epi32(x)
}

/// One lane an element.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn from_array(array: [i32; LANES]) -> Vector {
    // SAFETY: the array is as long as the vector.
    unsafe { load(array.as_ptr()) }
}

/// Adds, lane by lane, the products of two inputs and two weights.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn dot(sums: Sums, inputs: Vector, weights: Vector) -> Sums {
    _mm256_add_epi32(sums, _mm256_madd_epi16(inputs, weights))
}

/// Adds, lane by lane, two weights.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add_values(sums: Sums, weights: Vector) -> Sums {
    dot(sums, _mm256_set1_epi16(1), weights)
}

/// The sums, one a lane.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn total(sums: Sums) -> Vector {
    sums
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add(a: Vector, b: Vector) -> Vector {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn max(a: Vector, b: Vector) -> Vector {
    _mm256_max_epi32(a, b)
}

/// The word at `from` in every lane.
///
/// # Safety
///
/// Two values must be readable.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn splat_word(from: *const Value) -> Vector {
    // SAFETY: the caller's promise.
    _mm256_set1_epi32(unsafe { from.cast::<i32>().read_unaligned() })
}

/// # Safety
///
/// `LANES` words must be readable.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn load(from: *const i32) -> Vector {
    // SAFETY: the caller's promise.
    unsafe { _mm256_loadu_si256(from.cast()) }
}

/// # Safety
///
/// `LANES` words must be writable.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn store(to: *mut i32, words: Vector) {
    // SAFETY: the caller's promise.
    unsafe { _mm256_storeu_si256(to.cast(), words) }
}

/// Up to a vector's worth of weights, widened, filled up with zeros.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_values(values: &[i8]) -> Vector {
    let values: [i8; GROUP * LANES] = lanes(values);
    // SAFETY: the array is as long as half a vector.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(values.as_ptr().cast()) })
}

/// Transposes the 8 x 8 matrix: first within each lane of four words, then the 2 x 2 lanes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn transpose(rows: [Vector; LANES]) -> [Vector; LANES] {
    let mut fours = rows;
    for i in (0..LANES).step_by(4) {
        let [a, b, c, d] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3]];
        let (low, high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let (low2, high2) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        fours[i] = _mm256_unpacklo_epi64(low, low2);
        fours[i + 1] = _mm256_unpackhi_epi64(low, low2);
        fours[i + 2] = _mm256_unpacklo_epi64(high, high2);
        fours[i + 3] = _mm256_unpackhi_epi64(high, high2);
    }
    // Lane l of fours[4 i + j] now holds column 4 l + j of rows 4 i..4 i + 4.
    let mut columns = fours;
    for j in 0..4 {
        columns[j] = _mm256_permute2x128_si256::<0x20>(fours[j], fours[4 + j]);
        columns[4 + j] = _mm256_permute2x128_si256::<0x31>(fours[j], fours[4 + j]);
    }
    columns
}
