//! Copies that rearrange the right operand of a product, for [`Gemm`](crate::arch::generic::gemm_f32::Gemm), written once
//! for both vector widths.

/// Defines `pack` and `transpose` in terms of the module `super::vector`.
macro_rules! define_pack_f32 {
    ($features:literal) => {
        use super::vector::{self, LANES};

        /// Columns of a panel.
        const COLUMNS: usize = 2 * LANES;

        /// As [`Gemm::pack`](crate::arch::generic::gemm_f32::Gemm::pack).
        ///
        /// # Panics
        ///
        /// If a slice ends before its matrix.
        #[target_feature(enable = $features)]
        pub(super) fn pack(from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]) {
            /// Rows lie pages apart, where no prefetcher of the CPU follows: this asks for them ahead of time.
            const AHEAD: usize = 8;
            if depth == 0 || width == 0 {
                return;
            }
            assert!((depth - 1) * stride + width <= from.len(), "the matrix ends after its values");
            assert!(depth * width.next_multiple_of(COLUMNS) <= to.len(), "the panels end after their values");
            for k in 0..depth {
                let row = from.as_ptr().wrapping_add(k * stride);
                for column in (0..width).step_by(LANES) {
                    let panel = column / COLUMNS * COLUMNS;
                    let to = to.as_mut_ptr().wrapping_add(panel * depth + k * COLUMNS + column % COLUMNS);
                    let from = row.wrapping_add(column);
                    vector::prefetch(from.wrapping_add(AHEAD * stride));
                    let part = if width - column >= LANES {
                        // SAFETY: a whole vector of a row of the matrix asserted above.
                        unsafe { vector::load(from) }
                    } else {
                        // SAFETY: the end of a row of the matrix asserted above.
                        unsafe { vector::load_masked(from, vector::mask(width - column)) }
                    };
                    // SAFETY: half of a row of a panel asserted above.
                    unsafe { vector::store(to, part) }
                }
            }
        }

        /// As [`Gemm::transpose`](crate::arch::generic::gemm_f32::Gemm::transpose): four columns of as many rows as a
        /// vector has lanes at a time. Loading the rows by fours into the right lanes costs no shuffle, and half of a
        /// full transposition's shuffles remain.
        ///
        /// # Panics
        ///
        /// If a slice ends before its matrix.
        #[target_feature(enable = $features)]
        pub(super) fn transpose(
            from: &[f32],
            from_stride: usize,
            rows: usize,
            columns: usize,
            to: &mut [f32],
            stride: usize,
        ) {
            if rows == 0 || columns == 0 {
                return;
            }
            assert!((rows - 1) * from_stride + columns <= from.len(), "the matrix ends after its values");
            assert!((columns - 1) * stride + rows <= to.len(), "the matrix ends after its values");
            let (whole_rows, whole_columns) = (rows / LANES * LANES, columns / 4 * 4);
            for i in (0..whole_rows).step_by(LANES) {
                for j in (0..whole_columns).step_by(4) {
                    let from = from.as_ptr().wrapping_add(i * from_stride + j);
                    let mut fours = [vector::zero(); 4];
                    for (q, fours) in fours.iter_mut().enumerate() {
                        // SAFETY: rows `i + q + 4 * lane` and columns `j..j + 4` lie within the matrix asserted above.
                        *fours = unsafe { vector::load_fours(from.wrapping_add(q * from_stride), 4 * from_stride) };
                    }
                    for (q, column) in vector::transpose_fours(fours).into_iter().enumerate() {
                        let to = to.as_mut_ptr().wrapping_add((j + q) * stride + i);
                        // SAFETY: row `j + q`, columns `i..i + LANES` of the transposed matrix asserted above.
                        unsafe { vector::store(to, column) }
                    }
                }
            }
            for i in 0..rows {
                let first = if i < whole_rows { whole_columns } else { 0 };
                for j in first..columns {
                    to[j * stride + i] = from[i * from_stride + j];
                }
            }
        }
    };
}

pub(super) use define_pack_f32;
