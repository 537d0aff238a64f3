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
//! copied and padded first, into a strip: there all windows are alike, and short ones are read by gathering loads.
//! These reach 256 bytes: where rows are longer, they are woven, so that those of a column lie side by side. What is
//! left is copied window by window into a column.
use super::copy::{self, Rows, Weave};
use super::groups::{Groups, Windows, thumbnet_conv_groups};
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

unsafe extern "C" {
    fn thumbnet_conv_four(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_two(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_64(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_rows(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_sums(run: &Run<'_>, windows: *const *const i8, offsets: *const u8, sums: *mut i32);
    fn thumbnet_conv_outputs(groups: &Groups<'_>);
    fn thumbnet_conv_largest(groups: &Groups<'_>);
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
    /// What [`Plan`] says of it.
    together: usize,
    direct: bool,
    bands: usize,
    strip_rows: usize,
    strip_width: usize,
    /// The filters and pixels at work.
    groups: Groups<'a>,
    /// Whether an output is the largest pixel of a window of the pooling.
    pools: bool,
    /// The rows and the columns of the convolution's output whose windows lie there as a whole.
    inside: [Range<usize>; 2],
    /// Bytes from one window to the one below it and to the next one.
    down: usize,
    right: usize,
    /// What weaves a strip: the place of each byte that is copied at once.
    weave: Option<&'b [u8; 16]>,
    /// Padded rows of the input, and the row of the convolution's output whose windows begin there.
    strip: &'b mut [i8],
    strip_row: usize,
    /// Copies of the windows of some pixels.
    columns: &'b mut [i8],
    sums: &'b mut [i32],
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
        let (kernel_rows, kernel_columns) = (g.kernel()[0], g.kernel()[1]);
        let mut window = Rows { count: kernel_rows, bytes: kernel_columns * channels, stride };
        let [mut below, mut beside] = [stride, channels];
        let (offsets, weave): (&mut [u8], &mut [u8]) =
            bytemuck::cast_slice_mut(offsets).split_at_mut_checked(if plan.offsets > 0 { SHORT } else { 0 })?;
        let mut weave = weave.first_chunk_mut();
        if let Some(weave) = &mut weave {
            [below, beside] = [channels, plan.rows * channels];
            window = Rows { count: kernel_columns, bytes: kernel_rows * channels, stride: beside };
            Weave::write_offsets(weave, channels, beside);
        }
        copy::write_offsets(offsets, [kernel_rows, below], [kernel_columns, beside], channels);
        let pools = layer.pool.is_some() && plan.outputs == 0;
        let groups = Groups {
            run: Run::filters(layer, 0, g.output().channels.min(BLOCK), any_left(&layer.requantize), stride)?,
            windows: [ptr::null(); 4],
            step: 0,
            offsets: if offsets.is_empty() { ptr::null() } else { offsets.as_ptr() },
            sums: ptr::null_mut(),
            columns: ptr::null_mut(),
            rows: window,
            kernel,
            finish: if pools { thumbnet_conv_largest } else { thumbnet_conv_outputs },
            calls: 1,
            pixels: plan.pixels,
            output: ptr::null_mut(),
            each: 0,
            behind: [0; 3],
        };
        Some(Self {
            layer,
            input,
            together: plan.together,
            direct: plan.direct,
            bands: plan.bands,
            strip_rows: plan.rows,
            strip_width: plan.width,
            groups,
            pools,
            inside: [inside(Axis::rows(g), g.output().height), inside(Axis::columns(g), g.output().width)],
            down: g.strides()[0] * below,
            right: g.strides()[1] * beside,
            weave: weave.map(|weave| &*weave),
            strip: bytemuck::cast_slice_mut(strip),
            strip_row: 0,
            columns: bytemuck::cast_slice_mut(columns),
            sums,
            kept: bytemuck::cast_slice_mut(scratch.get_mut(..plan.outputs)?),
        })
    }

    /// Every pixel of some rows is an output.
    fn each(&mut self, rows: Range<usize>, output: &mut [i8]) {
        let (g, taken) = (self.layer.geometry, self.together.max(1));
        let (width, filters) = (g.output().width.max(1), self.filters());
        let band_rows = if self.bands > 0 { self.bands } else { rows.len() };
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
        let (filters, together) = (self.filters(), self.together.max(1));
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
        let each = if self.pools { filters } else { (taken * filters).max(1) };
        let count = output.len() / each;
        let behind = count.saturating_sub(1) * step;
        // Those that one call takes are copied at a time.
        let copies = if self.direct { 0 } else { self.groups.pixels * self.layer.geometry.patch() };
        if count == 0 || copies > self.columns.len() {
            return;
        }
        for first in (0..filters).step_by(BLOCK) {
            let mut windows: Windows = [ptr::null(); 4];
            for (window, &pixel) in windows.iter_mut().zip(pixels).take(self.together) {
                let Some(found) = self.window(pixel, behind) else { return };
                *window = found;
            }
            let Some(output) = output.get_mut(first..).filter(|_| self.start(first)) else { return };
            self.finishes(taken, 3, output);
            let groups = &mut self.groups;
            (groups.windows, groups.step, groups.each) = (windows, step, each);
            groups.columns = if self.direct { ptr::null_mut() } else { self.columns.as_mut_ptr() };
            // SAFETY: the windows of each group are there, and room for sums, as `start` has seen to, for the copies of
            // as many windows as a call takes, and for outputs: each group's pixels have `each` of them, of which these
            // filters' are the ones from `first` on.
            unsafe { thumbnet_conv_groups(groups, count) }
        }
    }

    /// Some pixels, `taken` of which count, wherever their windows lie.
    #[inline(never)]
    fn pixels(&mut self, pixels: &Pixels, taken: usize, output: &mut [i8]) {
        let together = self.groups.pixels.max(1);
        for first in (0..self.filters()).step_by(BLOCK) {
            let Some(output) = output.get_mut(first..).filter(|_| self.start(first)) else { return };
            for (start, pixels) in (0..taken).step_by(together).zip(pixels.chunks_exact(together)) {
                let mut windows: Windows = [ptr::null(); 4];
                for (slot, (window, &pixel)) in windows.iter_mut().zip(pixels).enumerate() {
                    let Some(place) = self.place(pixel, slot) else { return };
                    *window = place;
                }
                let run = &self.groups.run;
                let sums = self.sums.as_mut_ptr().wrapping_add(start * run.count());
                // SAFETY: there are windows, as long as the run's filters, and room for their sums, as `start` has seen
                // to.
                unsafe { (self.groups.kernel)(run, windows.as_ptr(), self.groups.offsets, sums) }
            }
            let count = self.groups.run.count();
            if count <= output.len() {
                // A last pixel is written as often as it fills up.
                self.finishes(taken, (output.len() - count) / self.filters(), output);
                // SAFETY: there are sums of so many pixels for each of the run's filters, and their outputs.
                unsafe { (self.groups.finish)(&self.groups) }
            }
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
        // A single block is always at work.
        let (filters, run) = (self.filters(), &mut self.groups.run);
        if filters > BLOCK && run.go_on(self.layer, first..filters.min(first + BLOCK)).is_none() {
            return false;
        }
        self.together * self.groups.run.count() <= self.sums.len()
    }

    /// Sets outputs of pixels, `taken` of which count, to be made next. Those behind pixel `last` are written in its
    /// place.
    #[inline(always)]
    fn finishes(&mut self, taken: usize, last: usize, output: &mut [i8]) {
        let (filters, groups) = (self.filters(), &mut self.groups);
        groups.sums = self.sums.as_mut_ptr();
        groups.output = output.as_mut_ptr();
        groups.calls = if taken > groups.pixels { 2 } else { 1 };
        groups.behind = [filters * last.min(1), filters * last.min(2), filters * last.min(3)];
    }

    /// A pixel's window where it can be read: in place, or copied to column `slot`.
    fn place(&mut self, pixel: [usize; 2], slot: usize) -> Option<*const i8> {
        let (g, len) = (self.layer.geometry, self.layer.geometry.patch());
        let mut window = [ptr::null()];
        let is_inside = self.is_inside(pixel);
        if is_inside {
            window = [self.window(pixel, 0)?];
            if self.direct {
                return Some(window[0]);
            }
        }
        let column = self.columns.get_mut(slot * len..)?.get_mut(..len)?;
        if is_inside {
            // SAFETY: the window is there.
            unsafe { self.groups.rows.gather(&mut window, column) }
            return Some(window[0]);
        }
        copy::fill(column, self.layer.input_zero_point);
        let (rows, columns, channels) = (Axis::rows(g), Axis::columns(g), g.input().channels);
        let (inside_y, inside_x) = (rows.taps(pixel[0]), columns.taps(pixel[1]));
        let from = rows.source(pixel[0], inside_y.start) * self.groups.rows.stride
            + columns.source(pixel[1], inside_x.start) * channels;
        let to = inside_y.start * self.groups.rows.bytes + inside_x.start * channels;
        let part = Rows { count: inside_y.len(), bytes: inside_x.len() * channels, ..self.groups.rows };
        part.copy(self.input.get(from..)?, column.get_mut(to..)?, self.groups.rows.bytes);
        Some(column.as_ptr())
    }

    /// Whether a pixel's window lies in the input, or in the strip, as a whole.
    #[inline(always)]
    fn is_inside(&self, [y, x]: [usize; 2]) -> bool {
        self.inside[0].contains(&y) && self.inside[1].contains(&x)
    }

    /// A pixel's window, where it lies in the input, or in the strip, as do those of up to `behind` bytes behind it.
    #[inline(always)]
    fn window(&self, [y, x]: [usize; 2], behind: usize) -> Option<*const i8> {
        let g = self.layer.geometry;
        let (from, y, outside) = if self.bands > 0 {
            (&*self.strip, y - self.strip_row, 0)
        } else {
            (self.input, y, g.padding()[0] * self.groups.rows.stride + g.padding()[1] * g.input().channels)
        };
        let start = y * self.down + x * self.right - outside;
        Some(from.get(start..)?.get(..behind + self.groups.rows.extent())?.as_ptr())
    }

    /// Fills the strip, if there is one, for windows from row `y` of the convolution's output on.
    #[inline(never)]
    fn fill_strip(&mut self, y: usize) {
        if self.bands == 0 {
            return;
        }
        let (g, width) = (self.layer.geometry, self.strip_width);
        let ([above, left], Shape { height, width: columns, channels }) = (g.padding(), g.input());
        // The rows of the strip that lie in the input. Padding left and right stays from band to band.
        let start = y * g.strides()[0];
        let inside = above.saturating_sub(start).min(self.strip_rows)
            ..(height + above).saturating_sub(start).min(self.strip_rows);
        if y == 0 || inside.len() < self.strip_rows {
            copy::fill(self.strip, self.layer.input_zero_point);
        }
        self.strip_row = y;
        let bytes = (columns * channels).min(width.saturating_sub(left * channels));
        let stride = columns * channels;
        let Some(from) = self.input.get((start + inside.start).saturating_sub(above) * stride..) else { return };
        let (row, column) =
            if self.weave.is_some() { (channels, self.strip_rows * channels) } else { (width, channels) };
        let Some(to) = self.strip.get_mut(inside.start * row + left * column..) else { return };
        match self.weave {
            Some(offsets) => Weave::new(bytes, stride, channels, column, offsets).copy(inside.len(), from, to),
            None => Rows { count: inside.len(), bytes, stride }.copy(from, to, width),
        }
    }
}
