//! The tile of [`gemm_f32`](crate::arch::generic::gemm_f32), written once for both vector widths, and for bf16.

/// Defines `tile` in terms of two modules beside the caller's, of vector operations and of copies, for a token type and
/// its instructions.
///
/// `rows` are the heights of tiles that exist, each compiled apart so that all accumulators are registers.
macro_rules! define_gemm_f32 {
    ($token:ident, $features:literal, $vector:ident, $pack:ident, $most_rows:literal, rows: [$($rows:literal)*]) => {
        use super::$pack as pack;
        use super::$vector::{self as vector, LANES, Mask, Vector};
        use crate::arch::generic::gemm_f32::{Gemm, Start, Tile};
        use crate::arch::x86_64::$token;

        /// How many steps before it is needed a tile that copies B asks the first cache for its part: rows of B that
        /// are pages apart are no stream that the CPU would see.
        const COPY_AHEAD: usize = 8;

        impl Gemm for $token {
            const GROUP: usize = pack::GROUP;
            const ROWS: usize = $most_rows;
            const COLUMNS: usize = 2 * LANES;

            #[inline]
            unsafe fn tile(self, tile: Tile<'_>) {
                // SAFETY: the token proves that the CPU has the instructions; the rest is the caller's promise.
                unsafe { dispatch(tile) }
            }

            fn pack(self, from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]) {
                // SAFETY: the token proves that the CPU has the instructions.
                unsafe { pack::pack(from, stride, depth, width, to) }
            }

            fn columns(self, from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]) {
                // SAFETY: the token proves that the CPU has the instructions.
                unsafe { pack::columns(from, stride, depth, width, to) }
            }

            fn rows(self, from: &[f32], columns: usize, to: &mut [f32], stride: usize) {
                // SAFETY: the token proves that the CPU has the instructions.
                unsafe { pack::rows(from, columns, to, stride) }
            }

            fn row_times_matrix(self, x: &[f32], matrix: &[f32], stride: usize, relu: bool, y: &mut [f32]) {
                super::row_f32::row_times_matrix(self.into(), x, matrix, stride, relu, y);
            }

            fn transpose(
                self,
                from: &[f32],
                from_stride: usize,
                rows: usize,
                columns: usize,
                to: &mut [f32],
                stride: usize,
            ) {
                // SAFETY: the token proves that the CPU has the instructions.
                unsafe { pack::transpose(from, from_stride, rows, columns, to, stride) }
            }
        }

        /// Chooses the compiled tile.
        ///
        /// # Safety
        ///
        /// As [`Gemm::tile`].
        #[target_feature(enable = $features)]
        unsafe fn dispatch(tile: Tile<'_>) {
            let last = vector::mask(tile.columns - (tile.columns - 1) / LANES * LANES);
            let whole = vector::MASKS_ARE_VECTORS && tile.columns.is_multiple_of(LANES);
            if pack::GROUP == 1 && !tile.copy.is_null() {
                debug_assert_eq!(tile.columns, 2 * LANES, "a copy has all columns");
                return match tile.rows {
                    $(
                        // SAFETY: the caller's promise.
                        $rows => unsafe { compute::<$rows, 2, false, true, true>(tile, last) },
                    )*
                    rows => unreachable!("a tile of {rows} rows"),
                };
            }
            match (tile.rows, tile.columns > LANES, tile.walk.row == 1, whole) {
                $(
                    // SAFETY: the caller's promise.
                    ($rows, true, false, false) => unsafe { compute::<$rows, 2, false, false, false>(tile, last) },
                    // SAFETY: the caller's promise.
                    ($rows, true, true, false) => unsafe { compute::<$rows, 2, true, false, false>(tile, last) },
                    // SAFETY: the caller's promise.
                    ($rows, false, false, false) => unsafe { compute::<$rows, 1, false, false, false>(tile, last) },
                    // SAFETY: the caller's promise.
                    ($rows, false, true, false) => unsafe { compute::<$rows, 1, true, false, false>(tile, last) },
                    // SAFETY: the caller's promise.
                    ($rows, true, false, true) => unsafe { compute::<$rows, 2, false, true, false>(tile, last) },
                    // SAFETY: the caller's promise.
                    ($rows, true, true, true) => unsafe { compute::<$rows, 2, true, true, false>(tile, last) },
                    // SAFETY: the caller's promise.
                    ($rows, false, false, true) => unsafe { compute::<$rows, 1, false, true, false>(tile, last) },
                    // SAFETY: the caller's promise.
                    ($rows, false, true, true) => unsafe { compute::<$rows, 1, true, true, false>(tile, last) },
                )*
                (rows, ..) => unreachable!("a tile of {rows} rows"),
            }
        }

        /// A vector, of which but for `masked` all values count.
        ///
        /// # Safety
        ///
        /// The values that count must be readable.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn load(from: *const f32, masked: bool, mask: Mask) -> Vector {
            // SAFETY: the caller's promise.
            unsafe { if masked { vector::load_masked(from, mask) } else { vector::load(from) } }
        }

        /// The tile of `ROWS` rows and `VECTORS` vectors, of which the last counts as far as `last` says. `UNIT`: rows
        /// of A are neighbours, which spares address arithmetic. `WHOLE`: all of the last vector counts, which spares
        /// the mask's register. `COPY`: what is read of B goes to `tile.copy` too.
        ///
        /// # Safety
        ///
        /// As [`Gemm::tile`].
        #[inline(never)]
        #[target_feature(enable = $features)]
        unsafe fn compute<
            const ROWS: usize,
            const VECTORS: usize,
            const UNIT: bool,
            const WHOLE: bool,
            const COPY: bool,
        >(
            tile: Tile<'_>,
            last: Mask,
        ) {
            let walk = *tile.walk;
            let row = if UNIT { 1 } else { walk.row };
            // One index serves all rows: pointers that move on would take the ports of multiply-adds. The compiler
            // would make such of these, were it to see that they are a row apart.
            let left: [*const f32; ROWS] = core::array::from_fn(|r| {
                let left = tile.a.wrapping_add(r * row);
                if UNIT { left } else { core::hint::black_box(left) }
            });
            let mut sums = [[vector::zero(); VECTORS]; ROWS];
            if !matches!(tile.start, Start::Sum) {
                // The lines of C arrive while the sum is made, and the stores at its end need not wait for them.
                for r in 0..ROWS {
                    for v in 0..VECTORS {
                        vector::prefetch_to_write(tile.c.wrapping_add(r * tile.c_row + v * LANES));
                    }
                }
            }
            // Whether only some columns of a vector count. A masked store takes a dozen cycles on some CPUs.
            let masked = |v: usize| v + 1 == VECTORS && !WHOLE;
            let mut copy = tile.copy;
            match tile.start {
                Start::Zero => {}
                Start::Bias(bias) => {
                    for v in 0..VECTORS {
                        // SAFETY: the caller promises one value of bias a column.
                        let bias = unsafe { load(bias.as_ptr().wrapping_add(v * LANES), masked(v), last) };
                        for sums in &mut sums {
                            sums[v] = bias;
                        }
                    }
                }
                Start::Sum => {
                    for (r, sums) in sums.iter_mut().enumerate() {
                        for (v, sum) in sums.iter_mut().enumerate() {
                            let c = tile.c.wrapping_add(r * tile.c_row + v * LANES);
                            // SAFETY: the caller promises the tile of C.
                            *sum = unsafe { load(c, masked(v), last) };
                        }
                    }
                }
            }
            for i in 0..walk.counts[0] {
                for j in 0..walk.counts[1] {
                    let mut b = tile.b.wrapping_add(i * walk.b[0] + j * walk.b[1]);
                    let mut ahead = tile.ahead.wrapping_add(j * tile.ahead_row);
                    let mut a = i * walk.a[0] + j * walk.a[1];
                    for _ in 0..walk.counts[2] {
                        let mut columns: [Vector; VECTORS] = [vector::zero(); VECTORS];
                        for (v, column) in columns.iter_mut().enumerate() {
                            let at = b.wrapping_add(v * LANES);
                            // SAFETY: the caller promises the tile's columns of each row of B that the walk reaches.
                            *column = unsafe { load(at, masked(v), last) };
                            if COPY {
                                vector::prefetch(at.wrapping_add(COPY_AHEAD * walk.b[2]));
                                // SAFETY: the caller promises room for all columns of each step.
                                unsafe { vector::store(copy.wrapping_add(v * LANES), *column) }
                            }
                        }
                        // By numbers: with debug assertions, iterators over two arrays would be calls.
                        for r in 0..ROWS {
                            // SAFETY: the caller promises all that the walk reaches of A.
                            let x = unsafe { vector::splat_from(left[r].wrapping_add(a)) };
                            for v in 0..VECTORS {
                                sums[r][v] = vector::multiply_add(x, columns[v], sums[r][v]);
                            }
                        }
                        for _ in 0..pack::GROUP {
                            vector::prefetch_to_second(ahead);
                            ahead = ahead.wrapping_add(tile.ahead_step);
                        }
                        if COPY {
                            copy = copy.wrapping_add(VECTORS * LANES);
                        }
                        a += walk.a[2];
                        b = b.wrapping_add(walk.b[2]);
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    let sum = if tile.relu { vector::max(vector::zero(), *sum) } else { *sum };
                    let c = tile.c.wrapping_add(r * tile.c_row + v * LANES);
                    if masked(v) {
                        // SAFETY: the caller promises the tile of C.
                        unsafe { vector::store_masked(c, last, sum) }
                    } else {
                        // SAFETY: as above; all but the last vector are whole.
                        unsafe { vector::store(c, sum) }
                    }
                }
            }
        }
    };
}

pub(super) use define_gemm_f32;
