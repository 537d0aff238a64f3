//! Convolution, activation and optional max pooling on Cortex-M0, four pixels at a time.
//!
//! ```text
//! for each four pixels (those of a pooling window, of two windows of two, or neighbours)
//!     for each block of filters
//!         for each stretch of positions
//!             gather the pixels' inputs into a column, padding included
//!             for each filter: multiply (see `sums_s8`)
//!         maximum of the four or of two, if pooled; requantise (see `outputs_s8`)
//! ```
//!
//! A stretch bounds the column's memory, a block that of the sums. A column of a single stretch is gathered once for all
//! blocks.
use super::Tile;
use super::column::{Rows, gather};
use super::outputs_s8::outputs;
use super::sums_s8::Run;
use crate::arch::cores::thumb1::Plan;
use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::ConvS8;
use core::ops::Range;

/// A pixel of the convolution's output, as row and column.
type Pixel = [usize; 2];

/// Runs `layer`, whose weights are plain, over one sample.
#[inline(always)]
pub(in crate::arch) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    let filters = layer.geometry.output().channels;
    let windows = layer.pool.copied().unwrap_or(Geometry::of_positions(layer.geometry));
    // How many pixels of a tile an output is made of.
    let group = match windows.kernel() {
        [1, 1] => 1,
        [1, 2] | [2, 1] => 2,
        _ => 4,
    };
    let Some(mut engine) = Engine::new(layer, input, group, scratch) else { return };
    let mut windows =
        Windows { rows: Axis::rows(&windows), columns: Axis::columns(&windows), geometry: windows, at: [0; 2] };
    let mut pixels = [[0; 2]; 4];
    for output in output.chunks_mut(4 / group * filters) {
        let mut rest = Rest::default();
        // Where fewer windows are left than a tile has room for, the pixels of those before fill it up.
        for (pixels, _) in pixels.chunks_exact_mut(group).zip(output.chunks(filters)) {
            rest = windows.next();
            rest.fill(pixels);
        }
        engine.four_pixels(&pixels, false, output);
        while !rest.is_empty() {
            rest.fill(&mut pixels);
            engine.four_pixels(&pixels, true, output);
        }
    }
}

/// The windows of a pooling, or of single pixels, one after the other.
struct Windows {
    geometry: Geometry,
    rows: Axis,
    columns: Axis,
    at: [usize; 2],
}

impl Windows {
    #[inline(never)]
    fn next(&mut self) -> Rest {
        let [y, x] = self.at;
        self.at = if x + 1 == self.geometry.output().width { [y + 1, 0] } else { [y, x + 1] };
        let (rows, columns) = (self.rows.sources(y), self.columns.sources(x));
        Rest { next: [rows.start, columns.start], end: rows.end, columns }
    }
}

/// The pixels of a window that are left, row by row.
#[derive(Default)]
struct Rest {
    next: Pixel,
    end: usize,
    columns: Range<usize>,
}

impl Rest {
    fn is_empty(&self) -> bool {
        self.next[0] >= self.end
    }

    /// Takes as many as there is room for; the last one again where there are fewer, which a maximum does not mind.
    #[inline(never)]
    fn fill(&mut self, pixels: &mut [Pixel]) {
        let mut last = self.next;
        for pixel in pixels {
            if !self.is_empty() {
                last = self.next;
                self.next[1] += 1;
                if self.next[1] == self.columns.end {
                    self.next = [self.next[0] + 1, self.columns.start];
                }
            }
            *pixel = last;
        }
    }
}

/// A layer at work on one sample.
struct Engine<'a, 'b> {
    layer: &'b ConvS8<'a>,
    input: &'b [i8],
    group: usize,
    /// As many inputs of padding as a window's row has, where there are any.
    padding: &'b [i8],
    column: &'b mut [i32],
    tiles: &'b mut [Tile],
}

