//! The dense layer of a single sample, a row times a matrix, written once for both vector widths.
//!
//! Each weight is used once, so that reading it is all that counts: no panels are packed, and no tile would be filled. Each
//! sum has the order of [`gemm_f32`](crate::arch::generic::gemm_f32)'s, so a sample's output is the same bits alone and in a
//! batch.

/// Defines `row_times_matrix` in terms of the module `super::vector`, for a token type and its instructions.
macro_rules! define_row_f32 {
    ($token:ident, $features:literal) => {
        use super::vector::{self, LANES};
        use crate::arch::x86_64::$token;

        /// Rows of weights that are read at once: as many streams, and the sums are read and written a quarter as often.
        const ROWS: usize = 4;

        /// As [`Gemm::row_times_matrix`](crate::arch::generic::gemm_f32::Gemm::row_times_matrix).
        pub(super) fn row_times_matrix(_: $token, x: &[f32], matrix: &[f32], stride: usize, relu: bool, y: &mut [f32]) {
            let (fours, rest) = x.as_chunks::<ROWS>();
            for (i, x) in fours.iter().enumerate() {
                // SAFETY: the token proves that the CPU has the instructions.
                unsafe { add_rows(x, &matrix[i * ROWS * stride..], stride, y) }
            }
            for (i, &x) in rest.iter().enumerate() {
                // SAFETY: as above.
                unsafe { add_rows(&[x], &matrix[(fours.len() * ROWS + i) * stride..], stride, y) }
            }
            if relu {
                // As the tiles' maximum: NaN stays.
                y.iter_mut().for_each(|y| *y = if 0.0 > *y { 0.0 } else { *y });
            }
        }

        /// `y[n] += sum over i of x[i] * matrix[i * stride + n]`.
        #[target_feature(enable = $features)]
        fn add_rows<const COUNT: usize>(x: &[f32; COUNT], matrix: &[f32], stride: usize, y: &mut [f32]) {
            assert!((COUNT - 1) * stride + y.len() <= matrix.len(), "the matrix ends early");
            for column in (0..y.len()).step_by(LANES) {
                let whole = y.len() - column >= LANES;
                let mask = vector::mask((y.len() - column).min(LANES));
                let to = y.as_mut_ptr().wrapping_add(column);
                // SAFETY: the lanes that count lie in `y`.
                let mut sum = unsafe { if whole { vector::load(to) } else { vector::load_masked(to, mask) } };
                for (row, x) in x.iter().enumerate() {
                    let from = matrix.as_ptr().wrapping_add(row * stride + column);
                    // SAFETY: the lanes that count lie in a row of the matrix asserted above.
                    let weights = unsafe { if whole { vector::load(from) } else { vector::load_masked(from, mask) } };
                    sum = vector::multiply_add(vector::splat(*x), weights, sum);
                }
                if whole {
                    // SAFETY: a whole vector lies in `y`.
                    unsafe { vector::store(to, sum) }
                } else {
                    // SAFETY: the lanes that count lie in `y`.
                    unsafe { vector::store_masked(to, mask, sum) }
                }
            }
        }
    };
}

pub(super) use define_row_f32;
