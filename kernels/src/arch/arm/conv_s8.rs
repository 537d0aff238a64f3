//! Convolution, activation and optional max pooling on Cortex-M3 and up, four pixels and two filters at a time.
//!
//! ```text
//! for each four pixels (those of one pooling window, or neighbours)
//!     for each block of filters
//!         for each stretch of positions
//!             gather the pixels' inputs into a column, side by side, padding included
//!             for each pair of filters: multiply (see `tile`)
//!         maximum of the four, if pooled; requantise
//! ```
//!
//! A stretch bounds the column's memory whatever the kernel's size; the sums of a block wait in scratch from stretch to
//! stretch. Many layers are a single stretch: their column is gathered once, and their sums need no memory.
//!
//! Where the input rows that one row of windows reads fit into [`STRIP`], they are widened and padded first, once for all of
//! the row's windows. So a first layer of one channel has neither border checks nor bytes to unpack in its inner loops.
use super::Core;
use super::tile::{Run, Tile, Wide, Windows};
use crate::arch::scalar;
use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::quant::{ConvS8, Packing};
use core::ops::Range;

/// Pairs of filters whose sums wait in scratch at a time.
const BLOCK: usize = 32;

/// Words of scratch that a strip of widened input rows may take.
const STRIP: usize = 256;

/// How a core keeps the inputs of pixels, and multiplies them.
pub(super) trait Column {
    /// Positions of a stretch. Even, and at most [`crate::quant::Packing::SUM_LIMIT`].
    const POSITIONS: usize;

    /// Pixels in a column: the four, or two of them at a time.
    const PIXELS: usize;

    /// The words that two positions of a column's pixels take.
    const WORDS_FOR_TWO: usize;

    /// Positions of a step of the inner loop.
    const STEP: usize;

    /// The order of weights that the core reads.
    const PACKING: Packing;

    /// Whether sums go through tiles in any case, and start as the biases there by themselves. Such tiles have the even filter's
    /// sums first, others the odd one's.
    const WORKS_IN_TILES: bool;

    /// An input in a strip.
    type Wide: bytemuck::Pod + From<i8>;

    /// A bound of the outputs as the inner loop wants it.
    fn bound(value: i32) -> i32;

    /// Writes inputs as they are in a strip; both slices have the same length.
    fn widen(values: &[i8], wide: &mut [Self::Wide]);

    /// Writes `values` to the positions of `pixel` that follow `start`. Positions are written in rising order.
    fn copy(column: &mut [i32], start: usize, pixel: usize, values: &[i8]);

    /// Writes `value` to `count` positions of `pixel` that follow `start`.
    fn fill(column: &mut [i32], start: usize, pixel: usize, value: i8, count: usize);

    /// Requantises the largest of the four pixels' sums of each filter, if the core has a faster way than one by one; says
    /// whether it has.
    fn largest(_run: &Run<'_>, _tiles: &[Tile], _output: &mut [i8]) -> bool {
        false
    }
}

/// The words of a column of `positions` positions.
pub(super) const fn column_words(positions: usize) -> usize {
    positions.div_ceil(2) * Core::WORDS_FOR_TWO
}

/// How a layer's scratch is divided.
#[derive(Clone, Copy)]
struct Plan {
    /// Words of the strip; none if it would be too large.
    strip: usize,
    /// Rows of the strip, and inputs in a row.
    rows: usize,
    width: usize,
    /// Words of the column.
    column: usize,
    /// Tiles that wait.
    tiles: usize,
    /// Whether a column is a single stretch and all there is to an output, so that nothing waits.
    single: bool,
}

