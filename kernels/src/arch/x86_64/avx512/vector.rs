//! The few vector operations that kernels are made of.

use core::arch::x86_64::{
    __m512, __m512i, __mmask16, _CMP_EQ_OQ, _MM_HINT_ET0, _MM_HINT_T0, _MM_HINT_T1, _mm_cvtss_f32, _mm_load_ss,
    _mm_prefetch, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_blend_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_permutexvar_ps,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_shuffle_ps, _mm512_storeu_ps, _mm512_sub_ps,
    _mm512_unpackhi_ps, _mm512_unpacklo_ps,
};

pub(super) const LANES: usize = 16;
pub(super) type Vector = __m512;
/// Of each lane of a vector, which of another it takes.
pub(super) type Places = __m512i;
/// Which lanes of a vector count.
pub(super) type Mask = __mmask16;

/// Masks have registers of their own.
pub(super) const MASKS_ARE_VECTORS: bool = false;

/// The mask of the first `count` lanes, at least one and at most all.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn mask(count: usize) -> Mask {
    u16::MAX >> (LANES - count)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn zero() -> Vector {
    _mm512_setzero_ps()
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn splat(x: f32) -> Vector {
    _mm512_set1_ps(x)
}

/// The value at `from` in all lanes. With debug assertions, `*from` would be looked at before it is read.
///
/// # Safety
///
/// It must be readable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn splat_from(from: *const f32) -> Vector {
    // SAFETY: the caller's promise.
    splat(_mm_cvtss_f32(unsafe { _mm_load_ss(from) }))
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn subtract(a: Vector, b: Vector) -> Vector {
    _mm512_sub_ps(a, b)
}

/// `a * b + c`, rounded once.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn multiply_add(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_fmadd_ps(a, b, c)
}

/// The larger; `b` where either is NaN.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn max(a: Vector, b: Vector) -> Vector {
    _mm512_max_ps(a, b)
}

/// `then` in the lanes in which `a` equals `b`, `otherwise` in the others.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn if_equal(a: Vector, b: Vector, then: Vector, otherwise: Vector) -> Vector {
    _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b), otherwise, then)
}

/// # Safety
///
/// `LANES` values must be readable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn load(from: *const f32) -> Vector {
    // SAFETY: the caller's promise.
    unsafe { _mm512_loadu_ps(from) }
}

/// Zero in the lanes that do not count.
///
/// # Safety
///
/// The values of the lanes that count must be readable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn load_masked(from: *const f32, mask: Mask) -> Vector {
    // SAFETY: the caller's promise; masked lanes are not touched.
    unsafe { _mm512_maskz_loadu_ps(mask, from) }
}

/// # Safety
///
/// `LANES` values must be writable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn store(to: *mut f32, values: Vector) {
    // SAFETY: the caller's promise.
    unsafe { _mm512_storeu_ps(to, values) }
}

/// # Safety
///
/// The values of the lanes that count must be writable.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn store_masked(to: *mut f32, mask: Mask, values: Vector) {
    // SAFETY: the caller's promise; masked lanes are not touched.
    unsafe { _mm512_mask_storeu_ps(to, mask, values) }
}

/// Which lanes of a vector another takes, such that `times` neighbours take the same.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn repeated(times: usize) -> Places {
    let (mut places, mut place, mut uses) = ([0i32; LANES], 0, 0);
    for to in &mut places {
        *to = place;
        uses += 1;
        if uses == times {
            (place, uses) = (place + 1, 0);
        }
    }
    // SAFETY: the array has as many values as a vector.
    unsafe { _mm512_loadu_si512(places.as_ptr().cast()) }
}

/// In each lane the value at its place.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn take(values: Vector, places: Places) -> Vector {
    _mm512_permutexvar_ps(places, values)
}

/// Transposes the 4 x 4 matrix in each lane of four.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose_fours(rows: [Vector; 4]) -> [Vector; 4] {
    let low = [_mm512_unpacklo_ps(rows[0], rows[1]), _mm512_unpacklo_ps(rows[2], rows[3])];
    let high = [_mm512_unpackhi_ps(rows[0], rows[1]), _mm512_unpackhi_ps(rows[2], rows[3])];
    [
        _mm512_shuffle_ps::<0x44>(low[0], low[1]),
        _mm512_shuffle_ps::<0xee>(low[0], low[1]),
        _mm512_shuffle_ps::<0x44>(high[0], high[1]),
        _mm512_shuffle_ps::<0xee>(high[0], high[1]),
    ]
}

/// Asks for the cache line of `from`, which need not exist.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn prefetch(from: *const f32) {
    _mm_prefetch::<_MM_HINT_T0>(from.cast());
}

/// As [`prefetch`], into the second cache.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn prefetch_to_second(from: *const f32) {
    _mm_prefetch::<_MM_HINT_T1>(from.cast());
}

/// As [`prefetch`], with the right to write.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn prefetch_to_write(to: *const f32) {
    _mm_prefetch::<_MM_HINT_ET0>(to.cast());
}

/// Lane of four `i` of result `j` is lane `j` of vector `i`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose_lanes(vectors: [Vector; 4]) -> [Vector; 4] {
    let [a, b, c, d] = vectors;
    let low = [_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0x44>(c, d)];
    let high = [_mm512_shuffle_f32x4::<0xee>(a, b), _mm512_shuffle_f32x4::<0xee>(c, d)];
    [
        _mm512_shuffle_f32x4::<0x88>(low[0], low[1]),
        _mm512_shuffle_f32x4::<0xdd>(low[0], low[1]),
        _mm512_shuffle_f32x4::<0x88>(high[0], high[1]),
        _mm512_shuffle_f32x4::<0xdd>(high[0], high[1]),
    ]
}
