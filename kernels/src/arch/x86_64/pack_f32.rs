//! Copies that rearrange the operands of a product, for [`Gemm`](crate::arch::generic::gemm_f32::Gemm), written once
//! for both vector widths.

/// Defines `pack`, `columns`, `rows` and `transpose` in terms of the module `super::vector`.
macro_rules! define_pack_f32 {
    ($features:literal) => {
        use super::vector::{self, LANES};

        /// As [`Gemm::GROUP`](crate::arch::generic::gemm_f32::Gemm::GROUP).
        pub(super) const GROUP: usize = 1;
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

        /// As [`Gemm::columns`](crate::arch::generic::gemm_f32::Gemm::columns).
        #[target_feature(enable = $features)]
        pub(super) fn columns(from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]) {
            for (to, from) in to.chunks_exact_mut(width).zip(from.chunks(stride)).take(depth) {
                to.copy_from_slice(&from[..width]);
            }
        }

        /// As [`Gemm::rows`](crate::arch::generic::gemm_f32::Gemm::rows).
        #[target_feature(enable = $features)]
        pub(super) fn rows(from: &[f32], columns: usize, to: &mut [f32], stride: usize) {
            for (to, from) in to.chunks_exact_mut(stride).zip(from.chunks_exact(columns)) {
                to[..columns].copy_from_slice(from);
            }
        }

        /// As [`Gemm::transpose`](crate::arch::generic::gemm_f32::Gemm::transpose): square blocks,
        /// 4 x 4 values within each lane of four, then whole lanes.
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
            let (whole_rows, whole_columns) = (rows / LANES * LANES, columns / LANES * LANES);
            for i in (0..whole_rows).step_by(LANES) {
                for j in (0..whole_columns).step_by(LANES) {
                    let mut groups = [[vector::zero(); 4]; LANES / 4];
                    for (q, group) in groups.iter_mut().enumerate() {
                        for (r, row) in group.iter_mut().enumerate() {
                            let from = from.as_ptr().wrapping_add((i + 4 * q + r) * from_stride + j);
                            // SAFETY: `LANES` columns of a row of the matrix asserted above.
                            *row = unsafe { vector::load(from) };
                        }
                        *group = vector::transpose_fours(*group);
                    }
                    for c in 0..4 {
                        let mut parts = [vector::zero(); LANES / 4];
                        for (part, group) in parts.iter_mut().zip(&groups) {
                            *part = group[c];
                        }
                        for (lane, column) in vector::transpose_lanes(parts).into_iter().enumerate() {
                            let to = to.as_mut_ptr().wrapping_add((j + 4 * lane + c) * stride + i);
                            // SAFETY: `LANES` columns of a row of the transposed matrix asserted above.
                            unsafe { vector::store(to, column) }
                        }
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