impl Plan {
    #[inline(never)]
    const fn new(geometry: &Geometry, pool: Option<Geometry>) -> Self {
        let window = match pool {
            Some(pool) => pool.kernel,
            None => [1, 1],
        };
        let rows = (window[0] - 1) * geometry.strides[0] + geometry.kernel[0];
        let width = (geometry.output.width - 1) * geometry.strides[1] + geometry.kernel[1];
        let width = width * geometry.input.channels;
        let strip = (rows * width * size_of::<Wide>()).div_ceil(4);
        let len = geometry.patch();
        let stretch = if len < Core::POSITIONS { len } else { Core::POSITIONS };
        let pairs = geometry.output.channels / 2;
        let block = if pairs < BLOCK { pairs } else { BLOCK };
        let single = len == stretch
            && pool.is_some()
            && window[0] * window[1] <= 4
            && pairs > 0
            && (pairs <= BLOCK || !Core::WORKS_IN_TILES);
        Self {
            strip: if strip <= STRIP && len == stretch { strip } else { 0 },
            rows,
            width,
            column: column_words(stretch),
            tiles: if single && !Core::WORKS_IN_TILES { 0 } else { block },
            single,
        }
    }
}

/// The words of scratch that [`conv_s8`] needs.
pub(in crate::arch) const fn conv_s8_scratch_len(geometry: &Geometry, pool: Option<Geometry>) -> usize {
    let plan = Plan::new(geometry, pool);
    plan.strip + plan.column + plan.tiles * (size_of::<Tile>() / 4)
}

/// Four pixels of the convolution's output, as row and column.
type Pixels = [[usize; 2]; 4];

/// What becomes of the four pixels' sums.
#[derive(Clone, Copy, PartialEq)]
enum Out {
    /// Each pixel is an output.
    Each,
    /// The largest is the output.
    Largest,
    /// The largest is the output if it exceeds what is there: the window has more than four pixels.
    LargerStill,
}

/// Runs `layer`, whose weights are packed in pairs, over one sample.
pub(in crate::arch) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    let (filters, width) = (layer.geometry.output.channels, layer.geometry.output.width);
    let plan = Plan::new(&layer.geometry, layer.pool);
    let (strip, scratch) = scratch.split_at_mut(plan.strip);
    let (column, tiles) = scratch.split_at_mut(plan.column);
    let (strip, tiles) = (bytemuck::cast_slice_mut(strip), tiles.as_chunks_mut::<8>().0);
    let mut engine = Engine { layer, input, plan, strip, strip_row: 0, column, tiles };
    // With a single stretch and windows of four pixels nothing waits, and one run does for all of them.
    let (pairs, len) = (filters / 2, layer.geometry.patch());
    let single = plan.single.then(|| Run::new(layer, 0, pairs, 0, len));
    let Some(pool) = layer.pool else {
        for (y, output) in output.chunks_exact_mut(width * filters).enumerate() {
            engine.widen(y);
            for (first, output) in (0..width).step_by(4).zip(output.chunks_mut(4 * filters)) {
                // Beyond the right end the last pixel fills up; it has no output there.
                let pixels = [first, first + 1, first + 2, first + 3].map(|x| [y, x.min(width - 1)]);
                engine.four_pixels(&pixels, Out::Each, output);
            }
        }
        return;
    };
    let (rows, columns) = (Axis::rows(&pool), Axis::columns(&pool));
    for (y, output) in output.chunks_exact_mut(pool.output.width * filters).enumerate() {
        let taps = rows.taps(y);
        let rows = rows.source(y, taps.start)..rows.source(y, taps.end);
        engine.widen(rows.start);
        // Whole windows of four pixels in a strip: a row of them in one go.
        if let Some(run) = &single
            && plan.strip > 0
            && filters == 2 * pairs
            && rows.len() * pool.kernel[1] == 4
            && (pool.output.width - 1) * pool.strides[1] + pool.kernel[1] <= pool.input.width
            && pool.padding[1] == 0
        {
            let pixels = [0, 1, 2, 3].map(|pixel| [rows.start + pixel / pool.kernel[1], pixel % pool.kernel[1]]);
            let step = pool.strides[1] * engine.steps().1;
            run.finish_row(&engine.windows(&pixels), step, engine.strip, engine.column, output, engine.tiles);
            continue;
        }
        for (x, output) in output.chunks_exact_mut(filters).enumerate() {
            let taps = columns.taps(x);
            let columns = columns.source(x, taps.start)..columns.source(x, taps.end);
            let mut next = [rows.start, columns.start];
            let mut out = Out::Largest;
            while next[0] < rows.end {
                // Where the window has fewer left, its last pixel fills up: a maximum does not mind.
                let pixels = four_from(&mut next, &rows, &columns);
                match &single {
                    #[cfg(not(thumbnet_helium))]
                    Some(run) => {
                        engine.gather(&pixels, 0, 0, len);
                        run.finish(engine.column, output);
                        engine.odd_filter(&pixels, out, output);
                    }
                    _ => engine.four_pixels(&pixels, out, output),
                }
                out = Out::LargerStill;
            }
        }
    }
}

