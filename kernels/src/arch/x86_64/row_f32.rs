//! The dense layer of a single sample, a row times a matrix, written once for both vector widths.
//!
//! Each weight is used once, so that reading it is all that counts: no panels are packed, and no tile would be filled.
//! Each sum has the order of [`gemm_f32`](crate::arch::generic::gemm_f32)'s, so a sample's output is the same bits
//! alone and in a batch; but for the sign of a zero, since products with a zero are left out.

/// Defines `row_times_matrix` in terms of the module `super::vector`, for a token type and its instructions.
macro_rules! define_row_f32 {
    ($token:ident, $features:literal) => {
        use super::vector::{self, LANES};
        use crate::arch::x86_64::$token;

        /// Inputs that are looked through for zeros at a time.
        const CHUNK: usize = 256;
        /// Rows of weights that are read at once: as many streams, and the sums are read and written a quarter as
        /// often.
        const ROWS: usize = 4;

        /// As [`Gemm::row_times_matrix`](crate::arch::generic::gemm_f32::Gemm::row_times_matrix).
        pub(super) fn row_times_matrix(_: $token, x: &[f32], matrix: &[f32], stride: usize, relu: bool, y: &mut [f32]) {
            let last = x.len().saturating_sub(1) * stride;
            assert!(x.is_empty() || last + y.len() <= matrix.len(), "the matrix ends early");
            for (chunk, x) in x.chunks(CHUNK).enumerate() {
                // What the rows of zeros hold adds nothing, if it is finite: after a ReLU that may be half of them.
                let (mut rows, mut values, mut count) = ([matrix.as_ptr(); CHUNK], [0.0; CHUNK], 0);
                for (i, &x) in x.iter().enumerate() {
                    rows[count] = matrix.as_ptr().wrapping_add((chunk * CHUNK + i) * stride);
                    values[count] = x;
                    count += usize::from(x != 0.0);
                }
                let (fours, rest) = rows[..count].as_chunks::<ROWS>();
                let (of_fours, of_rest) = values[..count].as_chunks::<ROWS>();
                // SAFETY: the token proves that the CPU has the instructions, and these rows lie in the matrix as
                // asserted above.
                unsafe {
                    fours.iter().zip(of_fours).for_each(|(rows, x)| add_rows(*rows, *x, y));
                    rest.iter().zip(of_rest).for_each(|(row, x)| add_rows([*row], [*x], y));
                }
            }
            if relu {
                // As the tiles' maximum: NaN stays.
                y.iter_mut().for_each(|y| *y = if 0.0 > *y { 0.0 } else { *y });
            }
        }

        /// `y[n] += sum over i of x[i] * rows[i][n]`.
        ///
        /// # Safety
        ///
        /// Each row must have as many readable values as `y`.
        #[target_feature(enable = $features)]
        unsafe fn add_rows<const COUNT: usize>(rows: [*const f32; COUNT], x: [f32; COUNT], y: &mut [f32]) {
            for column in (0..y.len()).step_by(LANES) {
                let whole = y.len() - column >= LANES;
                let mask = vector::mask((y.len() - column).min(LANES));
                let to = y.as_mut_ptr().wrapping_add(column);
                // SAFETY: the lanes that count lie in `y`.
                let mut sum = unsafe { if whole { vector::load(to) } else { vector::load_masked(to, mask) } };
                for (row, x) in rows.iter().zip(x) {
                    let from = row.wrapping_add(column);
                    // SAFETY: the caller promises the lanes that count.
                    let weights = unsafe { if whole { vector::load(from) } else { vector::load_masked(from, mask) } };
                    sum = vector::multiply_add(vector::splat(x), weights, sum);
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
