//! The inner loops of [`depthwise_f32`](crate::arch::generic::depthwise_f32), written once for both vector widths.

use crate::arch::generic::depthwise_f32::{SHARED, Taps};

/// Fails unless slices of these lengths, and a kernel of so many taps, hold what the positions take in so many
/// channels of the kernel, or if too many of these share one of the input or the output.
pub(super) fn check(taps: &Taps, channels: usize, [x, y]: [usize; 2], first: usize, kernel: usize) {
    let is_shared = |&shared: &usize| shared <= SHARED && channels.is_multiple_of(shared);
    assert!(taps.shared.iter().all(is_shared) && taps.shared.contains(&1), "channels that share nothing");
    let [from, to] = taps.shared.map(|shared| channels / shared);
    assert!(taps.reach_of_y() + to <= y, "the outputs end early");
    if !taps.is_empty() {
        assert!(taps.reach_of_x() + from <= x, "the inputs end early");
        let [rows, columns] = [0, 1].map(|i| (taps.taps[i] - 1) as isize * taps.kernel[i]);
        let lowest = first.checked_add_signed(rows.min(0) + columns.min(0));
        let highest = first.checked_add_signed(rows.max(0) + columns.max(0));
        assert!(lowest.is_some() && highest.is_some_and(|tap| tap < kernel), "the kernel ends early");
    }
}

