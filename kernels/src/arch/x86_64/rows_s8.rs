//! The end of a dot product, for both widths.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_hadd_epi32, _mm256_permute2x128_si256, _mm256_storeu_si256,
};

/// The eight lanes of each vector, added.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add_lanes(rows: [__m256i; 8]) -> [i32; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    // Within each half: the sums of rows a, b, c, d, and of e, f, g, h.
    let first = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    let second = _mm256_hadd_epi32(_mm256_hadd_epi32(e, f), _mm256_hadd_epi32(g, h));
    let low = _mm256_permute2x128_si256::<0x20>(first, second);
    let high = _mm256_permute2x128_si256::<0x31>(first, second);
    let total = _mm256_add_epi32(low, high);
    let mut sums = [0; 8];
    // SAFETY: the array is as long as the vector.
    unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), total) };
    sums
}
