//! Accumulators to int8 outputs, 16 channels at a time.

use core::arch::x86_64::{
    __m512i, __mmask16, _mm_mask_storeu_epi8, _mm512_add_epi32, _mm512_add_epi64, _mm512_and_si512,
    _mm512_cmpgt_epi32_mask, _mm512_cvtepi32_epi8, _mm512_mask_blend_epi32, _mm512_mask_mov_epi32,
    _mm512_mask_sub_epi32, _mm512_max_epi32, _mm512_max_epi64, _mm512_min_epi32, _mm512_min_epi64, _mm512_mul_epi32,
    _mm512_set1_epi32, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_sllv_epi32,
    _mm512_sllv_epi64, _mm512_srai_epi32, _mm512_srai_epi64, _mm512_srav_epi32, _mm512_srav_epi64, _mm512_srli_epi32,
    _mm512_srli_epi64, _mm512_sub_epi32, _mm512_sub_epi64, _mm512_xor_si512,
};

use super::vector_s8::{self as vector, LANES, Vector, first_bytes};
use crate::arch::generic::requantize::Channels;
use crate::int8::Requantize;

/// Odd lanes: the upper halves of lanes of 64 bits.
const ODD: u16 = 0xaaaa;

/// What both kinds of layers do at last.
struct Clamp {
    zero_point: Vector,
    range: [i32; 2],
}

impl Clamp {
    /// Stores the low bytes of outputs that lack the zero point.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn store(&self, scaled: Vector, output: &mut [i8]) {
        let bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(scaled, self.zero_point));
        let mask = first_bytes(output.len()) as __mmask16;
        // SAFETY: the mask leaves out what lies behind the output.
        unsafe { _mm_mask_storeu_epi8(output.as_mut_ptr(), mask, bytes) };
    }
}

/// Rounds twice, as [`multiply_by_quantized_multiplier`](crate::int8::multiply_by_quantized_multiplier) does.
pub(super) struct ConvScale {
    multiplier: Vector,
    left: Vector,
    right: Vector,
    any_left: bool,
    clamp: Clamp,
}

impl ConvScale {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn new(requantize: &Requantize<'_>, first: usize) -> Self {
        let channels = Channels::<LANES>::new(requantize, first);
        let shift = vector::from_array(channels.shift);
        let zero = _mm512_setzero_si512();
        Self {
            multiplier: vector::from_array(channels.multiplier),
            left: _mm512_max_epi32(shift, zero),
            right: _mm512_max_epi32(_mm512_sub_epi32(zero, shift), zero),
            any_left: _mm512_cmpgt_epi32_mask(shift, zero) != 0,
            clamp: Clamp { zero_point: _mm512_set1_epi32(channels.zero_point), range: channels.range },
        }
    }

    /// The outputs of the first channels.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) fn apply(&self, sums: Vector, output: &mut [i8]) {
        let sums = if self.any_left { saturating_shift_left(sums, self.left) } else { sums };
        let scaled = rounding_divide(doubling_high_multiply(sums, self.multiplier), self.right);
        let [low, high] = self.clamp.range;
        let scaled = _mm512_max_epi32(scaled, _mm512_set1_epi32(low));
        self.clamp.store(_mm512_min_epi32(scaled, _mm512_set1_epi32(high)), output);
    }
}

/// Where the shifted number does not come back, the largest of its sign.
#[inline]
#[target_feature(enable = "avx512f")]
fn saturating_shift_left(x: Vector, places: Vector) -> Vector {
    let shifted = _mm512_sllv_epi32(x, places);
    let back = _mm512_srav_epi32(shifted, places);
    let lost = _mm512_cmpgt_epi32_mask(x, back) | _mm512_cmpgt_epi32_mask(back, x);
    let largest = _mm512_xor_si512(_mm512_srai_epi32::<31>(x), _mm512_set1_epi32(i32::MAX));
    _mm512_mask_mov_epi32(shifted, lost, largest)
}

/// `round(x * multiplier / 2^31)`, halves up, for multipliers that are not negative.
#[inline]
#[target_feature(enable = "avx512f")]
fn doubling_high_multiply(x: Vector, multiplier: Vector) -> Vector {
    let half = _mm512_set1_epi64(1 << 30);
    let [even, odd] = products(x, multiplier).map(|product| _mm512_add_epi64(product, half));
    _mm512_mask_blend_epi32(ODD, _mm512_srli_epi64::<31>(even), _mm512_slli_epi64::<1>(odd))
}

/// `round(x / 2^places)`, halves away from zero.
#[inline]
#[target_feature(enable = "avx512f")]
fn rounding_divide(x: Vector, places: Vector) -> Vector {
    let one = _mm512_set1_epi32(1);
    let mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, places), one);
    let threshold = _mm512_sub_epi32(_mm512_srli_epi32::<1>(mask), _mm512_srai_epi32::<31>(x));
    let up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(x, mask), threshold);
    let quotient = _mm512_srav_epi32(x, places);
    _mm512_mask_sub_epi32(quotient, up, quotient, _mm512_set1_epi32(-1))
}

/// The products of the even and of the odd lanes.
#[inline]
#[target_feature(enable = "avx512f")]
fn products(a: Vector, b: Vector) -> [__m512i; 2] {
    [_mm512_mul_epi32(a, b), _mm512_mul_epi32(_mm512_srli_epi64::<32>(a), _mm512_srli_epi64::<32>(b))]
}

/// Rounds once, as [`multiply_rounding_once`](crate::int8::multiply_rounding_once) does.
pub(super) struct DenseScale {
    multiplier: Vector,
    shift: Vector,
    clamp: Clamp,
}

impl DenseScale {
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn new(requantize: &Requantize<'_>, first: usize) -> Self {
        let channels = Channels::<LANES>::new(requantize, first);
        Self {
            multiplier: vector::from_array(channels.multiplier),
            shift: vector::from_array(channels.shift),
            clamp: Clamp { zero_point: _mm512_set1_epi32(channels.zero_point), range: channels.range },
        }
    }

    /// The outputs of the first units.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) fn apply(&self, sums: Vector, output: &mut [i8]) {
        let [even, odd] = products(sums, self.multiplier);
        let places = _mm512_sub_epi32(_mm512_set1_epi32(31), self.shift);
        let even_places = _mm512_and_si512(places, _mm512_set1_epi64(0xffff_ffff));
        let even = self.rounded(even, even_places);
        let odd = self.rounded(odd, _mm512_srli_epi64::<32>(places));
        self.clamp.store(_mm512_mask_blend_epi32(ODD, even, _mm512_slli_epi64::<32>(odd)), output);
    }

    /// `round(product / 2^places)`, halves away from zero, and clamped.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn rounded(&self, product: __m512i, places: __m512i) -> __m512i {
        let one = _mm512_set1_epi64(1);
        let half = _mm512_sllv_epi64(one, _mm512_sub_epi64(places, one));
        let half = _mm512_add_epi64(half, _mm512_srai_epi64::<63>(product));
        let rounded = _mm512_srav_epi64(_mm512_add_epi64(product, half), places);
        let [low, high] = self.clamp.range.map(i64::from);
        _mm512_min_epi64(_mm512_max_epi64(rounded, _mm512_set1_epi64(low)), _mm512_set1_epi64(high))
    }
}
