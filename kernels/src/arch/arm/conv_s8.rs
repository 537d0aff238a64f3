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
//! Where the input rows that one row of windows reads fit into [`STRIP`](crate::arch::cores::STRIP), they are widened
//! and padded first, once for all of the row's windows. So a first layer of one channel has neither border checks nor
//! bytes to unpack in its inner loops.
use super::Core;
use super::column::Column;
use super::tile::{Run, Tile, Wide, Windows};
use crate::arch::cores::{BLOCK, ConvCut, Plan};
use crate::arch::window::Axis;
use crate::int8::ConvS8;
use core::ops::Range;

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

/// Runs `layer`, whose weights are in the core's order, over one sample.
#[inline(always)]
pub(in crate::arch) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    let pixels = layer.geometry.output();
    let filters = pixels.channels;
    // Windows of the convolution's output: those of the pooling, or of four neighbours.
    let (rows, columns, width, each) = match layer.pool {
        Some(pool) => (Axis::rows(pool), Axis::columns(pool), pool.output().width * filters, Out::Largest),
        None => (
            Axis { input: pixels.height, kernel: 1, stride: 1, padding: 0 },
            Axis { input: pixels.width, kernel: 4, stride: 4, padding: 0 },
            pixels.width * filters,
            Out::Each,
        ),
    };
    let outputs = if each == Out::Each { 4 * filters } else { filters };
    let mut engine = Engine::new(layer, input, scratch);
    for (y, output) in output.chunks_exact_mut(width).enumerate() {
        let rows = rows.sources(y);
        engine.widen(rows.start);
        if engine.finish_row(&rows, &columns, output) {
            continue;
        }
        for (x, output) in output.chunks_mut(outputs).enumerate() {
            let columns = columns.sources(x);
            let (mut next, mut out) = ([rows.start, columns.start], each);
            while next[0] < rows.end {
                // Where the window has fewer left, its last pixel fills up: a maximum does not mind, and there is no
                // output for it.
                let pixels = four_from(&mut next, &rows, &columns);
                engine.four_pixels(&pixels, out, output);
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
    /// With a single stretch nothing waits, and one run does for all windows.
    single: Option<Run<'a>>,
    /// The widened rows, and the window's row that they start at.
    strip: &'b mut [Wide],
    strip_row: usize,
    column: &'b mut [i32],
    tiles: &'b mut [Tile],
}

impl<'a, 'b> Engine<'a, 'b> {
    fn new(layer: &'b ConvS8<'a>, input: &'b [i8], scratch: &'b mut [i32]) -> Self {
        let plan = Plan::new::<Core>(layer.geometry, layer.pool);
        let (strip, scratch) = scratch.split_at_mut(plan.strip);
        let (column, tiles) = scratch.split_at_mut(plan.column);
        let (strip, tiles) = (bytemuck::cast_slice_mut(strip), tiles.as_chunks_mut::<8>().0);
        let (pairs, len) = (layer.geometry.output().channels / 2, layer.geometry.patch());
        let single = plan.single.then(|| Run::new(layer, 0, pairs, 0, len));
        Self { layer, input, plan, single, strip, strip_row: 0, column, tiles }
    }

    /// Fills the strip, if there is one, for windows from row `y` of the convolution's output on.
    #[inline(never)]
    fn widen(&mut self, y: usize) {
        if self.plan.strip == 0 {
            return;
        }
        self.strip_row = y;
        let geometry = self.layer.geometry;
        let channels = geometry.input().channels;
        let left = geometry.padding()[1] * channels;
        let zero = self.layer.input_zero_point;
        for (row, wide) in self.strip.chunks_exact_mut(self.plan.width).take(self.plan.rows).enumerate() {
            let row = (y * geometry.strides()[0] + row).wrapping_sub(geometry.padding()[0]);
            if row >= geometry.input().height {
                Core::fill(wide, zero);
                continue;
            }
            let values = &self.input[row * geometry.input().width * channels..][..geometry.input().width * channels];
            let (before, wide) = wide.split_at_mut(left.min(wide.len()));
            let (inside, after) = wide.split_at_mut(values.len().min(wide.len()));
            Core::fill(before, zero);
            Core::widen(&values[..inside.len()], inside);
            Core::fill(after, zero);
        }
    }

    /// The outputs of a whole row of pooling windows in one go, if these are whole ones of four pixels in a strip; says
    /// whether they are.
    #[inline(never)]
    fn finish_row(&mut self, rows: &Range<usize>, columns: &Axis, output: &mut [i8]) -> bool {
        let Some(run) = &self.single else { return false };
        let filters = self.layer.geometry.output().channels;
        if self.plan.strip == 0
            || filters % 2 == 1
            || rows.len() * columns.kernel != 4
            || columns.padding > 0
            || (output.len() / filters - 1) * columns.stride + columns.kernel > columns.input
        {
            return false;
        }
        let pixels = four_from(&mut [rows.start, 0], rows, &(0..columns.kernel));
        let step = columns.stride * self.steps().1;
        run.finish_row(&self.windows(&pixels), step, self.strip, self.column, output, self.tiles);
        true
    }

    /// All filters over four pixels.
    #[inline(never)]
    fn four_pixels(&mut self, pixels: &Pixels, out: Out, output: &mut [i8]) {
        let (pairs, len) = (self.layer.geometry.output().channels / 2, self.layer.geometry.patch());
        #[cfg(not(thumbnet_helium))]
        if self.single.is_some() {
            self.gather(pixels, 0, 0, len);
            if let Some(run) = &self.single {
                run.finish(self.column, output);
            }
            return self.odd_filter(pixels, out, output);
        }
        for first in (0..pairs).step_by(BLOCK) {
            self.block(pixels, first, (pairs - first).min(BLOCK), len, out, output);
        }
        self.odd_filter(pixels, out, output);
    }

    /// `count` pairs of filters from pair `first` on over four pixels, the sums waiting in tiles.
    fn block(&mut self, pixels: &Pixels, first: usize, count: usize, len: usize, out: Out, output: &mut [i8]) {
        let layer = self.layer;
        let tiles = &mut self.tiles[..count];
        if !Core::WORKS_IN_TILES {
            for (tile, &[a, b]) in tiles.iter_mut().zip(&layer.bias.as_chunks::<2>().0[first..]) {
                *tile = [b, b, b, b, a, a, a, a];
            }
        }
        let mut start = 0;
        while start < len {
            let positions = (len - start).min(Core::POSITIONS);
            let run = self.single.unwrap_or_else(|| Run::new(layer, first, count, start, positions));
            for pixel in (0..4).step_by(Core::PIXELS) {
                // The one column there is may still be there from the block before.
                if first == 0 || len > Core::POSITIONS || Core::PIXELS < 4 {
                    self.gather(pixels, pixel, start, positions);
                }
                run.add(self.column, pixel, self.tiles, start == 0);
            }
            start += positions;
            if out == Out::Largest && start == len && Core::largest(&run, self.tiles, &mut output[2 * first..]) {
                return;
            }
        }
        for (filter, sums) in (2 * first..).zip(self.tiles[..count].as_flattened().as_chunks().0) {
            store(layer, filter ^ usize::from(!Core::WORKS_IN_TILES), sums, out, output);
        }
    }

    /// An odd last filter, which has no partner: its weights are plain in any order.
    #[inline(never)]
    fn odd_filter(&mut self, pixels: &Pixels, out: Out, output: &mut [i8]) {
        let layer = self.layer;
        let (filter, len) = (layer.geometry.output().channels - 1, layer.geometry.patch());
        if filter % 2 == 1 {
            return;
        }
        let mut sums = [layer.bias[filter]; 4];
        for (stretch, weights) in layer.weights[filter * len..].chunks(Core::POSITIONS).enumerate() {
            for (first, sums) in (0..4).step_by(Core::PIXELS).zip(sums.chunks_mut(Core::PIXELS)) {
                self.gather(pixels, first, stretch * Core::POSITIONS, weights.len());
                for (position, &weight) in weights.iter().enumerate() {
                    for (pixel, sum) in sums.iter_mut().enumerate() {
                        let value = Core::value(self.column, position, pixel);
                        *sum = sum.wrapping_add(i32::from(weight) * value);
                    }
                }
            }
        }
        store(layer, filter, &sums, out, output);
    }

    /// Writes positions `first..first + count` of the windows of a column's pixels, from pixel `pixel` on, into the
    /// column.
    #[inline(never)]
    fn gather(&mut self, pixels: &Pixels, pixel: usize, first: usize, count: usize) {
        if self.plan.strip > 0 {
            return self.windows(pixels).gather(pixel, self.strip, self.column);
        }
        let (rows, columns) = (Axis::rows(self.layer.geometry), Axis::columns(self.layer.geometry));
        let pixels = &pixels[pixel..][..Core::PIXELS];
        // Where there is some padding, all is padding at first: cheaper than piece by piece.
        if !pixels.iter().all(|&[y, x]| rows.is_inside(y) && columns.is_inside(x)) {
            Core::clear(self.column, self.layer.input_zero_point);
        }
        for (pixel, &place) in pixels.iter().enumerate() {
            self.gather_inside(pixel, place, first..first + count);
        }
    }

    /// Where in the strip one pixel's window starts after its upper and its left neighbour's.
    fn steps(&self) -> (usize, usize) {
        let geometry = self.layer.geometry;
        (geometry.strides()[0] * self.plan.width, geometry.strides()[1] * geometry.input().channels)
    }

    /// The four pixels' windows in the strip.
    #[inline(never)]
    fn windows(&self, pixels: &Pixels) -> Windows {
        let geometry = self.layer.geometry;
        let (down, right) = self.steps();
        Windows {
            starts: pixels.map(|[y, x]| (y - self.strip_row) * down + x * right),
            run: geometry.kernel()[1] * geometry.input().channels,
            rows: geometry.kernel()[0],
            stride: self.plan.width,
        }
    }

    /// Writes, of these positions of one pixel's window, those that lie in the input.
    #[inline(never)]
    fn gather_inside(&mut self, pixel: usize, [y, x]: [usize; 2], positions: Range<usize>) {
        let geometry = self.layer.geometry;
        let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
        let (inside_y, inside_x) = (rows.taps(y), columns.taps(x));
        // In inputs: a row of the window, what of it lies in the input, and where that starts in the input.
        let channels = geometry.input().channels;
        let (window_row, input_row) = (columns.kernel * channels, columns.input * channels);
        let inside = inside_x.start * channels..inside_x.end * channels;
        let first = inside_y.start.max(positions.start / window_row);
        let mut at = rows.source(y, first) * input_row + columns.source(x, inside_x.start) * channels;
        let mut row = first * window_row;
        let end = positions.end.min(inside_y.end * window_row);
        while row < end {
            let (from, to) = ((row + inside.start).max(positions.start), (row + inside.end).min(end));
            if from < to {
                let values = &self.input[at + from - row - inside.start..][..to - from];
                Core::copy(self.column, from - positions.start, pixel, values);
            }
            row += window_row;
            at += input_row;
        }
    }
}

/// Requantises the four pixels' sums of one filter.
#[inline(never)]
fn store(layer: &ConvS8<'_>, filter: usize, sums: &[i32; 4], out: Out, output: &mut [i8]) {
    let largest = sums[0].max(sums[1]).max(sums[2].max(sums[3]));
    match out {
        Out::Each => {
            for (&sum, output) in sums.iter().zip(output.chunks_exact_mut(layer.geometry.output().channels)) {
                output[filter] = layer.requantize.conv(filter, sum);
            }
        }
        Out::Largest => output[filter] = layer.requantize.conv(filter, largest),
        Out::LargerStill => output[filter] = output[filter].max(layer.requantize.conv(filter, largest)),
    }
}