/// Implements `Depthwise` in terms of the module `super::vector`, for a token type and its instructions.
macro_rules! define_depthwise_f32 {
    ($token:ident, $features:literal) => {
        use super::vector::{self, LANES, Mask, Places, Vector};
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
                assert!(taps.shared[1] == 1 || (weights.bias.is_none() && !weights.relu), "these are no outputs yet");
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
                unsafe {
                    match taps.shared {
                        [1, 1] => lines::<false>(&sums, x.as_ptr(), y.as_mut_ptr()),
                        _ => lines::<true>(&sums, x.as_ptr(), y.as_mut_ptr()),
                    }
                }
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
                let products = Products { taps, x, dy, next, to, row };
                // SAFETY: the token proves that the CPU has the instructions; what is read lies in the slices, and what
                // is written in the matrix.
                unsafe { products.add_all(channels) }
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
        unsafe fn lines<const SHARED: bool>(sums: &Sums<'_>, x: *const f32, y: *mut f32) {
            let Taps { positions, x_position, y_position, shared, .. } = *sums.taps;
            let lanes = Lanes::new(shared);
            for line in 0..positions[0] {
                let (x, y) = (x.wrapping_add(line * x_position[0]), y.wrapping_add(line * y_position[0]));
                let mut at = 0;
                while at < positions[1] {
                    let left = positions[1] - at;
                    let (x, y) = (x.wrapping_add(at * x_position[1]), y.wrapping_add(at * y_position[1]));
                    // SAFETY: as many positions as there are.
                    at += unsafe {
                        match left {
                            1 => tile::<1, SHARED>(sums, x, y, &lanes),
                            2 => tile::<2, SHARED>(sums, x, y, &lanes),
                            3 => tile::<3, SHARED>(sums, x, y, &lanes),
                            _ => tile::<4, SHARED>(sums, x, y, &lanes),
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
        unsafe fn tile<const COLUMNS: usize, const SHARED: bool>(
            sums: &Sums<'_>,
            x: *const f32,
            y: *mut f32,
            lanes: &Lanes,
        ) -> usize {
            if SHARED {
                // SAFETY: the caller's promise.
                unsafe { shared_tile::<COLUMNS>(sums, x, y, lanes) }
                return COLUMNS;
            }
            let mut c = 0;
            while c < sums.channels {
                let (x, y) = (x.wrapping_add(c), y.wrapping_add(c));
                // SAFETY: as many channels as there are.
                c += unsafe {
                    match sums.channels - c {
                        left if left >= 2 * LANES => strip::<COLUMNS, 2, true, false>(sums, c, x, y, lanes),
                        left if left >= LANES => strip::<COLUMNS, 1, true, false>(sums, c, x, y, lanes),
                        left => strip::<COLUMNS, 1, false, false>(sums, c, x, y, &lanes.first(left, 1)),
                    }
                };
            }
            COLUMNS
        }

        /// [`tile`], where channels of the kernel share one of the input or of the output: in a vector as many as share
        /// whole ones.
        ///
        /// # Safety
        ///
        /// As [`lines`].
        #[target_feature(enable = $features)]
        unsafe fn shared_tile<const COLUMNS: usize>(sums: &Sums<'_>, x: *const f32, y: *mut f32, lanes: &Lanes) {
            let [of_x, of_y] = sums.taps.shared;
            // From strip to strip of the input and of the output.
            let (step_x, step_y) = (lanes.count / of_x, lanes.count / of_y);
            let (mut c, mut x, mut y) = (0, x, y);
            while c + lanes.count <= sums.channels {
                // SAFETY: as many channels as there are.
                unsafe {
                    match lanes.count {
                        LANES => strip::<COLUMNS, 1, true, true>(sums, c, x, y, lanes),
                        _ => strip::<COLUMNS, 1, false, true>(sums, c, x, y, lanes),
                    }
                };
                (c, x, y) = (c + lanes.count, x.wrapping_add(step_x), y.wrapping_add(step_y));
            }
            if c < sums.channels {
                let left = lanes.first(sums.channels - c, of_x);
                // SAFETY: as many channels as are left.
                unsafe { strip::<COLUMNS, 1, false, true>(sums, c, x, y, &left) };
            }
        }

        /// The lanes of a strip.
        struct Lanes {
            count: usize,
            /// Those that count.
            mask: Mask,
            /// Those that count of what is read of the input, and which of them each lane takes.
            of_x: Mask,
            places: Places,
        }

        impl Lanes {
            /// As many as share whole channels, which `shared` says of the input and of the output.
            #[inline]
            #[target_feature(enable = $features)]
            fn new([of_x, of_y]: [usize; 2]) -> Self {
                let count = LANES / (of_x * of_y) * (of_x * of_y);
                let [mask, of_x_mask] = [count, count / of_x].map(|count| vector::mask(count));
                Self { count, mask, of_x: of_x_mask, places: vector::repeated(of_x) }
            }

            /// The first `count` of them, of which `of_x` neighbours share a channel of the input.
            #[inline]
            #[target_feature(enable = $features)]
            fn first(&self, count: usize, of_x: usize) -> Self {
                let [mask, of_x] = [count, count / of_x].map(|count| vector::mask(count));
                Self { count, mask, of_x, places: self.places }
            }
        }

        /// Stores the sum of each `shared` lanes of the first `count`.
        ///
        /// # Safety
        ///
        /// As many values must be writable.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn store_sums(to: *mut f32, lanes: &Lanes, shared: usize, totals: Vector) {
            let mut values = [0.0f32; LANES];
            // SAFETY: the array has as many values as a vector.
            unsafe { vector::store(values.as_mut_ptr(), totals) };
            let (mut lane, mut to) = (0, to);
            while lane < lanes.count {
                let sum = values[lane..].iter().take(shared).sum();
                // SAFETY: the caller's promise.
                unsafe { *to = sum };
                (lane, to) = (lane + shared, to.wrapping_add(1));
            }
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

        /// What the lanes read of the input.
        ///
        /// # Safety
        ///
        /// The values that count must be readable.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn load_x<const WHOLE: bool, const SHARED: bool>(from: *const f32, lanes: &Lanes) -> Vector {
            if SHARED {
                // SAFETY: the caller's promise.
                return vector::take(unsafe { vector::load_masked(from, lanes.of_x) }, lanes.places);
            }
            // SAFETY: the caller's promise.
            unsafe { load::<WHOLE>(from, lanes.mask) }
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

        /// Channels `c..` of `COLUMNS` positions, `VECTORS` of them, of which all lanes count where `WHOLE`, and share
        /// channels of the input or of the output where `SHARED`. `x` and `y` begin at these channels.
        ///
        /// # Safety
        ///
        /// As [`lines`].
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn strip<const COLUMNS: usize, const VECTORS: usize, const WHOLE: bool, const SHARED: bool>(
            sums: &Sums<'_>,
            c: usize,
            x: *const f32,
            y: *mut f32,
            lanes: &Lanes,
        ) -> usize {
            let Taps { taps, x: x_tap, x_position, y_position, shared, .. } = *sums.taps;
            let mask = lanes.mask;
            let kernel_tap = sums.taps.kernel.map(|step| step * sums.channels as isize);
            for p in 0..COLUMNS {
                // What comes next arrives meanwhile: memory is what this waits for.
                for v in 0..VECTORS {
                    let at = v * LANES;
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
                core::array::from_fn(|p| core::hint::black_box(x.wrapping_add(p * x_position[1])));
            for i in 0..taps[0] {
                let mut kernel = sums.kernel.wrapping_add(c).wrapping_offset(i as isize * kernel_tap[0]);
                let mut at = i * x_tap[0];
                for _ in 0..taps[1] {
                    for v in 0..VECTORS {
                        // SAFETY: the caller promises the taps of the kernel.
                        let weights = unsafe { load::<WHOLE>(kernel.wrapping_add(v * LANES), mask) };
                        for (totals, pixel) in totals.iter_mut().zip(pixels) {
                            // SAFETY: the caller promises what the taps reach of the input.
                            let x = unsafe { load_x::<WHOLE, SHARED>(pixel.wrapping_add(at + v * LANES), lanes) };
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
                    let to = y.wrapping_add(p * y_position[1] + v * LANES);
                    // SAFETY: the caller promises the positions of the output.
                    unsafe {
                        if SHARED && shared[1] > 1 {
                            store_sums(to, lanes, shared[1], total);
                        } else {
                            store::<WHOLE>(to, mask, total);
                        }
                    }
                }
            }
            VECTORS * LANES
        }

        /// What [`Depthwise::products`] makes.
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
            /// Adds those of all channels, a vector of them after the other.
            ///
            /// # Safety
            ///
            /// As [`Self::add`].
            #[target_feature(enable = $features)]
            unsafe fn add_all(self, channels: usize) {
                let shared = self.taps.shared[0];
                let whole = Lanes::new([shared, 1]);
                let (mut c, mut products) = (0, self);
                while c < channels {
                    let lanes = whole.first(whole.count.min(channels - c), shared);
                    // SAFETY: the caller's promise, for the channels that are left.
                    unsafe { products.add(&lanes) }
                    c += whole.count;
                    products.x = products.x.wrapping_add(whole.count / shared);
                    products.dy = products.dy.wrapping_add(whole.count);
                    products.to = products.to.wrapping_add(whole.count);
                }
            }

            /// # Safety
            ///
            /// All that the taps reach of `x` and `dy` in so many channels must be readable, and so many columns of the
            /// taps' rows of `to` readable, writable and no one else's.
            #[target_feature(enable = $features)]
            unsafe fn add(self, lanes: &Lanes) {
                let (whole, shared) = (lanes.count == LANES, self.taps.shared[0]);
                let [rows, columns] = self.taps.taps;
                for i in (0..rows).step_by(3) {
                    for j in (0..columns).step_by(3) {
                        // SAFETY: taps of the caller's.
                        unsafe {
                            match ((rows - i).min(3), (columns - j).min(3), whole && shared == 1) {
                                (3, 3, true) => self.block::<3, 3, true, false>([i, j], lanes),
                                (3, 2, true) => self.block::<3, 2, true, false>([i, j], lanes),
                                (2, 3, true) => self.block::<2, 3, true, false>([i, j], lanes),
                                (2, 2, true) => self.block::<2, 2, true, false>([i, j], lanes),
                                (3, 3, false) if shared > 1 => self.block::<3, 3, false, true>([i, j], lanes),
                                (3, 3, false) => self.block::<3, 3, false, false>([i, j], lanes),
                                (rows, columns, _) => {
                                    for at in 0..rows * columns {
                                        let tap = [i + at / columns, j + at % columns];
                                        if shared > 1 {
                                            self.block::<1, 1, false, true>(tap, lanes);
                                        } else {
                                            self.block::<1, 1, false, false>(tap, lanes);
                                        }
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
            unsafe fn block<const ROWS: usize, const COLUMNS: usize, const WHOLE: bool, const SHARED: bool>(
                self,
                first: [usize; 2],
                lanes: &Lanes,
            ) {
                let mask = lanes.mask;
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
                                let x = unsafe { load_x::<WHOLE, SHARED>(line.wrapping_add(j * x_tap[1]), lanes) };
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
