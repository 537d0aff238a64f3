//! The inner loops of [`conv_s8`](super::conv_s8), written once for all widths of vectors.

/// Defines [`ConvIsa`](super::conv_s8::ConvIsa) for a token in terms of the modules `super::vector_s8` and
/// `super::requantize` of its instruction set.
///
/// `pixels` are the tiles that exist, widest first, each compiled apart so that all sums are registers.
macro_rules! define_conv_s8 {
    ($token:ty, $features:literal, pixels: [$most:literal, $($pixels:literal),*]) => {
        use super::requantize::ConvScale;
        use super::vector_s8::{self as vector, GROUP, LANES, OFFSET, Value};
        use crate::arch::generic::conv_s8::{Area, Band, ConvIsa, VECTORS};
        use crate::arch::window::Axis;
        use crate::int8::ConvS8;

        /// Runs `layer` over one sample.
        pub(in crate::arch) fn conv_s8(
            isa: $token,
            layer: &ConvS8<'_>,
            input: &[i8],
            output: &mut [i8],
            scratch: &mut [i32],
        ) {
            crate::arch::generic::conv_s8::conv_s8(isa, layer, input, output, scratch);
        }

        /// The words of scratch that [`conv_s8`] needs.
        pub(in crate::arch) const fn conv_s8_scratch_len(
            geometry: &crate::geometry::Geometry,
            pool: Option<crate::geometry::Geometry>,
        ) -> usize {
            crate::arch::generic::conv_s8::conv_s8_scratch_len(geometry, pool, LANES, GROUP)
        }

        impl ConvIsa for $token {
            const LANES: usize = LANES;
            const GROUP: usize = GROUP;
            const OFFSET: i32 = OFFSET;
            type Value = Value;

            #[inline(always)]
            fn value(input: i8) -> Value {
                vector::value(input)
            }

            fn pack(self, rows: &[i8], stride: usize, filters: usize, run: usize, words: &mut [i32]) {
                assert!((1..=LANES).contains(&filters) && rows.len() >= (filters - 1) * stride + run);
                assert!(words.len() >= run.div_ceil(GROUP) * LANES);
                // SAFETY: the token proves that the CPU has the instructions, and the extents are checked.
                unsafe { pack(rows, stride, filters, run, words) }
            }

            fn add_words(self, words: &[i32], sums: &mut [i32]) {
                assert!(words.len().is_multiple_of(LANES) && sums.len() >= LANES);
                // SAFETY: the token proves that the CPU has the instructions, and the extents are checked.
                unsafe { add_words(words, sums) }
            }

            fn area(self, area: &Area<'_, Value>, sums: &mut [i32]) {
                area.check(LANES, GROUP, sums.len());
                match area.vectors {
                    // SAFETY: the token proves that the CPU has the instructions, and the extents are checked.
                    1 => unsafe { compute::<1>(area, sums) },
                    // SAFETY: as above.
                    _ => unsafe { compute::<VECTORS>(area, sums) },
                }
            }

            fn finish(self, band: &Band<'_>, output: &mut [i8]) {
                match band.vectors {
                    // SAFETY: the token proves that the CPU has the instructions.
                    1 => unsafe { finish::<1>(band, output) },
                    // SAFETY: as above.
                    _ => unsafe { finish::<VECTORS>(band, output) },
                }
            }
        }

        /// Squares of values, transposed.
        ///
        /// # Safety
        ///
        /// `rows` must hold `filters` rows, `words` the words of `run` values.
        #[target_feature(enable = $features)]
        unsafe fn pack(rows: &[i8], stride: usize, filters: usize, run: usize, words: &mut [i32]) {
            for (words, done) in words.chunks_mut(LANES * LANES).zip((0..run).step_by(LANES * GROUP)) {
                let part = (run - done).min(LANES * GROUP);
                let mut square = [vector::splat(0); LANES];
                for (lane, row) in square.iter_mut().enumerate().take(filters) {
                    *row = vector::load_values(&rows[lane * stride + done..][..part]);
                }
                for (word, row) in words.chunks_exact_mut(LANES).zip(vector::transpose(square)) {
                    // SAFETY: the chunk is a vector.
                    unsafe { vector::store(word.as_mut_ptr(), row) };
                }
            }
        }

        /// # Safety
        ///
        /// `sums` must have room for a vector.
        #[target_feature(enable = $features)]
        unsafe fn add_words(words: &[i32], sums: &mut [i32]) {
            let mut total = vector::zero();
            for word in words.chunks_exact(LANES) {
                // SAFETY: the chunk is a vector.
                let word = unsafe { vector::load(word.as_ptr()) };
                total = vector::add_values(total, word);
            }
            let total = vector::total(total);
            // SAFETY: the caller's promise.
            unsafe { vector::store(sums.as_mut_ptr(), total) };
        }

        /// All tiles of an area: wide ones, then the narrowest that holds what is left.
        ///
        /// # Safety
        ///
        /// The area must have passed [`Area::check`].
        #[target_feature(enable = $features)]
        unsafe fn compute<const V: usize>(area: &Area<'_, Value>, sums: &mut [i32]) {
            let [rows, columns] = area.pixels.clone();
            let mut left = rows.len() * columns.len();
            let mut next = [rows.start, columns.start];
            while left > 0 {
                let count = left.min($most);
                match count {
                    $(
                        // SAFETY: the caller's promise.
                        0..=$pixels => unsafe { tile::<V, $pixels>(area, &mut next, count, sums) },
                    )*
                    // SAFETY: the caller's promise.
                    _ => unsafe { tile::<V, $most>(area, &mut next, count, sums) },
                }
                left -= count;
            }
        }

        /// The sums of the next `count` pixels.
        ///
        /// # Safety
        ///
        /// The area must have passed [`Area::check`], and as many pixels must be left.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn tile<const V: usize, const P: usize>(
            area: &Area<'_, Value>,
            next: &mut [usize; 2],
            count: usize,
            sums: &mut [i32],
        ) {
            // Where there are less than P pixels, the last is computed more than once.
            let (mut from, mut to) = ([area.image.as_ptr(); P], [0; P]);
            for pixel in 0..P {
                let [y, x] = *next;
                from[pixel] = from[pixel].wrapping_add(y * area.steps[0] + x * area.steps[1]);
                to[pixel] = ((y - area.origin) * area.width + x) * V * LANES;
                if pixel + 1 < count {
                    advance(next, area);
                }
            }
            advance(next, area);

            let mut tile = [[vector::zero(); P]; V];
            let [rows, words] = area.part;
            let mut weights = area.weights.as_ptr();
            let mut start_of_row = 0;
            for _ in 0..rows {
                let mut row_weights = weights;
                let mut k = start_of_row;
                for _ in 0..words {
                    let mut filters = [vector::splat(0); V];
                    for (v, filters) in filters.iter_mut().enumerate() {
                        let at = row_weights.wrapping_add(v * area.weight_steps[1]);
                        // SAFETY: checked with the area: the part's words of all vectors lie in the weights.
                        *filters = unsafe { vector::load(at) };
                    }
                    for pixel in 0..P {
                        // SAFETY: checked with the area: the part's words of all pixels lie in the image.
                        let values = unsafe { vector::splat_word(from[pixel].wrapping_add(k)) };
                        for v in 0..V {
                            tile[v][pixel] = vector::dot(tile[v][pixel], values, filters[v]);
                        }
                    }
                    row_weights = row_weights.wrapping_add(LANES);
                    k += GROUP;
                }
                weights = weights.wrapping_add(area.weight_steps[0]);
                start_of_row += area.pitch;
            }

            for v in 0..V {
                // SAFETY: checked with the area: there is a start for each lane.
                let start = unsafe { vector::load(area.start.as_ptr().wrapping_add(v * LANES)) };
                for pixel in 0..P {
                    let sum = vector::add(vector::total(tile[v][pixel]), start);
                    // SAFETY: checked with the area: its pixels lie in the sums.
                    unsafe { vector::store(sums.as_mut_ptr().wrapping_add(to[pixel] + v * LANES), sum) };
                }
            }
        }

        /// The pixel after this one.
        #[inline(always)]
        fn advance(next: &mut [usize; 2], area: &Area<'_, Value>) {
            next[1] += 1;
            if next[1] == area.pixels[1].end {
                *next = [next[0] + 1, area.pixels[1].start];
            }
        }

        /// The maxima of the windows, requantised.
        #[target_feature(enable = $features)]
        fn finish<const V: usize>(band: &Band<'_>, output: &mut [i8]) {
            let windows = band.windows;
            let (width, channels) = (windows.output().width, windows.output().channels);
            let (rows, columns) = (Axis::rows(windows), Axis::columns(windows));
            let pixels = band.sums.as_chunks::<LANES>().0;
            let scales: [ConvScale; V] =
                core::array::from_fn(|v| ConvScale::new(band.requantize, band.filters.start + v * LANES));
            for y in band.rows.clone() {
                let pixel_rows = rows.taps(y);
                let first_row = rows.source(y, pixel_rows.start) - band.origin;
                for x in 0..width {
                    let pixel_columns = columns.taps(x);
                    let first_column = columns.source(x, pixel_columns.start);
                    let mut largest = [vector::splat(i32::MIN); V];
                    for row in first_row..first_row + pixel_rows.len() {
                        let start = (row * columns.input + first_column) * V;
                        for sums in pixels[start..][..pixel_columns.len() * V].as_chunks::<V>().0 {
                            for (largest, sums) in largest.iter_mut().zip(sums) {
                                // SAFETY: the chunk is a vector.
                                *largest = vector::max(*largest, unsafe { vector::load(sums.as_ptr()) });
                            }
                        }
                    }
                    let output = &mut output[(y * width + x) * channels..][band.filters.clone()];
                    for v in 0..V {
                        let output = &mut output[v * LANES..];
                        let count = output.len().min(LANES);
                        scales[v].apply(largest[v], &mut output[..count]);
                    }
                }
            }
        }
    };
}
pub(in crate::arch) use define_conv_s8;