impl<'a, 'b> Engine<'a, 'b> {
    fn new(layer: &'b ConvS8<'a>, input: &'b [i8], group: usize, scratch: &'b mut [i32]) -> Option<Self> {
        let plan = Plan::new(layer.geometry);
        let (padding, scratch) = scratch.split_at_mut_checked(plan.padding)?;
        let (column, tiles) = scratch.split_at_mut_checked(plan.column)?;
        let padding: &mut [i8] = bytemuck::cast_slice_mut(padding);
        padding.fill(layer.input_zero_point);
        Some(Self { layer, input, group, padding, column, tiles: tiles.as_chunks_mut().0 })
    }

    /// All filters over four pixels. Where the window has had others before, the larger output stays.
    #[inline(never)]
    fn four_pixels(&mut self, pixels: &[Pixel; 4], larger: bool, output: &mut [i8]) {
        let layer = self.layer;
        let (filters, len) = (layer.geometry.output().channels, layer.geometry.patch());
        for first in (0..filters).step_by(Plan::FILTERS) {
            let count = (filters - first).min(Plan::FILTERS);
            let mut start = 0;
            while start < len {
                let positions = (len - start).min(Plan::POSITIONS);
                if first == 0 || positions < len {
                    self.gather(pixels, start..start + positions);
                }
                let Some(weights) = layer.weights.get(first * len + start..) else { return };
                Run::new(weights, len, count, positions).add(self.column, self.tiles, start == 0);
                start += positions;
            }
            let (Some(tiles), Some(output)) = (self.tiles.get(..count), output.get_mut(first..)) else { return };
            let mut block = [0; Plan::FILTERS];
            let (Some(block), true) = (block.get_mut(..count), larger) else {
                outputs(layer.bias, &layer.requantize, first, tiles, [self.group, filters], output);
                continue;
            };
            outputs(layer.bias, &layer.requantize, first, tiles, [self.group, count], block);
            output.iter_mut().zip(block).for_each(|(output, value)| *output = (*output).max(*value));
        }
    }

    /// Writes these positions of the pixels' windows into the column.
    #[inline(never)]
    fn gather(&mut self, pixels: &[Pixel; 4], positions: Range<usize>) {
        let g = self.layer.geometry;
        let (rows, columns, channels) = (Axis::rows(g), Axis::columns(g), g.input().channels);
        let (run, stride) = (columns.kernel * channels, columns.input * channels);
        let whole = positions.len() == rows.kernel * run;
        for (pair, pixels) in pixels.as_chunks::<2>().0.iter().enumerate() {
            if whole && pixels.iter().all(|&[y, x]| rows.is_inside(y) && columns.is_inside(x)) {
                let from = pixels.map(|[y, x]| rows.source(y, 0) * stride + columns.source(x, 0) * channels);
                let from = from.map(|from| self.input.get(from..).unwrap_or_default());
                gather(self.column, pair, 0, from, Rows { run, rows: rows.kernel, stride });
                continue;
            }
            let mut at = positions.start;
            while at < positions.end {
                let (row, end) = (at / run, (at / run + 1) * run);
                // Up to where the row ends, or either window enters or leaves the input.
                let mut count = end.min(positions.end) - at;
                let from = pixels.map(|[y, x]| {
                    let inside = if rows.taps(y).contains(&row) { columns.taps(x) } else { 0..0 };
                    let inside = end - run + inside.start * channels..end - run + inside.end * channels;
                    if inside.contains(&at) {
                        count = count.min(inside.end - at);
                        let place = rows.source(y, row) * stride + columns.source(x, 0) * channels;
                        self.input.get(place.wrapping_add(at + run - end)..).unwrap_or_default()
                    } else {
                        if at < inside.start {
                            count = count.min(inside.start - at);
                        }
                        self.padding
                    }
                });
                gather(self.column, pair, at - positions.start, from, Rows { run: count, rows: 1, stride });
                at += count;
            }
        }
    }
}
