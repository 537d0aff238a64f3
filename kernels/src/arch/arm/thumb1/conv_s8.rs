//! Convolution, activation and optional max pooling on Cortex-M0, four pixels at a time.
//!
//! ```text
//! for each four pixels (those of a pooling window, of two windows of two, or neighbours)
//!     for each block of filters
//!         for each stretch of positions
//!             gather the pixels' inputs into a column
//!             for each filter: multiply (see `sums_s8`)
//!         maximum of the four or of two, if pooled; requantise (see `outputs_s8`)
//! ```
//!
//! A stretch bounds the column's memory, a block that of the sums. A column of a single stretch is gathered once for
//! all blocks.
//!
//! Where windows leave the input, the rows that four pixels read are copied with their padding first, once for a whole
//! row of pixels, so that no border is seen when a column is gathered.
use super::Tile;
use super::column::{Rows, gather};
use super::outputs_s8::{Group, requantize};
use super::sums_s8::sums;
use crate::arch::cores::Thumb1;
use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::ConvS8;
use core::ops::Range;

/// A pixel of the convolution's output, as row and column.
type Pixel = [usize; 2];

/// Runs `layer`, whose weights are plain, over one sample.
#[inline(never)]
pub(in crate::arch) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], mut output: &mut [i8], scratch: &mut [i32]) {
    let of_positions = Geometry::of_positions(layer.geometry);
    let windows = layer.pool.unwrap_or(&of_positions);
    let group = Thumb1::group(windows.kernel());
    let Some(mut engine) = Engine::new(layer, input, group, scratch) else { return };
    let mut left = windows.output().height * windows.output().width;
    let mut windows =
        Windows { rows: Axis::rows(windows), columns: Axis::columns(windows), geometry: windows, at: [0; 2] };
    let mut pixels = [[0; 2]; 4];
    while left > 0 {
        let mut rest = Rest::default();
        let outputs = left.min(4 / group);
        // Where fewer windows are left than a tile has room for, the last pixel fills it up.
        for output in 0..outputs {
            rest = windows.next();
            rest.fill(pixels.get_mut(output * group..).unwrap_or_default());
        }
        engine.pad(pixels[0][0]);
        engine.four_pixels(&pixels, outputs, false, output);
        while !rest.is_empty() {
            rest.fill(&mut pixels);
            engine.four_pixels(&pixels, outputs, true, output);
        }
        left -= outputs;
        output = output.get_mut(outputs * layer.geometry.output().channels..).unwrap_or_default();
    }
}

/// The windows of a pooling, or of single pixels, one after the other.
struct Windows<'a> {
    geometry: &'a Geometry,
    rows: Axis,
    columns: Axis,
    at: [usize; 2],
}

impl Windows<'_> {
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
    /// How many pixels of a tile an output is made of.
    group: usize,
    input: &'b [i8],
    /// Rows of the input with their padding, where windows leave it, and the pixels' row that they are for.
    padded: &'b mut [i8],
    row: usize,
    /// Inputs of a row of what pixels are read from: of the padded rows, or of the input.
    stride: usize,
    column: &'b mut [i32],
    tiles: &'b mut [Tile],
}

impl<'a, 'b> Engine<'a, 'b> {
    #[inline(never)]
    fn new(layer: &'b ConvS8<'a>, input: &'b [i8], group: usize, scratch: &'b mut [i32]) -> Option<Self> {
        let plan = Thumb1::new(layer.geometry, layer.pool);
        let (padded, scratch) = scratch.split_at_mut_checked(plan.padded())?;
        let (column, tiles) = scratch.split_at_mut_checked(plan.column)?;
        let padded: &mut [i8] = bytemuck::cast_slice_mut(padded);
        let padded = padded.get_mut(..plan.rows * plan.width)?;
        let input_row = layer.geometry.input().width * layer.geometry.input().channels;
        let stride = if padded.is_empty() { input_row } else { plan.width };
        Some(Self { layer, group, input, padded, row: usize::MAX, stride, column, tiles: tiles.as_chunks_mut().0 })
    }

