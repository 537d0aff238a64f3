//! Accumulators to int8 outputs, 8 channels at a time.

use core::arch::x86_64::{
    __m256i, _mm256_abs_epi32, _mm256_add_epi32, _mm256_add_epi64, _mm256_and_si256, _mm256_blend_epi32,
    _mm256_blendv_epi8, _mm256_cmpeq_epi32, _mm256_cmpgt_epi32, _mm256_cmpgt_epi64, _mm256_extract_epi32,
    _mm256_max_epi32, _mm256_min_epi32, _mm256_mul_epi32, _mm256_mul_epu32, _mm256_packs_epi16, _mm256_packs_epi32,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_sign_epi32, _mm256_slli_epi64,
    _mm256_sllv_epi32, _mm256_sllv_epi64, _mm256_srai_epi32, _mm256_srav_epi32, _mm256_srli_epi32, _mm256_srli_epi64,
    _mm256_srlv_epi64, _mm256_sub_epi32, _mm256_sub_epi64, _mm256_xor_si256,
};

use super::vector_s8::{self as vector, LANES, Vector};
use crate::arch::generic::requantize::Channels;
use crate::int8::Requantize;

/// Odd lanes: the upper halves of lanes of 64 bits.
const ODD: i32 = 0xaa;

/// What both kinds of layers do at last.
struct Clamp {
    zero_point: Vector,
    low: Vector,
    high: Vector,
}

impl Clamp {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(channels: &Channels<LANES>) -> Self {
        Self {
            zero_point: _mm256_set1_epi32(channels.zero_point),
            low: _mm256_set1_epi32(channels.range[0]),
            high: _mm256_set1_epi32(channels.range[1]),
        }
    }

    /// Stores the clamped outputs of the first channels.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(&self, scaled: Vector, output: &mut [i8]) {
        let clamped = _mm256_min_epi32(_mm256_max_epi32(scaled, self.low), self.high);
        let words = _mm256_add_epi32(clamped, self.zero_point);
        let halves = _mm256_packs_epi32(words, words);
        let bytes = _mm256_packs_epi16(halves, halves);
        let low = _mm256_extract_epi32::<0>(bytes).to_le_bytes();
        let high = _mm256_extract_epi32::<4>(bytes).to_le_bytes();
        for (output, byte) in output.iter_mut().zip(low.into_iter().chain(high)) {
            *output = byte as i8;
        }
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
    #[target_feature(enable = "avx2")]
    pub(super) fn new(requantize: &Requantize<'_>, first: usize) -> Self {
        let channels = Channels::<LANES>::new(requantize, first);
        let shift = vector::from_array(channels.shift);
        let zero = _mm256_setzero_si256();
        Self {
            multiplier: vector::from_array(channels.multiplier),
            left: _mm256_max_epi32(shift, zero),
            right: _mm256_max_epi32(_mm256_sub_epi32(zero, shift), zero),
            any_left: channels.shift.iter().any(|&shift| shift > 0),
            clamp: Clamp::new(&channels),
        }
    }

    /// The outputs of the first channels.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn apply(&self, sums: Vector, output: &mut [i8]) {
        let sums = if self.any_left { saturating_shift_left(sums, self.left) } else { sums };
        let scaled = rounding_divide(doubling_high_multiply(sums, self.multiplier), self.right);
        self.clamp.store(scaled, output);
    }
}

/// Where the shifted number does not come back, the largest of its sign.
#[inline]
#[target_feature(enable = "avx2")]
fn saturating_shift_left(x: Vector, places: Vector) -> Vector {
    let shifted = _mm256_sllv_epi32(x, places);
    let kept = _mm256_cmpeq_epi32(_mm256_srav_epi32(shifted, places), x);
    let largest = _mm256_xor_si256(_mm256_srai_epi32::<31>(x), _mm256_set1_epi32(i32::MAX));
    _mm256_blendv_epi8(largest, shifted, kept)
}

/// `round(x * multiplier / 2^31)`, halves up, for multipliers that are not negative.
#[inline]
#[target_feature(enable = "avx2")]
fn doubling_high_multiply(x: Vector, multiplier: Vector) -> Vector {
    let half = _mm256_set1_epi64x(1 << 30);
    let even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), half);
    let odd = _mm256_add_epi64(_mm256_mul_epi32(odd(x), odd(multiplier)), half);
    _mm256_blend_epi32::<ODD>(_mm256_srli_epi64::<31>(even), _mm256_slli_epi64::<1>(odd))
}

/// `round(x / 2^places)`, halves away from zero.
#[inline]
#[target_feature(enable = "avx2")]
fn rounding_divide(x: Vector, places: Vector) -> Vector {
    let one = _mm256_set1_epi32(1);
    let mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, places), one);
    let threshold = _mm256_sub_epi32(_mm256_srli_epi32::<1>(mask), _mm256_srai_epi32::<31>(x));
    let up = _mm256_cmpgt_epi32(_mm256_and_si256(x, mask), threshold);
    _mm256_sub_epi32(_mm256_srav_epi32(x, places), up)
}

/// The odd lanes where the even ones are.
#[inline]
#[target_feature(enable = "avx2")]
fn odd(x: Vector) -> Vector {
    _mm256_srli_epi64::<32>(x)
}

/// Rounds once, as [`multiply_rounding_once`](crate::int8::multiply_rounding_once) does.
pub(super) struct DenseScale {
    multiplier: Vector,
    places: Vector,
    clamp: Clamp,
}

impl DenseScale {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn new(requantize: &Requantize<'_>, first: usize) -> Self {
        let channels = Channels::<LANES>::new(requantize, first);
        Self {
            multiplier: vector::from_array(channels.multiplier),
            places: vector::from_array(channels.shift.map(|shift| 31 - shift)),
            clamp: Clamp::new(&channels),
        }
    }

    /// The outputs of the first units. Absolute values are rounded, halves up: there is no arithmetic shift of 64 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn apply(&self, sums: Vector, output: &mut [i8]) {
        let absolute = _mm256_abs_epi32(sums);
        let even_places = _mm256_and_si256(self.places, _mm256_set1_epi64x(0xffff_ffff));
        let even = rounded(_mm256_mul_epu32(absolute, self.multiplier), even_places);
        let odd = rounded(_mm256_mul_epu32(odd(absolute), odd(self.multiplier)), odd(self.places));
        let scaled = _mm256_blend_epi32::<ODD>(even, _mm256_slli_epi64::<32>(odd));
        self.clamp.store(_mm256_sign_epi32(scaled, sums), output);
    }
}

/// `round(product / 2^places)`, halves up, at most what a lane of 32 bits holds.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded(product: __m256i, places: __m256i) -> __m256i {
    let one = _mm256_set1_epi64x(1);
    let half = _mm256_sllv_epi64(one, _mm256_sub_epi64(places, one));
    let rounded = _mm256_srlv_epi64(_mm256_add_epi64(product, half), places);
    let most = _mm256_set1_epi64x(i64::from(i32::MAX));
    _mm256_blendv_epi8(rounded, most, _mm256_cmpgt_epi64(rounded, most))
}
