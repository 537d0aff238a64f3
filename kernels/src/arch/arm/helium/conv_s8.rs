//! Convolution, activation and optional max pooling on cores with Helium.
//!
//! ```text
//! for each two or four pixels (of one pooling window, or the next ones, whatever row they are in)
//!     where each one's window begins: in the input, in the strip, or in a column that it is copied to
//!     for each block of filters
//!         sums of products (see `conv_sums`)
//!         the largest, if pooled; requantise (see `requantize`)
//! ```
//!
//! Where a kernel has one row (a pointwise convolution's has), a window is one piece of the input and needs no copy,
//! unless it reaches beyond the input. Where the input rows that one row of windows reads are few bytes, they are
//! copied and padded first, into a strip: there all windows are alike, and short ones are read by gathering loads. What
//! is left is copied window by window into a column.
use super::copy::{self, Rows};
use super::pool_s8;
use super::run::{Run, any_left};
use super::windows::addresses_of;
use crate::arch::cores::helium::{BLOCK, Plan, SHORT};
use crate::arch::window::Axis;
use crate::geometry::{Geometry, Shape};
use crate::int8::ConvS8;
use core::ops::Range;
use core::{mem, ptr};

/// Pixels of the convolution's output, as row and column.
type Pixels = [[usize; 2]; 4];

/// Where the windows of pixels begin.
type Windows = [*const i8; 4];

