//! The inner loops of [`depthwise_f32`](crate::arch::generic::depthwise_f32), written once for both vector widths.

use crate::arch::generic::depthwise_f32::Taps;

/// Fails unless slices of these lengths, and a kernel of so many taps, hold what the positions take in so many
/// channels.
pub(super) fn check(taps: &Taps, channels: usize, [x, y]: [usize; 2], first: usize, kernel: usize) {
    assert!(taps.reach_of_y() + channels <= y, "the outputs end early");
    if !taps.is_empty() {
        assert!(taps.reach_of_x() + channels <= x, "the inputs end early");
        let [rows, columns] = [0, 1].map(|i| (taps.taps[i] - 1) as isize * taps.kernel[i]);
        let lowest = first.checked_add_signed(rows.min(0) + columns.min(0));
        let highest = first.checked_add_signed(rows.max(0) + columns.max(0));
        assert!(lowest.is_some() && highest.is_some_and(|tap| tap < kernel), "the kernel ends early");
    }
}

/// Implements `Depthwise` in terms of the module `super::vector`, for a token type and its instructions.
macro_rules! define_depthwise_f32 {
    ($token:ident, $features:literal) => {
        use super::vector::{self, LANES, Mask, Vector};
        use crate::arch::{
            Weights,
            generic::depthwise_f32::{Depthwise, Taps},
            matrix::MatrixMut,
            x86_64::{depthwise_f32::check, $token},
        };

        impl Depthwise for $token {
            fn sums(
                self,
                taps: &Taps,
                channels: usize,
                x: &[f32],
                weights: Weights<'_>,
                first: usize,
                y: &mut [f32],
                next: [usize; 2],
            ) {
                check(taps, channels, [x.len(), y.len()], first, weights.kernel.len() / channels);
                assert!(weights.bias.is_none_or(|bias| bias.len() >= channels), "the bias ends early");
                let sums = Sums {
                    taps,
                    channels,
                    kernel: weights.kernel.as_ptr().wrapping_add(first * channels),
                    bias: weights.bias.map(<[f32]>::as_ptr),
                    relu: weights.relu,
                    next,
                };
                // SAFETY: the token proves that the CPU has the instructions; what is read and written lies in the
                // slices.
                unsafe { lines(&sums, x.as_ptr(), y.as_mut_ptr()) }
            }

            fn products(
                self,
                taps: &Taps,
                x: &[f32],
                dy: &[f32],
                first: usize,
                dkernel: &mut MatrixMut<'_>,
                next: [usize; 2],
            ) {
                let (channels, row) = (dkernel.columns(), dkernel.stride());
                check(taps, channels, [x.len(), dy.len()], first, dkernel.rows());
                let (x, dy, to) = (x.as_ptr(), dy.as_ptr(), dkernel.start().wrapping_add(first * row));
                for c in (0..channels).step_by(LANES) {
                    let products = Products {
                        taps,
                        x: x.wrapping_add(c),
                        dy: dy.wrapping_add(c),
                        next,
                        to: to.wrapping_add(c),
                        row,
                    };
                    // SAFETY: the token proves that the CPU has the instructions; what is read lies in the slices, and
                    // what is written in the matrix.
                    unsafe { products.add((channels - c).min(LANES)) }
                }
            }
        }

        /// What [`Depthwise::sums`] makes.
        struct Sums<'a> {
            taps: &'a Taps,
            channels: usize,
            kernel: *const f32,
            bias: Option<*const f32>,
            relu: bool,
            next: [usize; 2],
        }

        /// # Safety
        ///
        /// All that the taps reach of `x`, kernel and bias must be readable, the positions of `y` writable.
        #[target_feature(enable = $features)]
        unsafe fn lines(sums: &Sums<'_>, x: *const f32, y: *mut f32) {
            let Taps { positions, x_position, y_position, .. } = *sums.taps;
            for line in 0..positions[0] {
                let (x, y) = (x.wrapping_add(line * x_position[0]), y.wrapping_add(line * y_position[0]));
                let mut at = 0;
                while at < positions[1] {
                    let left = positions[1] - at;
                    let (x, y) = (x.wrapping_add(at * x_position[1]), y.wrapping_add(at * y_position[1]));
                    // SAFETY: as many positions as there are.
                    at += unsafe {
                        match left {
                            1 => tile::<1>(sums, x, y),
                            2 => tile::<2>(sums, x, y),
                            3 => tile::<3>(sums, x, y),
                            _ => tile::<4>(sums, x, y),
                        }
                    };
                }
            }
        }

        /// All channels of `COLUMNS` positions.
        ///
        /// # Safety
        ///
        /// As [`lines`].
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn tile<const COLUMNS: usize>(sums: &Sums<'_>, x: *const f32, y: *mut f32) -> usize {
            let (mut c, none) = (0, vector::mask(LANES));
            while c < sums.channels {
                // SAFETY: as many channels as there are.
                c += unsafe {
                    match sums.channels - c {
                        left if left >= 2 * LANES => strip::<COLUMNS, 2, true>(sums, c, x, y, none),
                        left if left >= LANES => strip::<COLUMNS, 1, true>(sums, c, x, y, none),
                        left => strip::<COLUMNS, 1, false>(sums, c, x, y, vector::mask(left)),
                    }
                };
            }
            COLUMNS
        }

        /// # Safety
        ///
        /// The values that count must be readable.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn load<const WHOLE: bool>(from: *const f32, mask: Mask) -> Vector {
            // SAFETY: the caller's promise.
            unsafe { if WHOLE { vector::load(from) } else { vector::load_masked(from, mask) } }
        }

        /// # Safety
        ///
        /// The values that count must be writable.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn store<const WHOLE: bool>(to: *mut f32, mask: Mask, values: Vector) {
            // SAFETY: the caller's promise.
            unsafe { if WHOLE { vector::store(to, values) } else { vector::store_masked(to, mask, values) } }
        }

        /// Channels `c..` of `COLUMNS` positions, `VECTORS` of them, of which all lanes count where `WHOLE`.
        ///
        /// # Safety
        ///
        /// As [`lines`].
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn strip<const COLUMNS: usize, const VECTORS: usize, const WHOLE: bool>(
            sums: &Sums<'_>,
            c: usize,
            x: *const f32,
            y: *mut f32,
            mask: Mask,
        ) -> usize {
            let Taps { taps, x: x_tap, x_position, y_position, .. } = *sums.taps;
            let kernel_tap = sums.taps.kernel.map(|step| step * sums.channels as isize);
            for p in 0..COLUMNS {
                // What comes next arrives meanwhile: memory is what this waits for.
                for v in 0..VECTORS {
                    let at = c + v * LANES;
                    vector::prefetch_to_second(x.wrapping_add(p * x_position[1] + at + sums.next[0]));
                    vector::prefetch_to_write(y.wrapping_add(p * y_position[1] + at + sums.next[1]));
                }
            }
            let mut totals = [[vector::zero(); VECTORS]; COLUMNS];
            if let Some(bias) = sums.bias {
                for v in 0..VECTORS {
                    // SAFETY: the caller promises a value of bias a channel.
                    let bias = unsafe { load::<WHOLE>(bias.wrapping_add(c + v * LANES), mask) };
                    totals.iter_mut().for_each(|totals| totals[v] = bias);
                }
            }
            let pixels: [*const f32; COLUMNS] =
                core::array::from_fn(|p| core::hint::black_box(x.wrapping_add(c + p * x_position[1])));
            for i in 0..taps[0] {
                let mut kernel = sums.kernel.wrapping_add(c).wrapping_offset(i as isize * kernel_tap[0]);
                let mut at = i * x_tap[0];
                for _ in 0..taps[1] {
                    for v in 0..VECTORS {
                        // SAFETY: the caller promises the taps of the kernel.
                        let weights = unsafe { load::<WHOLE>(kernel.wrapping_add(v * LANES), mask) };
                        for (totals, pixel) in totals.iter_mut().zip(pixels) {
                            // SAFETY: the caller promises what the taps reach of the input.
                            let x = unsafe { load::<WHOLE>(pixel.wrapping_add(at + v * LANES), mask) };
                            totals[v] = vector::multiply_add(x, weights, totals[v]);
                        }
                    }
                    at += x_tap[1];
                    kernel = kernel.wrapping_offset(kernel_tap[1]);
                }
            }
            for (p, totals) in totals.iter().enumerate() {
                for (v, total) in totals.iter().enumerate() {
                    let total = if sums.relu { vector::max(vector::zero(), *total) } else { *total };
                    // SAFETY: the caller promises the positions of the output.
                    unsafe { store::<WHOLE>(y.wrapping_add(c + p * y_position[1] + v * LANES), mask, total) }
                }
            }
            VECTORS * LANES
        }

        /// What [`Depthwise::products`] makes, of a vector's channels.
        #[derive(Clone, Copy)]
        struct Products<'a> {
            taps: &'a Taps,
            x: *const f32,
            dy: *const f32,
            next: [usize; 2],
            to: *mut f32,
            row: usize,
        }

        impl Products<'_> {
            /// # Safety
            ///
            /// All that the taps reach of `x` and `dy` in so many channels must be readable, and so many columns of the
            /// taps' rows of `to` readable, writable and no one else's.
            #[target_feature(enable = $features)]
            unsafe fn add(self, channels: usize) {
                let (whole, mask) = (channels == LANES, vector::mask(channels));
                let [rows, columns] = self.taps.taps;
                for i in (0..rows).step_by(3) {
                    for j in (0..columns).step_by(3) {
                        // SAFETY: taps of the caller's.
                        unsafe {
                            match ((rows - i).min(3), (columns - j).min(3), whole) {
                                (3, 3, true) => self.block::<3, 3, true>([i, j], mask),
                                (3, 2, true) => self.block::<3, 2, true>([i, j], mask),
                                (2, 3, true) => self.block::<2, 3, true>([i, j], mask),
                                (2, 2, true) => self.block::<2, 2, true>([i, j], mask),
                                (3, 3, false) => self.block::<3, 3, false>([i, j], mask),
                                (rows, columns, _) => {
                                    for at in 0..rows * columns {
                                        self.block::<1, 1, false>([i + at / columns, j + at % columns], mask);
                                    }
                                }
                            }
                        }
                    }
                }
            }

            /// Adds the products of `ROWS` x `COLUMNS` taps from `first` on.
            ///
            /// # Safety
            ///
            /// As [`Self::add`].
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn block<const ROWS: usize, const COLUMNS: usize, const WHOLE: bool>(
                self,
                first: [usize; 2],
                mask: Mask,
            ) {
                let Taps { x: x_tap, kernel, positions, x_position, y_position, .. } = *self.taps;
                let to = |i: usize, j: usize| {
                    let tap = (first[0] + i) * kernel[0] as usize + (first[1] + j) * kernel[1] as usize;
                    self.to.wrapping_add(tap * self.row)
                };
                let mut totals = [[vector::zero(); COLUMNS]; ROWS];
                for (i, totals) in totals.iter_mut().enumerate() {
                    for (j, total) in totals.iter_mut().enumerate() {
                        // SAFETY: the caller promises the taps' rows.
                        *total = unsafe { load::<WHOLE>(to(i, j), mask) };
                    }
                }
                let x = self.x.wrapping_add(first[0] * x_tap[0] + first[1] * x_tap[1]);
                for line in 0..positions[0] {
                    let mut dy = self.dy.wrapping_add(line * y_position[0]);
                    let mut lines: [*const f32; ROWS] =
                        core::array::from_fn(|i| x.wrapping_add(line * x_position[0] + i * x_tap[0]));
                    for _ in 0..positions[1] {
                        // Channels are no stream that the CPU would see.
                        vector::prefetch_to_second(lines[0].wrapping_add(self.next[0]));
                        vector::prefetch_to_second(dy.wrapping_add(self.next[1]));
                        // SAFETY: the caller promises the positions.
                        let gradient = unsafe { load::<WHOLE>(dy, mask) };
                        for (totals, line) in totals.iter_mut().zip(lines) {
                            for (j, total) in totals.iter_mut().enumerate() {
                                // SAFETY: the caller promises what the taps reach.
                                let x = unsafe { load::<WHOLE>(line.wrapping_add(j * x_tap[1]), mask) };
                                *total = vector::multiply_add(x, gradient, *total);
                            }
                        }
                        dy = dy.wrapping_add(y_position[1]);
                        lines = lines.map(|line| line.wrapping_add(x_position[1]));
                    }
                }
                for (i, totals) in totals.iter().enumerate() {
                    for (j, total) in totals.iter().enumerate() {
                        // SAFETY: the caller promises the taps' rows.
                        unsafe { store::<WHOLE>(to(i, j), mask, *total) }
                    }
                }
            }
        }
    };
}

pub(super) use define_depthwise_f32;
