//! The few vector operations that the int8 kernels are made of: 16 sums of products of bytes, four to a lane.

use core::arch::x86_64::{
    __m512i, __mmask64, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_maskz_loadu_epi8,
    _mm512_max_epi32, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_i32x4,
    _mm512_storeu_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

pub(super) const LANES: usize = 16;
/// Values of a word.
pub(super) const GROUP: usize = 4;
/// The instruction multiplies unsigned by signed bytes: inputs are the unsigned ones, 128 larger than they are.
pub(super) const OFFSET: i32 = 128;
/// An input in the image.
pub(super) type Value = u8;
pub(super) type Vector = __m512i;
pub(super) type Sums = __m512i;

#[inline(always)]
pub(super) fn value(input: i8) -> Value {
    input as u8 ^ 0x80
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn zero() -> Sums {
    _mm512_setzero_si512()
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn splat(x: i32) -> Vector {
    _mm512_set1_epi32(x)
}

/// One lane an element.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn from_array(array: [i32; LANES]) -> Vector {
    // SAFETY: the array is as long as the vector.
    unsafe { load(array.as_ptr()) }
}

/// Adds, lane by lane, the products of four inputs and four weights.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn dot(sums: Sums, inputs: Vector, weights: Vector) -> Sums {
    _mm512_dpbusd_epi32(sums, inputs, weights)
}

/// Adds, lane by lane, four weights.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn add_values(sums: Sums, weights: Vector) -> Sums {
    _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(1), weights)
}

/// The sums, one a lane.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn total(sums: Sums) -> Vector {
    sums
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn max(a: Vector, b: Vector) -> Vector {
    _mm512_max_epi32(a, b)
}

/// The word at `from` in every lane.
///
/// # Safety
///
/// Four bytes must be readable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn splat_word(from: *const Value) -> Vector {
    // SAFETY: the caller's promise.
    _mm512_set1_epi32(unsafe { from.cast::<i32>().read_unaligned() })
}

/// # Safety
///
/// `LANES` words must be readable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn load(from: *const i32) -> Vector {
    // SAFETY: the caller's promise.
    unsafe { _mm512_loadu_si512(from.cast()) }
}

/// # Safety
///
/// `LANES` words must be writable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn store(to: *mut i32, words: Vector) {
    // SAFETY: the caller's promise.
    unsafe { _mm512_storeu_si512(to.cast(), words) }
}

/// The mask of the first `count` bytes, at most all.
#[inline(always)]
pub(super) fn first_bytes(count: usize) -> __mmask64 {
    1u64.checked_shl(count as u32).map_or(u64::MAX, |end| end - 1)
}

/// Up to a vector's worth of weights, filled up with zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn load_values(values: &[i8]) -> Vector {
    let mask = first_bytes(values.len());
    // SAFETY: the mask leaves out what lies behind the values.
    unsafe { _mm512_maskz_loadu_epi8(mask, values.as_ptr()) }
}

/// Transposes the 16 x 16 matrix: first within each lane of four words, then the 4 x 4 lanes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose(rows: [Vector; LANES]) -> [Vector; LANES] {
    let mut fours = rows;
    for i in (0..LANES).step_by(4) {
        let [a, b, c, d] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3]];
        let (low, high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (low2, high2) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        fours[i] = _mm512_unpacklo_epi64(low, low2);
        fours[i + 1] = _mm512_unpackhi_epi64(low, low2);
        fours[i + 2] = _mm512_unpacklo_epi64(high, high2);
        fours[i + 3] = _mm512_unpackhi_epi64(high, high2);
    }
    // Lane l of fours[4 i + j] now holds column 4 l + j of rows 4 i..4 i + 4.
    let mut columns = fours;
    for j in 0..4 {
        let [a, b, c, d] = [fours[j], fours[4 + j], fours[8 + j], fours[12 + j]];
        let (even, odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (even2, odd2) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        columns[j] = _mm512_shuffle_i32x4::<0x88>(even, even2);
        columns[4 + j] = _mm512_shuffle_i32x4::<0x88>(odd, odd2);
        columns[8 + j] = _mm512_shuffle_i32x4::<0xdd>(even, even2);
        columns[12 + j] = _mm512_shuffle_i32x4::<0xdd>(odd, odd2);
    }
    columns
}
