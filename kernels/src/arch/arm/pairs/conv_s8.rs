//! Convolution, activation and optional max pooling on Cortex-M3, M4, M7 and M33, four pixels and two filters at a
//! time.
//!
//! ```text
//! for each four pixels of the convolution's output
//!     for each block of filters
//!         for each stretch of positions
//!             gather the pixels' inputs into a column, side by side, padding included
//!             for each pair of filters: multiply, requantise (see `run`)
//! ```
//!
//! The four pixels are those of one pooling window, if all windows are such: the largest of their sums alone is
//! requantised. Otherwise they are the next four, whatever rows they lie in, so that none is computed twice; where
//! there is a pooling, each of them then raises the outputs of the windows that it lies in.
//!
//! A stretch bounds the column's memory whatever the kernel's size; the sums of a block wait in scratch from stretch to
//! stretch. Many layers are a single stretch: their column is gathered once, and their sums need no memory.
//!
//! Where the input rows that four pixels' windows read fit into scratch, they are widened and padded first, once for
//! all windows of the row. So a first layer of few channels has neither border checks nor bytes to unpack in its inner
//! loops.
use super::Core;
use super::column::Column;
use super::run::{Part, Pixels, Place, Run, Single, Source, Tile, To, Wide, Windows};
use crate::arch::cores::BLOCK;
use crate::arch::cores::pairs::Plan;
use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::ConvS8;
use core::ops::Range;

/// Runs `layer`, whose weights are in pairs, over one sample.
#[inline(always)]
pub(in crate::arch) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    let single = Single::new(layer);
    let plan = Plan::new::<Core>(layer.geometry, layer.pool);
    let Some((strip, scratch)) = scratch.split_at_mut_checked(plan.strip) else { return };
    let Some((column, scratch)) = scratch.split_at_mut_checked(plan.column) else { return };
    let Some((tiles, pixels)) = scratch.split_at_mut_checked(plan.tiles * 8) else { return };
    let mut engine = Engine {
        layer,
        input,
        to: if plan.fours { To::Largest } else { To::Each },
        plan: &plan,
        single: &single,
        pixels: [[0; 2]; 4],
        run: Run::NONE,
        place: Place::Strip(Windows::NONE),
        strip: bytemuck::cast_slice_mut(strip),
        strip_row: usize::MAX,
        column,
        tiles: tiles.as_chunks_mut::<8>().0,
    };
    engine.set_stretch(0, 0, 4);
    match layer.pool {
        Some(pool) if plan.fours => engine.windows_of_four(pool, output),
        Some(pool) => engine.pooled(pool, bytemuck::cast_slice_mut(pixels), output),
        None => engine.unpooled(output),
    }
}

/// A layer at work on one sample.
struct Engine<'a, 'b> {
    layer: &'b ConvS8<'a>,
    input: &'b [i8],
    to: To,
    plan: &'b Plan,
    single: &'a Single,
    /// The four pixels of the convolution's output that come next.
    pixels: Pixels,
    /// The filters, and where the windows of the four pixels are. With a single stretch the filters are the same for
    /// all windows.
    run: Run<'a>,
    place: Place<'b>,
    /// The widened rows, and the row of the convolution's output that they start at.
    strip: &'b mut [Wide],
    strip_row: usize,
    column: &'b mut [i32],
    tiles: &'b mut [Tile],
}

impl<'a, 'b> Engine<'a, 'b> {
    /// Takes the next four pixels of a window, row by row; its last one again where it has fewer left.
    #[inline(never)]
    fn take_four(&mut self, next: &mut [usize; 2], rows: &Range<usize>, columns: &Range<usize>) {
        let mut last = *next;
        for pixel in &mut self.pixels {
            if next[0] < rows.end {
                last = *next;
                next[1] += 1;
                if next[1] == columns.end {
                    *next = [next[0] + 1, columns.start];
                }
            }
            *pixel = last;
        }
    }