type Kernel = unsafe extern "C" fn(&Run<'_>, *const *const i8, *const u8, *mut i32);

unsafe extern "C" {
    fn thumbnet_conv_four(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_two(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_64(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_rows(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_sums(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_requantize(run: &Run<'_>, sums: *const i32, output: *mut i8, second: usize);
    fn thumbnet_conv_largest(run: &Run<'_>, sums: *const i32, output: *mut i8, second: usize);
}

/// Runs `layer`, whose weights are plain, over one sample.
#[inline(never)]
pub(in crate::arch) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    // Where it is made it stays: a copy would take as much of the stack again.
    let Some(engine) = &mut Engine::new(layer, input, scratch) else { return };
    match layer.pool {
        Some(pool) if !engine.pools => engine.overlapping(pool, output),
        Some(pool) => engine.pooled(pool, output),
        None => engine.each(0..layer.geometry.output().height, output),
    }
}

/// A layer at work on one sample.
struct Engine<'a, 'b> {
    layer: &'b ConvS8<'a>,
    input: &'b [i8],
    plan: Plan,
    /// The filters at work.
    run: Run<'a>,
    /// Whether an output is the largest pixel of a window of the pooling.
    pools: bool,
    /// What makes sums of windows of that length.
    kernel: Kernel,
    /// A window in the input, or in the strip if there is one.
    window: Rows,
    /// The rows and the columns of the convolution's output whose windows lie there as a whole.
    inside: [Range<usize>; 2],
    /// Bytes from one window to the next.
    right: usize,
    /// Padded rows of the input, and the row of the convolution's output whose windows begin there.
    strip: &'b mut [i8],
    strip_row: usize,
    /// Copies of the windows of some pixels.
    columns: &'b mut [i8],
    sums: &'b mut [i32],
    /// How far from a window's start each of its positions is, where a strip's windows are read in place; or null.
    offsets: *const u8,
    /// Rows of outputs before a pooling whose windows overlap.
    kept: &'b mut [i8],
}

impl<'a, 'b> Engine<'a, 'b> {
    /// `None` where there is too little scratch, or a slice is shorter than the geometry says.
    #[inline(never)]
    fn new(layer: &'b ConvS8<'a>, input: &'b [i8], scratch: &'b mut [i32]) -> Option<Self> {
        let (g, plan) = (layer.geometry, Plan::new(layer.geometry, layer.pool));
        let (offsets, scratch) = scratch.split_at_mut_checked(plan.offsets)?;
        let (strip, scratch) = scratch.split_at_mut_checked(plan.strip)?;
        let (columns, scratch) = scratch.split_at_mut_checked(plan.columns)?;
        let (sums, scratch) = scratch.split_at_mut_checked(plan.sums)?;
        let kernel = match g.patch() {
            0..=16 => thumbnet_conv_four,
            17..=SHORT => thumbnet_conv_two,
            64 => thumbnet_conv_64,
            _ if plan.bands > 0 && plan.direct => thumbnet_conv_rows,
            _ => thumbnet_conv_sums,
        };
        let channels = g.input().channels;
        let stride = if plan.bands > 0 { plan.width } else { g.input().width * channels };
        let inside = |axis: Axis, output| if plan.bands > 0 { 0..output } else { axis.inside(output) };
        let window = Rows { count: g.kernel()[0], bytes: g.kernel()[1] * channels, stride };
        let offsets: &mut [u8] = bytemuck::cast_slice_mut(offsets);
        window.write_offsets(offsets);
        let run = Run::filters(layer, 0, g.output().channels.min(BLOCK), any_left(&layer.requantize), stride)?;
        Some(Self {
            layer,
            input,
            plan,
            run,
            pools: layer.pool.is_some() && plan.outputs == 0,
            kernel,
            window,
            inside: [inside(Axis::rows(g), g.output().height), inside(Axis::columns(g), g.output().width)],
            right: g.strides()[1] * channels,
            strip: bytemuck::cast_slice_mut(strip),
            strip_row: 0,
            columns: bytemuck::cast_slice_mut(columns),
            sums,
            offsets: if offsets.is_empty() { ptr::null() } else { offsets.as_ptr() },
            kept: bytemuck::cast_slice_mut(scratch.get_mut(..plan.outputs)?),
        })
    }

    /// Every pixel of some rows is an output.
    fn each(&mut self, rows: Range<usize>, output: &mut [i8]) {
        let (g, taken) = (self.layer.geometry, self.plan.pixels.max(1));
        let (width, filters) = (g.output().width.max(1), self.filters());
        let band_rows = if self.plan.bands > 0 { self.plan.bands } else { rows.len() };
        // Rows of pointwise windows follow each other without a gap.
        let follow = g.kernel() == [1, 1] && g.strides() == [1, 1];
        let chunk = (band_rows * width * filters).max(1);
        for (start, output) in rows.clone().step_by(band_rows.max(1)).zip(output.chunks_mut(chunk)) {
            self.fill_strip(start);
            let count = output.len() / filters;
            let mut next = 0;
            while let Some(rest) = output.get_mut(next * filters..).filter(|rest| !rest.is_empty()) {
                // The last pixel fills up.
                let pixels = [0, 1, 2, 3].map(|pixel| {
                    let pixel = (next + pixel).min(count - 1);
                    [start + pixel / width, pixel % width]
                });
                let [y, x] = pixels[0];
                let end = if follow { (rows.end - y) * width } else { self.inside[1].end };
                let groups = if self.is_inside([y, x]) { (end - x) / taken } else { 0 };
                let len = (groups.max(1) * taken * filters).min(rest.len());
                let Some(now) = rest.get_mut(..len) else { return };
                if groups > 0 {
                    self.groups(&pixels, taken, taken * self.right, now);
                } else {
                    self.pixels(&pixels, taken, now);
                }
                next += groups.max(1) * taken;
            }
        }
    }

    /// The largest pixel of each window of the pooling is an output. Windows overlap: rows of the convolution's outputs
    /// are kept for the next ones.
    #[inline(never)]
    fn overlapping(&mut self, pool: &Geometry, output: &mut [i8]) {
        let row = pool.input().width * self.filters();
        let axis = Axis::rows(pool);
        let mut held = 0..0;
        for (y, output) in output.chunks_exact_mut((pool.output().width * self.filters()).max(1)).enumerate() {
            let rows = axis.sources(y);
            if held.contains(&rows.start) {
                let from = (rows.start - held.start) * row;
                self.kept.copy_within(from.min(self.kept.len()).., 0);
            }
            // They are taken out while the engine is at work on them.
            let kept = mem::take(&mut self.kept);
            let new = held.end.max(rows.start)..rows.end;
            if let Some(values) = kept.get_mut((new.start - rows.start) * row..rows.len() * row) {
                self.each(new, values);
            }
            self.kept = kept;
            self.pool_row(pool, y, output);
            held = rows;
        }
    }

    /// Row `y` of a pooling, from the rows that are kept.
    #[inline(never)]
    fn pool_row(&mut self, pool: &Geometry, y: usize, output: &mut [i8]) {
        let (windows, _) = pool.row(y);
        let values = self.kept.get(..windows.input().len()).unwrap_or_default();
        // Never `None`: its windows are not too large, as the plan has it.
        _ = pool_s8::max_pool_in(&windows, values, output, addresses_of(self.sums));
    }

    /// The largest pixel of each window of the pooling is an output.
    #[inline(never)]
    fn pooled(&mut self, pool: &Geometry, output: &mut [i8]) {
        let (filters, together) = (self.filters(), self.plan.together.max(1));
        let (rows, columns) = (Axis::rows(pool), Axis::columns(pool));
        let whole = columns.kernel * rows.kernel;
        copy::fill(output, i8::MIN);
        for (y, mut output) in output.chunks_exact_mut((pool.output().width * filters).max(1)).enumerate() {
            let rows = rows.sources(y);
            self.fill_strip(rows.start);
            let mut x = 0;
            while !output.is_empty() {
                let (stride, columns) = (columns.stride.max(1), columns.sources(x));
                let (width, count) = (columns.len().max(1), rows.len() * columns.len());
                let pixel = |pixel| [rows.start + pixel / width, columns.start + pixel % width];
                // Whole windows of the pooling, all of whose pixels are inside.
                let windows = if count == whole && self.is_inside(pixel(0)) && self.is_inside(pixel(count - 1)) {
                    ((self.inside[1].end - columns.end) / stride + 1).min(output.len() / filters)
                } else {
                    0
                };
                let Some((now, rest)) = mem::take(&mut output).split_at_mut_checked(windows.max(1) * filters) else {
                    return;
                };
                for first in (0..count).step_by(together) {
                    let taken = (count - first).min(together);
                    let pixels = [0, 1, 2, 3].map(|at| pixel(first + at.min(taken - 1)));
                    if windows > 0 {
                        self.groups(&pixels, taken, stride * self.right, now);
                    } else {
                        self.pixels(&pixels, taken, now);
                    }
                }
                output = rest;
                x += windows.max(1);
            }
        }
    }

    /// Groups of pixels whose windows lie in the input, or in the strip, as a whole. `pixels` are those of the first
    /// group, and the next one's windows `step` bytes behind.
    #[inline(never)]
    fn groups(&mut self, pixels: &Pixels, taken: usize, step: usize, output: &mut [i8]) {
        let filters = self.filters();
        let each = if self.pools { filters } else { taken.max(1) * filters };
        let behind = (output.len() / each.max(1)).saturating_sub(1) * step;
        let mut start: Windows = [ptr::null(); 4];
        for (window, &pixel) in start.iter_mut().zip(pixels).take(self.plan.together) {
            // Where the first group's and the last one's are, so are those between them.
            let (Some(first), Some(_)) = (self.window(pixel, 0), self.window(pixel, behind)) else { return };
            *window = first;
        }
        for first in (0..filters).step_by(BLOCK) {
            if !self.start(first) {
                return;
            }
            let mut windows = start;
            for output in output.chunks_exact_mut(each.max(1)) {
                let Some(output) = output.get_mut(first..) else { return };
                if self.plan.direct {
                    self.sums(&windows, 0);
                    if taken > self.plan.pixels {
                        self.sums(&windows[2..], 2);
                    }
                } else if self.plan.pixels > 2 {
                    // The inner loop takes all four at a time.
                    self.gathered_sums(windows, 0);
                } else {
                    let [a, b, c, d] = windows;
                    self.gathered_sums([a, b], 0);
                    if taken > 2 {
                        self.gathered_sums([c, d], 2);
                    }
                }
                self.finish(taken, output);
                for window in &mut windows {
                    *window = window.wrapping_add(step);
                }
            }
        }
    }

    /// Some pixels, `taken` of which count, wherever their windows lie.
    #[inline(never)]
    fn pixels(&mut self, pixels: &Pixels, taken: usize, output: &mut [i8]) {
        let together = self.plan.pixels.max(1);
        for first in (0..self.filters()).step_by(BLOCK) {
            let Some(output) = output.get_mut(first..).filter(|_| self.start(first)) else { return };
            for (start, pixels) in (0..taken).step_by(together).zip(pixels.chunks_exact(together)) {
                let mut windows: Windows = [ptr::null(); 4];
                for (slot, (window, &pixel)) in windows.iter_mut().zip(pixels).enumerate() {
                    let Some(place) = self.place(pixel, slot) else { return };
                    *window = place;
                }
                self.sums(&windows, start);
            }
            self.finish(taken, output);
        }
    }

    /// How many there are. The compiler sees that there is one.
    #[inline(always)]
    fn filters(&self) -> usize {
        self.layer.geometry.output().channels.max(1)
    }

    /// Sets the block of filters from `first` on to work; says whether there is one, and room for its sums.
    #[inline(never)]
    fn start(&mut self, first: usize) -> bool {
        let count = (self.filters() - first).min(BLOCK);
        let left = self.run.any_left();
        match Run::filters(self.layer, first, count, left, self.window.stride) {
            Some(run) => self.run = run,
            None => return false,
        }
        self.plan.together * count <= self.sums.len()
    }

    /// The sums over windows, as many as one call takes, each of which is there. They become those of the pixels from
    /// `first` on.
    #[inline(always)]
    fn sums(&mut self, windows: &[*const i8], first: usize) {
        let (windows, sums) = (windows.as_ptr(), self.sums.as_mut_ptr().wrapping_add(first * self.run.count()));
        // SAFETY: there are windows, as long as the run's filters, and room for their sums, as `start` has seen to.
        unsafe { (self.kernel)(&self.run, windows, self.offsets, sums) }
    }

    /// As `sums`, of windows whose rows are copied first.
    #[inline(always)]
    fn gathered_sums<const N: usize>(&mut self, mut windows: [*const i8; N], first: usize) {
        // SAFETY: the windows are there.
        unsafe { self.window.gather(&mut windows, self.columns) }
        self.sums(&windows, first);
    }

    /// Makes outputs of the sums of pixels, `taken` of which count.
    #[inline(always)]
    fn finish(&mut self, taken: usize, output: &mut [i8]) {
        let (filters, count, run) = (self.filters(), self.run.count(), &self.run);
        let (sums, to) = (self.sums.as_ptr(), output.as_mut_ptr());
        if self.pools {
            // The second two pixels may be the first two again.
            let second = if taken > 2 { 8 * count } else { 0 };
            if count <= output.len() {
                // SAFETY: there are so many outputs, and sums of two pixels, or of four, as `start` has seen to.
                unsafe { thumbnet_conv_largest(run, sums, to, second) }
            }
            return;
        }
        // A last pixel by itself is written twice.
        let second = if output.len() < filters + count { 0 } else { filters };
        if second + count <= output.len() {
            // SAFETY: there are two pixels' sums for each of the run's filters, and as many outputs twice.
            unsafe { thumbnet_conv_requantize(run, sums, to, second) }
        }
        if taken > 2 && 2 * filters + count <= output.len() {
            let second = if output.len() < 3 * filters + count { 0 } else { filters };
            let (sums, to) = (sums.wrapping_add(2 * count), to.wrapping_add(2 * filters));
            // SAFETY: as before, of the third and the fourth pixel.
            unsafe { thumbnet_conv_requantize(run, sums, to, second) }
        }
    }

    /// A pixel's window where it can be read: in place, or copied to column `slot`.
    fn place(&mut self, pixel: [usize; 2], slot: usize) -> Option<*const i8> {
        let (g, len) = (self.layer.geometry, self.layer.geometry.patch());
        let mut window = [ptr::null()];
        let is_inside = self.is_inside(pixel);
        if is_inside {
            window = [self.window(pixel, 0)?];
            if self.plan.direct {
                return Some(window[0]);
            }
        }
        let column = self.columns.get_mut(slot * len..)?.get_mut(..len)?;
        if is_inside {
            // SAFETY: the window is there.
            unsafe { self.window.gather(&mut window, column) }
            return Some(window[0]);
        }
        copy::fill(column, self.layer.input_zero_point);
        let (rows, columns, channels) = (Axis::rows(g), Axis::columns(g), g.input().channels);
        let (inside_y, inside_x) = (rows.taps(pixel[0]), columns.taps(pixel[1]));
        let from = rows.source(pixel[0], inside_y.start) * self.window.stride
            + columns.source(pixel[1], inside_x.start) * channels;
        let to = inside_y.start * self.window.bytes + inside_x.start * channels;
        let part = Rows { count: inside_y.len(), bytes: inside_x.len() * channels, ..self.window };
        part.copy(self.input.get(from..)?, column.get_mut(to..)?, self.window.bytes);
        Some(column.as_ptr())
    }

    /// Whether a pixel's window lies in the input, or in the strip, as a whole.
    #[inline(always)]
    fn is_inside(&self, [y, x]: [usize; 2]) -> bool {
        self.inside[0].contains(&y) && self.inside[1].contains(&x)
    }

    /// A window that lies in the input, or in the strip, `behind` bytes behind a pixel's.
    #[inline(always)]
    fn window(&self, [y, x]: [usize; 2], behind: usize) -> Option<*const i8> {
        let g = self.layer.geometry;
        let (from, row, left) = if self.plan.bands > 0 {
            (&*self.strip, (y - self.strip_row) * g.strides()[0], 0)
        } else {
            (self.input, y * g.strides()[0] - g.padding()[0], g.padding()[1] * g.input().channels)
        };
        let start = row * self.window.stride + x * self.right - left;
        Some(from.get(start + behind..)?.get(..self.window.extent())?.as_ptr())
    }

    /// Fills the strip, if there is one, for windows from row `y` of the convolution's output on.
    #[inline(never)]
    fn fill_strip(&mut self, y: usize) {
        if self.plan.bands == 0 {
            return;
        }
        let (g, width) = (self.layer.geometry, self.plan.width);
        let ([above, left], Shape { height, width: columns, channels }) = (g.padding(), g.input());
        // The rows of the strip that lie in the input. Padding left and right stays from band to band.
        let start = y * g.strides()[0];
        let inside =
            above.saturating_sub(start).min(self.plan.rows)..(height + above).saturating_sub(start).min(self.plan.rows);
        if y == 0 || inside.len() < self.plan.rows {
            copy::fill(self.strip, self.layer.input_zero_point);
        }
        self.strip_row = y;
        let bytes = (columns * channels).min(width.saturating_sub(left * channels));
        let from = self.input.get((start + inside.start).saturating_sub(above) * columns * channels..);
        let to = self.strip.get_mut(inside.start * width + left * channels..);
        if let (Some(from), Some(to)) = (from, to) {
            Rows { count: inside.len(), bytes, stride: columns * channels }.copy(from, to, width);
        }
    }
}