/// The next four pixels of a window, row by row; its last one again where it has fewer left.
#[inline(never)]
fn four_from(next: &mut [usize; 2], rows: &Range<usize>, columns: &Range<usize>) -> Pixels {
    let mut last = *next;
    let mut pixels = [last; 4];
    for pixel in &mut pixels {
        if next[0] < rows.end {
            last = *next;
            next[1] += 1;
            if next[1] == columns.end {
                *next = [next[0] + 1, columns.start];
            }
        }
        *pixel = last;
    }
    pixels
}

/// A layer at work on one sample.
struct Engine<'a, 'b> {
    layer: &'b ConvS8<'a>,
    input: &'b [i8],
    plan: Plan,
    /// The widened rows, and the window's row that they start at.
    strip: &'b mut [Wide],
    strip_row: usize,
    column: &'b mut [i32],
    tiles: &'b mut [Tile],
}

impl Engine<'_, '_> {
    /// Fills the strip, if there is one, for windows from row `y` of the convolution's output on.
    #[inline(never)]
    fn widen(&mut self, y: usize) {
        if self.plan.strip == 0 {
            return;
        }
        self.strip_row = y;
        let geometry = &self.layer.geometry;
        let channels = geometry.input.channels;
        let left = geometry.padding[1] * channels;
        let zero = Wide::from(self.layer.input_zero_point);
        for (row, wide) in self.strip.chunks_exact_mut(self.plan.width).take(self.plan.rows).enumerate() {
            let row = (y * geometry.strides[0] + row).wrapping_sub(geometry.padding[0]);
            if row >= geometry.input.height {
                wide.fill(zero);
                continue;
            }
            let values = &self.input[row * geometry.input.width * channels..][..geometry.input.width * channels];
            let (before, wide) = wide.split_at_mut(left.min(wide.len()));
            let (inside, after) = wide.split_at_mut(values.len().min(wide.len()));
            before.fill(zero);
            Core::widen(&values[..inside.len()], inside);
            after.fill(zero);
        }
    }

    /// All filters over four pixels, the sums waiting in tiles.
    #[inline(never)]
    fn four_pixels(&mut self, pixels: &Pixels, out: Out, output: &mut [i8]) {
        let layer = self.layer;
        let (pairs, len) = (layer.geometry.output.channels / 2, layer.geometry.patch());
        for first in (0..pairs).step_by(BLOCK) {
            let count = (pairs - first).min(BLOCK);
            let tiles = &mut self.tiles[..count];
            if !Core::WORKS_IN_TILES {
                for (tile, &[a, b]) in tiles.iter_mut().zip(&layer.bias.as_chunks::<2>().0[first..]) {
                    *tile = [b, b, b, b, a, a, a, a];
                }
            }
            let mut done = false;
            for start in (0..len).step_by(Core::POSITIONS) {
                let positions = (len - start).min(Core::POSITIONS);
                let run = Run::new(layer, first, count, start, positions);
                for pixel in (0..4).step_by(Core::PIXELS) {
                    // The one column there is may still be there from the block before.
                    if first == 0 || len > Core::POSITIONS || Core::PIXELS < 4 {
                        self.gather(pixels, pixel, start, positions);
                    }
                    run.add(self.column, pixel, self.tiles, start == 0);
                }
                done = out == Out::Largest
                    && start + positions == len
                    && Core::largest(&run, self.tiles, &mut output[2 * first..]);
            }
            if done {
                continue;
            }
            for (filter, sums) in (2 * first..).zip(self.tiles[..count].as_flattened().as_chunks().0) {
                store(layer, filter ^ usize::from(!Core::WORKS_IN_TILES), sums, out, output);
            }
        }
        self.odd_filter(pixels, out, output);
    }