    /// Every window of a pooling is four pixels, or less at a border.
    fn windows_of_four(&mut self, pool: &Geometry, output: &mut [i8]) {
        let (rows, columns, filters) = (Axis::rows(pool), Axis::columns(pool), pool.output().channels);
        for (y, output) in output.chunks_exact_mut((pool.output().width * filters).max(1)).enumerate() {
            let rows = rows.sources(y);
            let mut first = 0;
            if self.plan.tiles == 0 && rows.len() * columns.kernel == 4 && columns.padding == 0 {
                self.take_four(&mut [rows.start, 0], &rows, &(0..columns.kernel));
                first = ((columns.input - columns.kernel) / columns.stride.max(1) + 1).min(pool.output().width);
                self.side_by_side(first, columns.stride, filters, output);
            }
            for (x, output) in output.chunks_exact_mut(filters.max(1)).enumerate().skip(first) {
                let columns = columns.sources(x);
                // Where the window has fewer than four, its last pixel fills up: a maximum does not mind.
                self.take_four(&mut [rows.start, columns.start], &rows, &columns);
                self.four_pixels(4, output);
            }
        }
    }

    /// Every pixel is an output.
    fn unpooled(&mut self, output: &mut [i8]) {
        let to = self.layer.geometry.output();
        let (mut next, mut left) = ([0; 2], output);
        while !left.is_empty() {
            let mut after = next;
            self.take_four(&mut after, &(0..to.height), &(0..to.width));
            let mut count = (to.width - next[1]) / 4 * 4;
            if count == 0 || self.plan.tiles > 0 {
                count = (left.len() / to.channels.max(1)).min(4);
                self.four_pixels(count, left);
                next = after;
            } else {
                self.side_by_side(count / 4, 4, 4 * to.channels, left);
                next[1] += count;
                if next[1] == to.width {
                    next = [next[0] + 1, 0];
                }
            }
            left = left.get_mut(count * to.channels..).unwrap_or_default();
        }
    }

    /// Every pixel is the largest in some of the windows, perhaps.
    fn pooled(&mut self, pool: &Geometry, values: &mut [i8], output: &mut [i8]) {
        let of = pool.input();
        output.fill(i8::MIN);
        let mut next = [0; 2];
        for first in (0..of.height * of.width).step_by(4) {
            self.take_four(&mut next, &(0..of.height), &(0..of.width));
            let count = (of.height * of.width - first).min(4);
            self.four_pixels(count, values);
            for (&pixel, values) in self.pixels.iter().zip(values.chunks_exact(of.channels.max(1))).take(count) {
                raise(pool, pixel, values, output);
            }
        }
    }

    /// Sets what is done to the filters of a block from pair `first` on, over the stretch from position `start` on;
    /// returns where this ends. `count` of the four pixels are there.
    #[inline(never)]
    fn set_stretch(&mut self, first: usize, start: usize, count: usize) -> usize {
        let (layer, window) = (self.layer, self.layer.geometry.window());
        let [rows, width] = self.plan.stretch;
        let row = (window.width * window.channels).max(1);
        let rows = rows.min(window.height - start / row);
        let width = width.min(row - start % row);
        let positions = rows * width;
        if self.plan.strip == 0 {
            self.place = Place::Input(Source::new(layer, self.input, start, [rows, width]));
        }
        let (first, all) = (2 * first, layer.geometry.output().channels);
        let left = all - first;
        // An odd last filter goes with the last block.
        let filters = if self.plan.tiles == 0 || left <= 2 * BLOCK + 1 { left } else { 2 * BLOCK };
        let to = if start + positions < layer.geometry.patch() { To::Tiles } else { self.to };
        self.run.set(layer, &Part { first, filters, start, positions, to }, self.single, count);
        if self.plan.tiles > 0 {
            self.run.wait(self.tiles);
        }
        start + positions
    }

