//! The products of [`winograd_f32`](crate::arch::generic::winograd_f32), written once for both vector widths.
//!
//! Unlike the tile of [`gemm_f32`](crate::arch::generic::gemm_f32), all vectors are whole, and one call makes all
//! tiles: the common axis is short here, so that what a tile costs beside its sums counts.

/// Defines `product` in terms of the module `super::vector`.
///
/// `rows` are the heights of tiles that exist, each compiled apart so that all accumulators are registers.
macro_rules! define_product_f32 {
    ($features:literal, $most_rows:literal, rows: [$($rows:literal)*]) => {
        use super::vector::{self, LANES};
        use crate::arch::generic::winograd_f32::{BLOCK, Blocks, Left};

        /// What all tiles of a product have in common.
        #[derive(Clone, Copy)]
        struct Walk {
            /// From one row of A to the next.
            a_row: usize,
            /// Outer and inner loop of the common axis.
            counts: [usize; 2],
            /// Steps in A of the two loops.
            a: [usize; 2],
            /// Inner step in B.
            b_row: usize,
            b_block: usize,
            c_row: usize,
            c_block: usize,
            add: bool,
        }

        /// Where vector `v` of a row lies.
        #[inline]
        const fn place(v: usize, block: usize) -> usize {
            v * LANES / BLOCK * block + v * LANES % BLOCK
        }

        /// As `Winograd::product`.
        ///
        /// # Panics
        ///
        /// If a matrix ends before the product does, or sizes are not what `Left` says.
        #[target_feature(enable = $features)]
        pub(super) fn product(
            [rows, columns, depth]: [usize; 3],
            left: Left,
            a: Blocks<&[f32]>,
            b: Blocks<&[f32]>,
            c: Blocks<&mut [f32]>,
            add: bool,
        ) {
            /// Fails unless a matrix of so many rows and columns, a multiple of [`BLOCK`], lies in `len` values.
            fn check(len: usize, rows: usize, columns: usize, row: usize, block: usize) {
                let blocks = columns / BLOCK;
                assert!(columns.is_multiple_of(BLOCK), "columns: whole blocks");
                let end = if rows * blocks == 0 { 0 } else { (rows - 1) * row + (blocks - 1) * block + BLOCK };
                assert!(end <= len, "a matrix ends early");
            }
            check(b.values.len(), depth, columns, b.row, b.block);
            check(c.values.len(), rows, columns, c.row, c.block);
            let (a_row, counts, steps) = match left {
                Left::Plain => {
                    check(a.values.len(), rows, depth, a.row, a.block);
                    (a.row, [depth / BLOCK, BLOCK], [a.block, 1])
                }
                Left::Transposed => {
                    check(a.values.len(), depth, rows, a.row, a.block);
                    assert_eq!(a.block, BLOCK, "rows of a transposed operand: neighbours");
                    (1, [1, depth], [0, a.row])
                }
            };
            let (b_row, b_block, c_row, c_block) = (b.row, b.block, c.row, c.block);
            let walk = Walk { a_row, counts, a: steps, b_row, b_block, c_row, c_block, add };
            let tiles = rows.div_ceil($most_rows);
            for first_vector in (0..columns / LANES).step_by(2) {
                let two = first_vector + 2 <= columns / LANES;
                for tile in 0..tiles {
                    // Tiles of nearly the same height: a low one does not hide the latency of its additions.
                    let (first, end) = (rows * tile / tiles, rows * (tile + 1) / tiles);
                    let a = a.values.as_ptr().wrapping_add(first * a_row);
                    let b = b.values.as_ptr().wrapping_add(place(first_vector, b_block));
                    let c = c.values.as_mut_ptr().wrapping_add(first * c_row + place(first_vector, c_block));
                    match (end - first, two, left) {
                        $(
                            // SAFETY: these rows and columns lie in the matrices checked above.
                            ($rows, true, Left::Plain) => unsafe { compute::<$rows, 2, false>(&walk, a, b, c) },
                            // SAFETY: as above.
                            ($rows, true, Left::Transposed) => unsafe { compute::<$rows, 2, true>(&walk, a, b, c) },
                            // SAFETY: as above.
                            ($rows, false, _) => unsafe { compute::<$rows, 1, false>(&walk, a, b, c) },
                        )*
                        (rows, ..) => unreachable!("a tile of {rows} rows"),
                    }
                }
            }
        }

        /// The tile of `ROWS` rows and `VECTORS` vectors. `UNIT`: rows of A are neighbours, which spares address
        /// arithmetic.
        ///
        /// # Safety
        ///
        /// All that the walk reaches from `a` and `b` in the tile's rows and vectors must be readable, the tile of `c`
        /// writable and no one else's.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn compute<const ROWS: usize, const VECTORS: usize, const UNIT: bool>(
            walk: &Walk,
            a: *const f32,
            b: *const f32,
            c: *mut f32,
        ) {
            // One index serves all rows: pointers that move on would take the ports of multiply-adds. The compiler
            // would make such of these, were it to see that they are a row apart.
            let left: [*const f32; ROWS] = core::array::from_fn(|r| {
                if UNIT { a.wrapping_add(r) } else { core::hint::black_box(a.wrapping_add(r * walk.a_row)) }
            });
            let of_c = |r: usize, v: usize| c.wrapping_add(r * walk.c_row + place(v, walk.c_block));
            let mut sums = [[vector::zero(); VECTORS]; ROWS];
            // The lines of C arrive while the sums are made: what follows these need not wait for them.
            for r in 0..ROWS {
                for v in 0..VECTORS {
                    vector::prefetch_to_write(of_c(r, v));
                }
            }
            let mut b = b;
            for i in 0..walk.counts[0] {
                let mut a = i * walk.a[0];
                for _ in 0..walk.counts[1] {
                    let mut right = [vector::zero(); VECTORS];
                    for (v, right) in right.iter_mut().enumerate() {
                        // SAFETY: the caller promises the tile's vectors of each row of B.
                        *right = unsafe { vector::load(b.wrapping_add(place(v, walk.b_block))) };
                    }
                    // By numbers: with debug assertions, iterators over two arrays would be calls.
                    for r in 0..ROWS {
                        // SAFETY: the caller promises all that the walk reaches of A.
                        let x = unsafe { vector::splat_from(left[r].wrapping_add(a)) };
                        for v in 0..VECTORS {
                            sums[r][v] = vector::multiply_add(x, right[v], sums[r][v]);
                        }
                    }
                    a += walk.a[1];
                    b = b.wrapping_add(walk.b_row);
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    let mut sum = *sum;
                    if walk.add {
                        // SAFETY: the caller promises the tile of C.
                        sum = vector::add(sum, unsafe { vector::load(of_c(r, v)) });
                    }
                    // SAFETY: as above.
                    unsafe { vector::store(of_c(r, v), sum) }
                }
            }
        }
    };
}

pub(super) use define_product_f32;
