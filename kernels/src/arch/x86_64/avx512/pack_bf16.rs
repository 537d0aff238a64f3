//! Copies that round the operands of a dense layer's products to bf16, and rearrange them.

use core::arch::x86_64::{__m512i, _mm512_permutexvar_epi16, _mm512_setzero_si512};

use super::{
    vector_bf16::{self as vector, LANES, Vector},
    vector_s8,
};

/// As [`Gemm::GROUP`](crate::arch::generic::gemm_f32::Gemm::GROUP).
pub(super) const GROUP: usize = 2;
/// Columns of a panel.
const COLUMNS: usize = 2 * LANES;
/// Values of a vector of words.
const VALUES: usize = GROUP * LANES;

/// As [`Gemm::pack`](crate::arch::generic::gemm_f32::Gemm::pack).
///
/// # Panics
///
/// If a slice ends before its matrix.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn pack(from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]) {
    panels(from, stride, depth, width, COLUMNS, to);
}

/// As [`Gemm::columns`](crate::arch::generic::gemm_f32::Gemm::columns).
///
/// # Panics
///
/// If a slice ends before its matrix.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn columns(from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]) {
    panels(from, stride, depth, width, width, to);
}

/// Panels of `panel` columns.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn panels(from: &[f32], stride: usize, depth: usize, width: usize, panel: usize, to: &mut [f32]) {
    /// As in f32, rows lie pages apart.
    const AHEAD: usize = 8;
    if depth == 0 || width == 0 {
        return;
    }
    let words = depth.div_ceil(GROUP);
    assert!((depth - 1) * stride + width <= from.len(), "the matrix ends after its values");
    assert!(words * width.next_multiple_of(panel) <= to.len(), "the panels end after their words");
    for k in 0..words {
        let row = from.as_ptr().wrapping_add(GROUP * k * stride);
        let is_pair = GROUP * k + 1 < depth;
        for column in (0..width).step_by(LANES) {
            let mask = vector::mask(LANES.min(width - column));
            let at = column / panel * panel * words + k * panel + column % panel;
            let first = row.wrapping_add(column);
            let second = first.wrapping_add(stride);
            vector::prefetch(first.wrapping_add(AHEAD * stride));
            vector::prefetch(second.wrapping_add(AHEAD * stride));
            // SAFETY: a part of a row of the matrix asserted above.
            let low = unsafe { vector::load_masked(first, mask) };
            let high = if is_pair {
                // SAFETY: the same columns of the row behind it, which is one of the matrix.
                unsafe { vector::load_masked(second, mask) }
            } else {
                vector::zero()
            };
            let words = interleave(low, high);
            // SAFETY: these columns of a row of a panel asserted above.
            unsafe { vector::store_masked(to.as_mut_ptr().wrapping_add(at), mask, words) }
        }
    }
}

/// Words of one value of each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn interleave(first: Vector, second: Vector) -> Vector {
    /// Word `i` takes halves `i` and `16 + i`.
    const ORDER: [i32; LANES] = {
        let mut order = [0; LANES];
        let mut i = 0;
        while i < LANES {
            order[i] = (i | (LANES + i) << 16) as i32;
            i += 1;
        }
        order
    };
    vector::words(_mm512_permutexvar_epi16(vector_s8::from_array(ORDER), vector::round(first, second)))
}

/// As [`Gemm::rows`](crate::arch::generic::gemm_f32::Gemm::rows).
///
/// # Panics
///
/// If rows of words overlap.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn rows(from: &[f32], columns: usize, to: &mut [f32], stride: usize) {
    for (to, from) in to.chunks_exact_mut(stride).zip(from.chunks_exact(columns)) {
        let to = &mut to[..columns.div_ceil(GROUP)];
        for (to, from) in to.chunks_mut(LANES).zip(from.chunks(VALUES)) {
            store(neighbours(from), to);
        }
    }
}

/// Words of up to 32 values; zero behind them.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn neighbours(values: &[f32]) -> __m512i {
    let (low, high) = values.split_at(values.len().min(LANES));
    vector::round(load(low), load(high))
}

/// Up to 16 values; zero behind them.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(values: &[f32]) -> Vector {
    if values.is_empty() {
        return vector::zero();
    }
    let mask = vector::mask(values.len());
    // SAFETY: as many values as the slice has.
    unsafe { vector::load_masked(values.as_ptr(), mask) }
}

/// Stores the first words, up to 16.
#[inline]
#[target_feature(enable = "avx512f")]
fn store(words: __m512i, to: &mut [f32]) {
    if to.is_empty() {
        return;
    }
    let (words, mask) = (vector::words(words), vector::mask(to.len()));
    // SAFETY: as many words as the slice has.
    unsafe { vector::store_masked(to.as_mut_ptr(), mask, words) }
}

/// As [`Gemm::transpose`](crate::arch::generic::gemm_f32::Gemm::transpose).
///
/// # Panics
///
/// If a slice ends before its matrix.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn transpose(from: &[f32], from_stride: usize, rows: usize, columns: usize, to: &mut [f32], stride: usize) {
    for i in (0..rows).step_by(LANES) {
        let count = LANES.min(rows - i);
        for j in (0..columns).step_by(VALUES) {
            let values = VALUES.min(columns - j);
            let mut block = [_mm512_setzero_si512(); LANES];
            for (r, row) in block.iter_mut().enumerate().take(count) {
                *row = neighbours(&from[(i + r) * from_stride + j..][..values]);
            }
            let columns = vector_s8::transpose(block).into_iter().take(values.div_ceil(GROUP));
            for (word, column) in (j / GROUP..).zip(columns) {
                store(column, &mut to[word * stride + i..][..count]);
            }
        }
    }
}
