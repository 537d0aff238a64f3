//! A row times a matrix: the dense layer of a single sample.
//!
//! Each weight is used once, so that reading it is all that counts: no panels are packed, and no tile would be filled. Each
//! sum has the order of [`gemm_f32`](super::gemm_f32)'s, so a sample's output is the same bits alone and in a batch.

/// Rows of weights that are read at once: as many streams, and the sums are read and written a quarter as often.
const ROWS: usize = 4;

/// `y[n] += sum over i of x[i] * matrix[i * stride + n]`, then `max(y[n], 0)` where `relu`.
///
/// # Panics
///
/// If `matrix` ends early.
#[inline(always)]
pub(in crate::arch) fn row_times_matrix(x: &[f32], matrix: &[f32], stride: usize, relu: bool, y: &mut [f32]) {
    let fours = x.chunks_exact(ROWS);
    let rest = fours.remainder();
    for (i, x) in fours.enumerate() {
        let [a, b, c, d] = core::array::from_fn(|row| &matrix[(i * ROWS + row) * stride..][..y.len()]);
        for ((((y, a), b), c), d) in y.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *y = x[3].mul_add(*d, x[2].mul_add(*c, x[1].mul_add(*b, x[0].mul_add(*a, *y))));
        }
    }
    let first = x.len() - rest.len();
    for (i, x) in rest.iter().enumerate() {
        for (y, w) in y.iter_mut().zip(&matrix[(first + i) * stride..]) {
            *y = x.mul_add(*w, *y);
        }
    }
    if relu {
        // As the tiles' maximum: NaN stays.
        y.iter_mut().for_each(|y| *y = if 0.0 > *y { 0.0 } else { *y });
    }
}
