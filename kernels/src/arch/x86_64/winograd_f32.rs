//! The transforms of [`winograd_f32`](crate::arch::generic::winograd_f32), written once for both vector widths: a
//! vector holds as many channels of one pixel, so that a transform is a handful of additions of whole vectors.

/// Defines `Winograd` in terms of the module `super::vector`, for a token type and its instructions.
macro_rules! define_winograd_f32 {
    ($token:ident, $features:literal) => {
        use super::product_f32::product;
        use super::vector::{self, LANES, Vector};
        use crate::arch::generic::winograd_f32::{
            BLOCK, Blocks, COLUMNS_LEN, Image, Layout, Left, Output, POINTS, RUN, SIDE, Winograd,
        };
        use crate::arch::matrix::MatrixMut;
        use crate::arch::x86_64::$token;
        use core::ops::Range;

        impl Winograd for $token {
            fn input<const M: usize>(
                self,
                image: &Image<'_>,
                channels: Range<usize>,
                at: [isize; 2],
                count: usize,
                to: &mut [f32],
                layout: Layout,
                columns: &mut [f32],
            ) {
                // SAFETY: the token proves that the CPU has the instructions.
                unsafe { input::<M>(image, channels, at, count, to, layout, columns) }
            }
            fn output<const M: usize>(self, from: &[f32], layout: Layout, count: usize, to: Output<'_>) {
                // SAFETY: as above.
                unsafe { output::<M>(from, layout, count, to) }
            }
            fn gradient<const M: usize>(
                self,
                image: &Image<'_>,
                at: [usize; 2],
                count: usize,
                to: &mut [f32],
                layout: Layout,
            ) {
                // SAFETY: as above.
                unsafe { gradient::<M>(image, at, count, to, layout) }
            }
            fn kernel<const R: usize>(self, from: &[f32], len: usize, first: usize, to: MatrixMut<'_>) {
                // SAFETY: as above.
                unsafe { kernel::<R>(from, len, first, to) }
            }
            fn kernel_gradient<const R: usize>(
                self,
                from: &[f32],
                each: usize,
                layout: Layout,
                filters: usize,
                first: usize,
                to: MatrixMut<'_>,
            ) {
                // SAFETY: as above.
                unsafe { kernel_gradient::<R>(from, each, layout, filters, first, to) }
            }
            fn product(
                self,
                sizes: [usize; 3],
                left: Left,
                a: Blocks<&[f32]>,
                b: Blocks<&[f32]>,
                c: Blocks<&mut [f32]>,
                add: bool,
            ) {
                // SAFETY: as above.
                unsafe { product(sizes, left, a, b, c, add) }
            }
        }

        /// The values at all points of the polynomial with these coefficients: at `p` and `-p` the sum and the
        /// difference of its even and its odd part.
        #[inline]
        #[target_feature(enable = $features)]
        fn evaluate<const N: usize>(x: [Vector; N]) -> [Vector; SIDE] {
            // By Horner's rule in the point's square.
            let parts = |square: f32| {
                let mut parts = [vector::zero(); 2];
                for n in (0..N).rev() {
                    let part = &mut parts[n % 2];
                    *part = match n + 2 < N {
                        false => x[n],
                        true if square == 1.0 => vector::add(*part, x[n]),
                        true => vector::multiply_add(*part, vector::splat(square), x[n]),
                    };
                }
                parts
            };
            let ([even, odd], [even_two, odd_two], [even_half, odd_half]) = (parts(1.0), parts(4.0), parts(0.25));
            [
                x[0],
                vector::add(even, odd),
                vector::subtract(even, odd),
                vector::multiply_add(odd_two, vector::splat(2.0), even_two),
                vector::multiply_add(odd_two, vector::splat(-2.0), even_two),
                vector::multiply_add(odd_half, vector::splat(0.5), even_half),
                vector::multiply_add(odd_half, vector::splat(-0.5), even_half),
                x[N - 1],
            ]
        }

        /// The transpose of [`evaluate`].
        #[inline]
        #[target_feature(enable = $features)]
        fn collect<const N: usize>(x: [Vector; SIDE]) -> [Vector; N] {
            let pair = |i: usize| [vector::add(x[i], x[i + 1]), vector::subtract(x[i], x[i + 1])];
            let (one, two, half) = (pair(1), pair(3), pair(5));
            let mut sums = [vector::zero(); N];
            let mut power = 1.0;
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = match n {
                    0 => vector::add(one[0], x[0]),
                    _ if n == N - 1 => vector::add(one[n % 2], x[SIDE - 1]),
                    _ => one[n % 2],
                };
                *sum = vector::multiply_add(two[n % 2], vector::splat(power), *sum);
                *sum = vector::multiply_add(half[n % 2], vector::splat(1.0 / power), *sum);
                power *= 2.0;
            }
            sums
        }

        /// Each value times its point's weight, the reciprocal of the product of its distances to the other points.
        #[inline]
        #[target_feature(enable = $features)]
        fn weigh(x: [Vector; SIDE]) -> [Vector; SIDE] {
            const WEIGHTS: [f32; SIDE] =
                [-1.0, -2.0 / 9.0, -2.0 / 9.0, 1.0 / 90.0, 1.0 / 90.0, 32.0 / 45.0, 32.0 / 45.0, 1.0];
            let mut weighed = x;
            for (x, weight) in weighed[..SIDE - 1].iter_mut().zip(WEIGHTS) {
                *x = vector::multiply_add(*x, vector::splat(weight), vector::zero());
            }
            weighed
        }

        /// The rows of B^T times `d`: each is the product of the factors `x - point` of all points but its own, in
        /// which `p` and `-p` share their even and their odd part.
        #[inline]
        #[target_feature(enable = $features)]
        fn spread(d: [Vector; SIDE]) -> [Vector; SIDE] {
            // d[i + 4] + a d[i + 2] + b d[i], even (i = 2) and odd (i = 1).
            let parts = |a: f32, b: f32| {
                let part = |i: usize| {
                    let high = vector::multiply_add(d[i + 2], vector::splat(a), d[i + 4]);
                    if b == 1.0 { vector::add(high, d[i]) } else { vector::multiply_add(d[i], vector::splat(b), high) }
                };
                [part(2), part(1)]
            };
            let ([even, odd], [even_two, odd_two], [even_half, odd_half]) =
                (parts(-4.25, 1.0), parts(-1.25, 0.25), parts(-5.0, 4.0));
            let end = |i: usize| {
                let middle = vector::subtract(d[i + 2], d[i + 4]);
                vector::multiply_add(middle, vector::splat(5.25), vector::subtract(d[i + 6], d[i]))
            };
            [
                end(0),
                vector::add(even, odd),
                vector::subtract(even, odd),
                vector::multiply_add(odd_two, vector::splat(2.0), even_two),
                vector::multiply_add(odd_two, vector::splat(-2.0), even_two),
                vector::multiply_add(odd_half, vector::splat(0.5), even_half),
                vector::multiply_add(odd_half, vector::splat(-0.5), even_half),
                end(1),
            ]
        }

        /// Transforms the columns and then the rows of what `load(row, column)` gives, and hands it to
        /// `store(row, column, value)`.
        #[inline]
        #[target_feature(enable = $features)]
        fn both<const I: usize, const O: usize>(
            transform: impl Fn([Vector; I]) -> [Vector; O],
            load: impl Fn(usize, usize) -> Vector,
            mut store: impl FnMut(usize, usize, Vector),
        ) {
            let mut rows = [[vector::zero(); I]; O];
            for column in 0..I {
                let mut values = [vector::zero(); I];
                for (row, value) in values.iter_mut().enumerate() {
                    *value = load(row, column);
                }
                for (row, value) in rows.iter_mut().zip(transform(values)) {
                    row[column] = value;
                }
            }
            for (i, row) in rows.into_iter().enumerate() {
                for (j, value) in transform(row).into_iter().enumerate() {
                    store(i, j, value);
                }
            }
        }

        /// Which of `count` neighbours, the first of them at `at`, lie in `0..len`.
        fn inside(at: isize, count: usize, len: usize) -> Range<usize> {
            let start = at.min(0).unsigned_abs().min(count);
            let end = len.saturating_add_signed(at.saturating_neg()).min(count);
            start..end.max(start)
        }

        /// Fails unless so many tiles of `channels` values lie in `len` values.
        fn check(layout: Layout, tiles: usize, channels: usize, len: usize) {
            let Layout { row, point, block } = layout;
            assert!(channels.is_multiple_of(BLOCK) && BLOCK.is_multiple_of(LANES), "channels: whole blocks");
            assert!((1..=RUN).contains(&tiles), "tiles of a run: 1 to {RUN}, not {tiles}");
            let last = (tiles - 1) * row + (POINTS - 1) * point + (channels / BLOCK - 1) * block + BLOCK;
            assert!(last <= len, "tiles of {last} values in {len}");
        }

        #[target_feature(enable = $features)]
        fn input<const M: usize>(
            image: &Image<'_>,
            channels: Range<usize>,
            at: [isize; 2],
            count: usize,
            to: &mut [f32],
            layout: Layout,
            columns: &mut [f32],
        ) {
            let Image { values, shape } = *image;
            assert_eq!(Some(values.len()), shape.checked_len(), "an image of another shape");
            assert!(channels.end <= shape.channels, "channels of an image");
            check(layout, count, channels.len(), to.len());
            assert!(columns.len() >= COLUMNS_LEN, "columns of a run");
            let wide = count * M + SIDE - M;
            let (rows, inside_columns) = (inside(at[0], SIDE, shape.height), inside(at[1], wide, shape.width));
            let whole = rows == (0..SIDE);
            let first = (at[0] * shape.width as isize + at[1]) * shape.channels as isize;
            let column = columns.as_mut_ptr();
            for c in (0..channels.len()).step_by(LANES) {
                let from = values.as_ptr().wrapping_offset(first).wrapping_add(channels.start + c);
                let pixel = |k: usize, l: usize| from.wrapping_add((k * shape.width + l) * shape.channels);
                for l in 0..wide {
                    let mut x = [vector::zero(); SIDE];
                    if inside_columns.contains(&l) {
                        for (k, x) in x.iter_mut().enumerate() {
                            if whole || rows.contains(&k) {
                                // SAFETY: this pixel lies in the image, and its length was asserted above.
                                *x = unsafe { vector::load(pixel(k, l)) };
                            }
                        }
                    }
                    for (i, value) in spread(x).into_iter().enumerate() {
                        // SAFETY: `wide` is at most `RUN * M + SIDE - M`, for which there is room as asserted above.
                        unsafe { vector::store(column.wrapping_add((l * SIDE + i) * LANES), value) }
                    }
                }
                for tile in 0..count {
                    let to = to.as_mut_ptr().wrapping_add(tile * layout.row + c / BLOCK * layout.block + c % BLOCK);
                    for i in 0..SIDE {
                        let mut x = [vector::zero(); SIDE];
                        for (l, x) in x.iter_mut().enumerate() {
                            // SAFETY: a column that was stored above.
                            *x = unsafe { vector::load(column.wrapping_add(((tile * M + l) * SIDE + i) * LANES)) };
                        }
                        for (j, value) in spread(x).into_iter().enumerate() {
                            // SAFETY: all tiles, points and channels lie in `to` as asserted above.
                            unsafe { vector::store(to.wrapping_add((i * SIDE + j) * layout.point), value) }
                        }
                    }
                }
            }
        }

        #[target_feature(enable = $features)]
        fn gradient<const M: usize>(image: &Image<'_>, at: [usize; 2], count: usize, to: &mut [f32], layout: Layout) {
            let Image { values, shape } = *image;
            let channels = shape.channels;
            assert_eq!(Some(values.len()), shape.checked_len(), "an image of another shape");
            check(layout, count, channels, to.len());
            let rows = shape.height.saturating_sub(at[0]).min(M);
            for tile in 0..count {
                let column = at[1] + tile * M;
                let columns = shape.width.saturating_sub(column).min(M);
                let from = values.as_ptr().wrapping_add((at[0] * shape.width + column) * channels);
                for c in (0..channels).step_by(LANES) {
                    let to = to.as_mut_ptr().wrapping_add(tile * layout.row + c / BLOCK * layout.block + c % BLOCK);
                    let load = |k: usize, l: usize| {
                        if k < rows && l < columns {
                            // SAFETY: this pixel lies in the image, and its length was asserted above.
                            unsafe { vector::load(from.wrapping_add((k * shape.width + l) * channels + c)) }
                        } else {
                            vector::zero()
                        }
                    };
                    // SAFETY: all tiles, points and channels lie in `to` as asserted above.
                    let store = |i: usize, j: usize, value| unsafe {
                        vector::store(to.wrapping_add((i * SIDE + j) * layout.point), value)
                    };
                    both(|x| evaluate::<M>(x), load, store);
                }
            }
        }

        /// Windows of 2 x 2 pixels along a side of a tile, which has 4 or 6.
        const MOST_WINDOWS: usize = 3;

        #[target_feature(enable = $features)]
        fn output<const M: usize>(from: &[f32], layout: Layout, count: usize, to: Output<'_>) {
            let Output { mut pixels, width, rows, columns, pool, bias, relu } = to;
            let (filters, stride) = (pixels.columns(), pixels.stride());
            check(layout, count, filters, from.len());
            let (rows, columns) = (rows.min(M), columns.min(count * M));
            let stored = if pool { [rows.div_ceil(2), columns.div_ceil(2)] } else { [rows, columns] };
            let last = stored[0].saturating_sub(1) * width + stored[1];
            assert!(last <= pixels.rows(), "the image ends before the run");
            assert!(bias.is_none_or(|bias| bias.len() >= filters), "bias: one value a filter");
            for tile in 0..count {
                for f in (0..filters).step_by(LANES) {
                    let at = tile * layout.row + f / BLOCK * layout.block + f % BLOCK;
                    let from = from.as_ptr().wrapping_add(at);
                    let bias = match bias {
                        // SAFETY: asserted above.
                        Some(bias) => unsafe { vector::load(bias.as_ptr().wrapping_add(f)) },
                        None => vector::zero(),
                    };
                    let to = pixels.start().wrapping_add(f);
                    let pixel = |i: usize, column: usize| to.wrapping_add((i * width + column) * stride);
                    let mut maxima = [[vector::splat(f32::NEG_INFINITY); MOST_WINDOWS]; MOST_WINDOWS];
                    both(
                        |x| collect::<M>(x),
                        // SAFETY: all tiles, points and filters lie in `from` as asserted above.
                        |i, j| unsafe { vector::load(from.wrapping_add((i * SIDE + j) * layout.point)) },
                        |i, j, value| {
                            let column = tile * M + j;
                            if i < rows && column < columns {
                                let sum = vector::add(value, bias);
                                let sum = if relu { vector::max(vector::zero(), sum) } else { sum };
                                if pool {
                                    let maximum = &mut maxima[i / 2][j / 2];
                                    *maximum = vector::max(sum, *maximum);
                                } else {
                                    // SAFETY: these rows and columns lie in the image as asserted above.
                                    unsafe { vector::store(pixel(i, column), sum) }
                                }
                            }
                        },
                    );
                    if pool {
                        for (i, maxima) in maxima.iter().enumerate().take(M / 2) {
                            for (j, maximum) in maxima.iter().enumerate().take(M / 2) {
                                let column = tile * (M / 2) + j;
                                if i < stored[0] && column < stored[1] {
                                    // SAFETY: as above.
                                    unsafe { vector::store(pixel(i, column), *maximum) }
                                }
                            }
                        }
                    }
                }
            }
        }

        #[target_feature(enable = $features)]
        fn kernel<const R: usize>(from: &[f32], len: usize, first: usize, mut to: MatrixMut<'_>) {
            let (columns, stride) = (to.columns(), to.stride());
            assert!(to.rows() == POINTS && columns.is_multiple_of(LANES), "points: whole vectors");
            assert!((R * R - 1) * len + first + columns <= from.len(), "the kernel ends before its taps");
            for column in (0..columns).step_by(LANES) {
                let tap = from.as_ptr().wrapping_add(first + column);
                let to = to.start().wrapping_add(column);
                both(
                    |x| weigh(evaluate::<R>(x)),
                    // SAFETY: `R` x `R` vectors, `len` apart, lie in `from` as asserted above.
                    |i, j| unsafe { vector::load(tap.wrapping_add((i * R + j) * len)) },
                    // SAFETY: the matrix has `POINTS` rows and these columns.
                    |i, j, value| unsafe { vector::store(to.wrapping_add((i * SIDE + j) * stride), value) },
                );
            }
        }

        #[target_feature(enable = $features)]
        fn kernel_gradient<const R: usize>(
            from: &[f32],
            each: usize,
            layout: Layout,
            filters: usize,
            first: usize,
            mut to: MatrixMut<'_>,
        ) {
            let (columns, row) = (to.columns(), to.stride());
            assert!(to.rows() == R * R && columns.is_multiple_of(LANES), "taps: whole vectors");
            assert!(filters.is_multiple_of(BLOCK) && first.is_multiple_of(LANES), "filters: whole blocks");
            assert!(each > 0 && from.len().is_multiple_of(each), "whole sums");
            let Layout { row: channel, point, block } = layout;
            let last = (first + columns).div_ceil(filters) * channel;
            assert!(last <= each && (POINTS - 1) * point + (filters / BLOCK - 1) * block + BLOCK <= channel, "sums");
            for column in (0..columns).step_by(LANES) {
                let (c, f) = ((first + column) / filters, (first + column) % filters);
                let from_first = from.as_ptr().wrapping_add(c * channel + f / BLOCK * block + f % BLOCK);
                let to = to.start().wrapping_add(column);
                both(
                    |x| collect::<R>(weigh(x)),
                    |i, j| {
                        let mut sum = vector::zero();
                        for group in (0..from.len()).step_by(each) {
                            let at = from_first.wrapping_add(group + (i * SIDE + j) * point);
                            // SAFETY: all points of this channel and filter lie in each sum as asserted above.
                            sum = vector::add(sum, unsafe { vector::load(at) });
                        }
                        sum
                    },
                    // SAFETY: the matrix has `R` x `R` rows and these columns.
                    |i, j, value| unsafe { vector::store(to.wrapping_add((i * R + j) * row), value) },
                );
            }
        }
    };
}

pub(super) use define_winograd_f32;