    /// An odd last filter, which has no partner.
    #[inline(never)]
    fn odd_filter(&self, pixels: &Pixels, out: Out, output: &mut [i8]) {
        let filters = self.layer.geometry.output.channels;
        if filters % 2 == 1 {
            let sums = pixels.map(|[y, x]| scalar::conv_s8::accumulator(self.layer, self.input, filters - 1, y, x));
            store(self.layer, filters - 1, &sums, out, output);
        }
    }

    /// Writes positions `first..first + count` of the windows of a column's pixels, from pixel `pixel` on, into the column.
    #[inline(never)]
    fn gather(&mut self, pixels: &Pixels, pixel: usize, first: usize, count: usize) {
        if self.plan.strip == 0 {
            for (pixel, &place) in pixels[pixel..][..Core::PIXELS].iter().enumerate() {
                self.gather_padded(pixel, place, first, count);
            }
            return;
        }
        self.windows(pixels).gather(pixel, self.strip, self.column);
    }

    /// Where in the strip one pixel's window starts after its upper and its left neighbour's.
    fn steps(&self) -> (usize, usize) {
        let geometry = &self.layer.geometry;
        (geometry.strides[0] * self.plan.width, geometry.strides[1] * geometry.input.channels)
    }

    /// The four pixels' windows in the strip.
    fn windows(&self, pixels: &Pixels) -> Windows {
        let geometry = &self.layer.geometry;
        let (down, right) = self.steps();
        Windows {
            starts: pixels.map(|[y, x]| (y - self.strip_row) * down + x * right),
            run: geometry.kernel[1] * geometry.input.channels,
            rows: geometry.kernel[0],
            stride: self.plan.width,
        }
    }

    /// Writes positions `first..first + count` of one pixel's window from the input itself.
    #[inline(never)]
    fn gather_padded(&mut self, pixel: usize, [y, x]: [usize; 2], first: usize, count: usize) {
        let (input, column) = (self.input, &mut *self.column);
        let geometry = self.layer.geometry;
        let channels = geometry.input.channels;
        let zero = self.layer.input_zero_point;
        let (window_row, input_row) = (geometry.kernel[1] * channels, geometry.input.width * channels);
        // Of a row of the window, `before` values lie left of the input, `inside` in it from `left` on, the others to the right.
        let start = x * geometry.strides[1] * channels;
        let padding = geometry.padding[1] * channels;
        let before = padding.saturating_sub(start).min(window_row);
        let left = start.saturating_sub(padding);
        let inside = input_row.saturating_sub(left).min(window_row - before);
        let (mut row, mut offset) = (first / window_row, first % window_row);
        let mut done = 0;
        while done < count {
            // This stretch of the row, and its parts.
            let end = (offset + count - done).min(window_row);
            let input_y = (y * geometry.strides[0] + row).wrapping_sub(geometry.padding[0]);
            let at = input_y * input_row + left + offset;
            if input_y >= geometry.input.height {
                Core::fill(column, done, pixel, zero, end - offset);
            } else if inside == window_row {
                Core::copy(column, done, pixel, &input[at..][..end - offset]);
            } else {
                let from = before.clamp(offset, end);
                let to = (before + inside).clamp(from, end);
                Core::fill(column, done, pixel, zero, from - offset);
                if from < to {
                    Core::copy(column, done + from - offset, pixel, &input[at + from - offset - before..][..to - from]);
                }
                Core::fill(column, done + to - offset, pixel, zero, end - to);
            }
            done += end - offset;
            (row, offset) = (row + 1, 0);
        }
    }
}

/// Requantises the four pixels' sums of one filter.
#[inline(never)]
fn store(layer: &ConvS8<'_>, filter: usize, sums: &[i32; 4], out: Out, output: &mut [i8]) {
    let largest = sums[0].max(sums[1]).max(sums[2].max(sums[3]));
    match out {
        Out::Each => {
            for (&sum, output) in sums.iter().zip(output.chunks_exact_mut(layer.geometry.output.channels)) {
                output[filter] = layer.requantize.conv(filter, sum);
            }
        }
        Out::Largest => output[filter] = layer.requantize.conv(filter, largest),
        Out::LargerStill => output[filter] = output[filter].max(layer.requantize.conv(filter, largest)),
    }
}
