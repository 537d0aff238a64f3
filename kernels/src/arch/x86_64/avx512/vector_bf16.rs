//! The vector operations of the tile in bf16: those of f32, but that a lane of an operand is a word, two values.

use core::{
    arch::x86_64::{
        __m512bh, __m512i, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps,
    },
    mem::transmute,
};

pub(super) use super::vector::{
    LANES, MASKS_ARE_VECTORS, Mask, Vector, load, load_masked, mask, max, prefetch, prefetch_to_second,
    prefetch_to_write, splat_from, store, store_masked, zero,
};

/// `c` plus the second values' product, rounded, plus the first values' product, rounded.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn multiply_add(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_dpbf16_ps(c, halves(a), halves(b))
}

/// The 32 values of `low` and then `high`, two a word.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn round(low: Vector, high: Vector) -> __m512i {
    let halves = _mm512_cvtne2ps_pbh(high, low);
    // SAFETY: vectors of 512 bits, any of which are valid in both.
    unsafe { transmute::<__m512bh, __m512i>(halves) }
}

/// Words as they are kept among f32. Nothing but [`multiply_add`] does arithmetic on them.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn words(words: __m512i) -> Vector {
    _mm512_castsi512_ps(words)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn halves(words: Vector) -> __m512bh {
    let words = _mm512_castps_si512(words);
    // SAFETY: vectors of 512 bits, any of which are valid in both.
    unsafe { transmute::<__m512i, __m512bh>(words) }
}