    /// Copies the rows for pixels from row `y` on, if there is padding and they are not there.
    #[inline(never)]
    fn pad(&mut self, y: usize) {
        if self.padded.is_empty() || y == self.row {
            return;
        }
        self.row = y;
        let (rows, columns) = (Axis::rows(self.layer.geometry), Axis::columns(self.layer.geometry));
        let channels = self.layer.geometry.input().channels;
        let mut row = (y * rows.stride).wrapping_sub(rows.padding);
        self.padded.fill(self.layer.input_zero_point);
        for padded in self.padded.chunks_exact_mut(self.stride.max(1)) {
            if row < rows.input {
                let values = self.input.get(row * columns.input * channels..).unwrap_or_default();
                let inside = padded.get_mut(columns.padding * channels..).unwrap_or_default();
                inside.iter_mut().zip(values).take(columns.input * channels).for_each(|(to, value)| *to = *value);
            }
            row = row.wrapping_add(1);
        }
    }

    /// All filters over four pixels. Where the window has had others before, the larger output stays.
    #[inline(never)]
    fn four_pixels(&mut self, pixels: &[Pixel; 4], outputs: usize, larger: bool, output: &mut [i8]) {
        let (filters, len) = (self.layer.geometry.output().channels, self.layer.geometry.patch());
        let mut first = 0;
        while first < filters {
            let mut start = 0;
            while start < len {
                let positions = (len - start).min(Thumb1::POSITIONS);
                if first == 0 || positions < len {
                    self.gather(pixels, start, positions);
                }
                self.multiply(first, start, positions);
                start += positions;
            }
            if larger {
                let mut block = [0; Thumb1::FILTERS];
                self.store(first, outputs, &mut block);
                let output = output.get_mut(first..filters).unwrap_or_default();
                output.iter_mut().zip(block).for_each(|(output, value)| *output = (*output).max(value));
            } else {
                self.store(first, outputs, output.get_mut(first..).unwrap_or_default());
            }
            first += Thumb1::FILTERS;
        }
    }

    /// Writes `positions` positions of the pixels' windows, from `start` on, into the column.
    #[inline(never)]
    fn gather(&mut self, pixels: &[Pixel; 4], start: usize, positions: usize) {
        let g = self.layer.geometry;
        let (run, stride) = (g.kernel()[1] * g.input().channels, self.stride);
        let (inputs, top) = if self.padded.is_empty() { (self.input, 0) } else { (&*self.padded, self.row) };
        let [down, right] = [g.strides()[0] * stride, g.strides()[1] * g.input().channels];
        let mut starts = pixels.map(|[y, x]| (y - top) * down + x * right);
        if positions == g.patch() {
            return gather(self.column, 0, inputs, starts, Rows { run, rows: g.kernel()[0], stride });
        }
        // A stretch is some positions of some rows.
        let (mut row, end) = (0, start + positions);
        while row < end {
            let [from, to] = [start.saturating_sub(row), (end - row).min(run)];
            if from < to {
                let rows = Rows { run: to - from, rows: 1, stride };
                gather(self.column, row + from - start, inputs, starts.map(|start| start + from), rows);
            }
            row += run;
            starts = starts.map(|start| start + stride);
        }
    }

    /// The block of filters from `first` on.
    fn block(&mut self, first: usize) -> &mut [Tile] {
        let left = self.layer.geometry.output().channels - first;
        self.tiles.get_mut(..left.min(Thumb1::FILTERS)).unwrap_or_default()
    }

    /// Adds the products of `positions` positions, from `start` on, to the sums of the filters from `first` on.
    #[inline(never)]
    fn multiply(&mut self, first: usize, start: usize, positions: usize) {
        let len = self.layer.geometry.patch();
        let weights = self.layer.weights.get(first * len + start..).unwrap_or_default();
        let column = core::mem::take(&mut self.column);
        sums(weights, len, positions, column, self.block(first), start == 0);
        self.column = column;
    }

    /// Requantises the sums of the filters from `first` on.
    #[inline(never)]
    fn store(&mut self, first: usize, outputs: usize, output: &mut [i8]) {
        let (layer, pixels) = (self.layer, self.group);
        let group = Group { pixels, outputs, stride: layer.geometry.output().channels };
        requantize(layer.bias, &layer.requantize, first, self.block(first), group, output);
    }
}