    /// All filters over the four pixels, of which the first `count` are there, with no others behind them if these are
    /// fewer than four.
    #[inline(never)]
    fn four_pixels(&mut self, count: usize, output: &mut [i8]) {
        let (filters, len) = (self.layer.geometry.output().channels, self.layer.geometry.patch());
        let waits = self.plan.tiles > 0;
        for first in (0..if waits { (filters / 2).max(1) } else { 1 }).step_by(BLOCK) {
            let output = output.get_mut(2 * first..).unwrap_or_default();
            let mut start = 0;
            while start < len {
                start = if waits || count < 4 { self.set_stretch(first, start, count) } else { len };
                self.side_by_side(1, 0, output.len(), output);
            }
        }
    }

    /// `count` times the outputs of four pixels, each `step` columns right of the ones before and `apart` outputs
    /// behind, or their sums.
    #[inline(never)]
    fn side_by_side(&mut self, count: usize, step: usize, apart: usize, output: &mut [i8]) {
        let geometry = self.layer.geometry;
        let channels = geometry.input().channels;
        let right = geometry.strides()[1] * channels;
        if self.plan.strip > 0 {
            self.widen(self.pixels[0][0], self.pixels[3][0]);
            let down = geometry.strides()[0] * self.plan.width;
            let starts = self.pixels.map(|[y, x]| (y - self.strip_row) * down + x * right);
            let window = [geometry.kernel()[0], geometry.kernel()[1] * channels];
            self.place = Place::Strip(Windows::new(starts, window, self.plan.width));
        }
        for (k, output) in output.chunks_exact_mut(apart.max(1)).take(count).enumerate() {
            match &self.place {
                Place::Strip(windows) => windows.gather(k * step * right, self.strip, self.column),
                Place::Input(source) => {
                    source.gather(&self.pixels, self.column);
                    self.pixels.iter_mut().for_each(|[_, x]| *x += step);
                }
            }
            self.run.go(self.column, output);
        }
    }

    /// Fills the strip, if there is one, with what windows of rows `first..=last` of the convolution's output read.
    #[inline(never)]
    fn widen(&mut self, first: usize, last: usize) {
        if self.plan.strip == 0 || (self.strip_row <= first && last < self.strip_row + self.plan.window_rows) {
            return;
        }
        self.strip_row = first;
        let geometry = self.layer.geometry;
        let channels = geometry.input().channels;
        let left = geometry.padding()[1] * channels;
        let width = geometry.input().width * channels;
        let zero = self.layer.input_zero_point;
        for (row, wide) in self.strip.chunks_exact_mut(self.plan.width.max(1)).take(self.plan.rows).enumerate() {
            let row = (first * geometry.strides()[0] + row).wrapping_sub(geometry.padding()[0]);
            let values = if row < geometry.input().height { self.input.get(row * width..) } else { None };
            let values = values.unwrap_or_default();
            let (before, wide) = wide.split_at_mut(left.min(wide.len()));
            let len = width.min(wide.len()).min(values.len());
            let Some((inside, after)) = wide.split_at_mut_checked(len) else { return };
            Core::fill(before, zero);
            Core::widen(values.get(..len).unwrap_or_default(), inside);
            Core::fill(after, zero);
        }
    }
}

/// Raises the outputs of the windows that read a pixel to its values.
#[inline(never)]
fn raise(pool: &Geometry, [y, x]: [usize; 2], values: &[i8], output: &mut [i8]) {
    let to = pool.output();
    for row in windows_over(&Axis::rows(pool), to.height, y) {
        for column in windows_over(&Axis::columns(pool), to.width, x) {
            let start = (row * to.width + column) * to.channels;
            let Some(output) = output.get_mut(start..start + to.channels) else { return };
            Core::raise(values, output);
        }
    }
}

/// The windows along an axis, of which there are `count`, that read `at`.
fn windows_over(axis: &Axis, count: usize, at: usize) -> Range<usize> {
    let at = at + axis.padding;
    let stride = axis.stride.max(1);
    (at + 1).saturating_sub(axis.kernel).div_ceil(stride)..(at / stride + 1).min(count)
}
