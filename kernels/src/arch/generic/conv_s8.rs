//! Convolution of int8 values by vectors of filters.
//!
//! ```text
//! weights of 16 filters (say), transposed: word k holds values 4k..4k+4 of each filter's row
//! image: the input within its padding, as the values that the multiplication wants
//! for a band of output rows, for two vectors of filters:
//!     for each area of pixels that see the same part of the kernel:
//!         for each tile of pixels:
//!             sums[vector][pixel] += dot(word of the image, word of the weights), for all words of the part
//!     maxima of the pooling windows, requantised
//! ```
//!
//! A lane is a filter: no sum is ever added across lanes, and a word of the image is loaded for all lanes at once.
//! Filters and values that fill up vectors and words have zero weights.
//!
//! What lies in the padding reads as the input's zero point, so the parts of the kernel that lie there for every pixel
//! of an area add the same number to each of its sums: it goes into the sums' start, and the products are left out.
//!
//! Instructions that multiply unsigned by signed bytes get the image with an offset of 128, and the sums start with 128
//! times the filter's sum taken off. All sums wrap, as the oracle's do.

use core::ops::Range;

use bytemuck::Pod;

use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::{ConvS8, Packing, Requantize};

/// How many words of sums a band should have at most: what stays in the fast caches.
const BAND_WORDS: usize = 8192;
/// Words that a cache line or the widest vector has. Regions of the scratch start at multiples of it.
const ALIGNMENT: usize = 16;
/// Vectors of filters that a tile has at most.
pub(in crate::arch) const VECTORS: usize = 2;
/// Lanes of the widest vector.
const MOST_LANES: usize = 16;

/// What an instruction set makes of the kernel. All safe functions check the extents of what they are given.
pub(in crate::arch) trait ConvIsa: Copy {
    /// Filters of a vector.
    const LANES: usize;
    /// Values of a word, in the image and in the weights.
    const GROUP: usize;
    /// A value of the image.
    type Value: Pod;
    /// The number that is added to the image's values.
    const OFFSET: i32;

    /// An input as the image holds it.
    fn value(input: i8) -> Self::Value;

    /// Transposes `run` values each of `filters` rows, `stride` apart, into words; what fills up is zero.
    fn pack(self, rows: &[i8], stride: usize, filters: usize, run: usize, words: &mut [i32]);

    /// Adds up the values of all words, for each filter.
    fn add_words(self, words: &[i32], sums: &mut [i32]);

    /// Computes the sums of all pixels of an area.
    fn area(self, area: &Area<'_, Self::Value>, sums: &mut [i32]);

    /// Pools and requantises the sums of a band.
    fn finish(self, band: &Band<'_>, output: &mut [i8]);
}

/// Pixels that see the same part of the kernel.
pub(in crate::arch) struct Area<'a, V> {
    /// The image, from the first value that the output's first pixel sees of the part.
    pub(in crate::arch) image: &'a [V],
    /// Values from one row of the image to the next.
    pub(in crate::arch) pitch: usize,
    /// Values of the image from one row, and from one column, of the output to the next.
    pub(in crate::arch) steps: [usize; 2],
    /// The area's rows and columns of the output.
    pub(in crate::arch) pixels: [Range<usize>; 2],
    /// The row of the output at which the sums begin, and their pixels in a row.
    pub(in crate::arch) origin: usize,
    pub(in crate::arch) width: usize,
    /// Rows of the part, and words of a row.
    pub(in crate::arch) part: [usize; 2],
    /// The words of the filters, from the first of the part.
    pub(in crate::arch) weights: &'a [i32],
    /// Elements from one row of the kernel, and from one vector of filters, to the next.
    pub(in crate::arch) weight_steps: [usize; 2],
    /// What the sums start with, and how many vectors there are: one or two.
    pub(in crate::arch) start: &'a [i32],
    pub(in crate::arch) vectors: usize,
}

impl<V> Area<'_, V> {
    /// Panics where the area reaches beyond the image, the weights, or the sums: what the inner loops rely on.
    pub(in crate::arch) fn check(&self, lanes: usize, group: usize, sums: usize) {
        let [rows, columns] = &self.pixels;
        assert!(!rows.is_empty() && rows.start >= self.origin, "no rows");
        assert!(!columns.is_empty() && columns.end <= self.width, "no columns");
        assert!((1..=VECTORS).contains(&self.vectors) && self.start.len() >= self.vectors * lanes, "no vectors");
        let pixels = (rows.end - 1 - self.origin) * self.width + columns.end;
        assert!(sums >= pixels * self.vectors * lanes, "sums are too short");
        let [part_rows, words] = self.part;
        if part_rows > 0 && words > 0 {
            let pixel = (rows.end - 1) * self.steps[0] + (columns.end - 1) * self.steps[1];
            assert!(self.image.len() >= pixel + (part_rows - 1) * self.pitch + words * group, "image is too short");
            let row = (self.vectors - 1) * self.weight_steps[1] + (part_rows - 1) * self.weight_steps[0];
            assert!(self.weights.len() >= row + words * lanes, "weights are too short");
        }
    }
}

/// The sums of some rows of the convolution's output.
pub(in crate::arch) struct Band<'a> {
    /// Pixel by pixel, `vectors` vectors each.
    pub(in crate::arch) sums: &'a [i32],
    pub(in crate::arch) vectors: usize,
    /// The row at which they begin.
    pub(in crate::arch) origin: usize,
    /// The pooling's windows over the convolution's output.
    pub(in crate::arch) windows: &'a Geometry,
    /// The pooling's rows.
    pub(in crate::arch) rows: Range<usize>,
    pub(in crate::arch) requantize: &'a Requantize<'a>,
    /// The filters: at most as many as the vectors have lanes.
    pub(in crate::arch) filters: Range<usize>,
}

/// The sizes of everything. All in words, but for what is named otherwise.
struct Plan {
    /// Vectors of filters.
    vectors: usize,
    /// Words of a row of the kernel.
    row: usize,
    /// Parts of a row of the kernel that can be left out: its columns, where they are whole words.
    units: usize,
    /// Rows and columns of the image.
    image: [usize; 2],
    /// The pooling's rows of a band.
    band: usize,
    weights_len: usize,
    unit_sums_len: usize,
    base_len: usize,
    image_len: usize,
    sums_len: usize,
}

impl Plan {
    const fn new(geometry: &Geometry, pool: Option<Geometry>, lanes: usize, group: usize) -> Self {
        let windows = match pool {
            Some(pool) => pool,
            None => Geometry::of_positions(geometry),
        };
        let (output, kernel, strides) = (geometry.output(), geometry.kernel(), geometry.strides());
        let channels = geometry.input().channels;
        let vectors = output.channels.div_ceil(lanes);
        let row = (kernel[1] * channels).div_ceil(group);
        let units = if channels.is_multiple_of(group) { kernel[1] } else { 1 };
        let image = [(output.height - 1) * strides[0] + kernel[0], (output.width - 1) * strides[1] + kernel[1]];
        let image_values = image[0] * image[1] * channels + group;
        let row_of_sums = output.width * lanes * if vectors < VECTORS { vectors } else { VECTORS };
        // As many rows of windows as there are sums for, and at least one.
        let more = (BAND_WORDS / row_of_sums).saturating_sub(windows.kernel()[0]) / windows.strides()[0];
        let band = if more < windows.output().height { more + 1 } else { windows.output().height };
        let mut rows = (band - 1) * windows.strides()[0] + windows.kernel()[0];
        if rows > output.height {
            rows = output.height;
        }
        Self {
            vectors,
            row,
            units,
            image,
            band,
            weights_len: aligned(vectors * kernel[0] * row * lanes),
            unit_sums_len: aligned(vectors * kernel[0] * units * lanes),
            base_len: aligned(vectors * lanes),
            image_len: aligned(image_values.div_ceil(group)),
            sums_len: rows * row_of_sums,
        }
    }

    const fn len(&self) -> usize {
        // The first region may have to be moved to an aligned place.
        ALIGNMENT + self.weights_len + self.unit_sums_len + self.base_len + self.image_len + self.sums_len
    }
}

const fn aligned(words: usize) -> usize {
    words.next_multiple_of(ALIGNMENT)
}

/// The words of scratch that [`conv_s8`] needs.
pub(in crate::arch) const fn conv_s8_scratch_len(
    geometry: &Geometry,
    pool: Option<Geometry>,
    lanes: usize,
    group: usize,
) -> usize {
    Plan::new(geometry, pool, lanes, group).len()
}

/// Runs `layer` over one sample.
pub(in crate::arch) fn conv_s8<I: ConvIsa>(
    isa: I,
    layer: &ConvS8<'_>,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i32],
) {
    let geometry = layer.geometry;
    assert!(layer.is_consistent() && input.len() == geometry.input().len() && output.len() == layer.output_len());
    let plan = Plan::new(geometry, layer.pool.copied(), I::LANES, I::GROUP);
    let start = scratch.as_ptr().align_offset(size_of::<i32>() * ALIGNMENT).min(ALIGNMENT);
    let (weights, rest) = scratch[start..].split_at_mut(plan.weights_len);
    let (unit_sums, rest) = rest.split_at_mut(plan.unit_sums_len);
    let (base, rest) = rest.split_at_mut(plan.base_len);
    let (image, rest) = rest.split_at_mut(plan.image_len);
    let sums = &mut rest[..plan.sums_len];
    let image: &mut [I::Value] = bytemuck::cast_slice_mut(image);

    pack(isa, layer, &plan, weights);
    add_units(isa, geometry, &plan, weights, unit_sums);
    start_sums::<I>(layer, geometry.kernel()[0] * plan.units, unit_sums, base);
    image.fill(I::value(layer.input_zero_point));
    copy::<I>(geometry, &plan, input, image);
    Prepared { layer, plan: &plan, weights, unit_sums, base }.sample(isa, image, sums, output);
}

/// Transposes the weights: vector of filters, row of the kernel, word, lane.
fn pack<I: ConvIsa>(isa: I, layer: &ConvS8<'_>, plan: &Plan, weights: &mut [i32]) {
    let (filters, patch) = (layer.geometry.output().channels, layer.geometry.patch());
    // Kernel rows of whole words follow each other without a gap, as one.
    let rows = layer.geometry.kernel()[0];
    let rows = if patch == rows * plan.row * I::GROUP { 1 } else { rows };
    let run = patch / rows;
    let words = run.div_ceil(I::GROUP) * I::LANES;
    for (at, words) in weights.chunks_exact_mut(words).take(plan.vectors * rows).enumerate() {
        let (filter, start) = (at / rows * I::LANES, at % rows * run);
        let count = (filters - filter).min(I::LANES);
        if layer.packing == Packing::Plain {
            isa.pack(&layer.weights[filter * patch + start..], patch, count, run, words);
            continue;
        }
        // Any other order, slowly: value by value, as many as a square of words has.
        let mut square = [0; 4 * MOST_LANES * MOST_LANES];
        let side = I::GROUP * I::LANES;
        for (words, done) in words.chunks_mut(I::LANES * I::LANES).zip((0..run).step_by(side)) {
            let run = (run - done).min(side);
            for lane in 0..count {
                for (k, value) in square[lane * side..][..run].iter_mut().enumerate() {
                    *value = layer.packing.weight(layer.weights, filters, patch, filter + lane, start + done + k);
                }
            }
            isa.pack(&square, side, count, run, words);
        }
    }
}

/// The sum of each filter's weights in each part of the kernel that can be left out: vector of filters, row of the
/// kernel, unit, lane.
fn add_units<I: ConvIsa>(isa: I, geometry: &Geometry, plan: &Plan, weights: &[i32], unit_sums: &mut [i32]) {
    let words = plan.row / plan.units * I::LANES;
    let units = plan.vectors * geometry.kernel()[0] * plan.units;
    for (weights, sums) in weights.chunks_exact(words).zip(unit_sums.chunks_exact_mut(I::LANES)).take(units) {
        isa.add_words(weights, sums);
    }
}

/// What the sums start with where no part of the kernel is left out: the bias, less what the image's offset adds.
fn start_sums<I: ConvIsa>(layer: &ConvS8<'_>, units: usize, unit_sums: &[i32], base: &mut [i32]) {
    base.fill(0);
    base[..layer.bias.len()].copy_from_slice(layer.bias);
    if I::OFFSET == 0 {
        return;
    }
    let vectors = base.chunks_exact_mut(I::LANES).zip(unit_sums.chunks_exact(units * I::LANES));
    for (base, unit_sums) in vectors {
        for sums in unit_sums.chunks_exact(I::LANES) {
            for (start, sum) in base.iter_mut().zip(sums) {
                *start = start.wrapping_sub(sum.wrapping_mul(I::OFFSET));
            }
        }
    }
}

/// Copies a sample into the image's inside.
fn copy<I: ConvIsa>(geometry: &Geometry, plan: &Plan, input: &[i8], image: &mut [I::Value]) {
    let channels = geometry.input().channels;
    let [top, left] = geometry.padding();
    let [rows, columns] = plan.image;
    let inside = geometry.input().width.min(columns - left) * channels;
    let from = input.chunks_exact(geometry.input().width * channels);
    let to = image.chunks_exact_mut(columns * channels).take(rows).skip(top);
    for (from, to) in from.zip(to) {
        for (to, &from) in to[left * channels..][..inside].iter_mut().zip(from) {
            *to = I::value(from);
        }
    }
}

/// Positions along one axis that are treated alike, and the taps that any of them reads the input with.
#[derive(Clone)]
struct Segment {
    positions: Range<usize>,
    taps: Range<usize>,
}

/// The axis in three: positions whose first taps are in the padding, none, their last. Any of them may be empty.
fn segments(axis: &Axis, positions: usize) -> [Segment; 3] {
    let before = axis.padding.div_ceil(axis.stride).min(positions);
    let inside = (axis.input + axis.padding + axis.stride).saturating_sub(axis.kernel) / axis.stride;
    let inside = inside.clamp(before, positions);
    [0..before, before..inside, inside..positions].map(|positions| {
        // Further on, the taps begin and end earlier.
        let first = positions.end.checked_sub(1).map_or(0, |last| axis.taps(last).start);
        let end = axis.taps(positions.start).end;
        Segment { positions, taps: first..end.max(first) }
    })
}

/// What is computed once for all samples.
struct Prepared<'a> {
    layer: &'a ConvS8<'a>,
    plan: &'a Plan,
    weights: &'a [i32],
    unit_sums: &'a [i32],
    base: &'a [i32],
}

impl Prepared<'_> {
    fn sample<I: ConvIsa>(&self, isa: I, image: &[I::Value], sums: &mut [i32], output: &mut [i8]) {
        let geometry = self.layer.geometry;
        let windows = self.layer.pool.copied().unwrap_or(Geometry::of_positions(geometry));
        let pool_rows = Axis::rows(&windows);
        let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
        let row_segments = segments(&rows, geometry.output().height);
        let mut column_segments = segments(&columns, geometry.output().width);
        if self.plan.units == 1 {
            // Columns of the kernel cannot be left out.
            let everything = Segment { positions: 0..geometry.output().width, taps: 0..columns.kernel };
            let nothing = Segment { positions: 0..0, taps: 0..0 };
            column_segments = [everything, nothing.clone(), nothing];
        }
        for first in (0..windows.output().height).step_by(self.plan.band) {
            let end = (first + self.plan.band).min(windows.output().height);
            let origin = pool_rows.source(first, pool_rows.taps(first).start);
            let last = pool_rows.source(end - 1, pool_rows.taps(end - 1).end - 1) + 1;
            for vector in (0..self.plan.vectors).step_by(VECTORS) {
                let vectors = (self.plan.vectors - vector).min(VECTORS);
                let filter = vector * I::LANES;
                for rows in &row_segments {
                    let positions = rows.positions.start.max(origin)..rows.positions.end.min(last);
                    let rows = Segment { positions, taps: rows.taps.clone() };
                    for columns in &column_segments {
                        self.area(isa, [&rows, columns], origin, vector..vector + vectors, image, sums);
                    }
                }
                let band = Band {
                    sums,
                    vectors,
                    origin,
                    windows: &windows,
                    rows: first..end,
                    requantize: &self.layer.requantize,
                    filters: filter..(filter + vectors * I::LANES).min(geometry.output().channels),
                };
                isa.finish(&band, output);
            }
        }
    }

    /// The sums of the pixels in a segment of rows and one of columns.
    fn area<I: ConvIsa>(
        &self,
        isa: I,
        [rows, columns]: [&Segment; 2],
        origin: usize,
        vectors: Range<usize>,
        image: &[I::Value],
        sums: &mut [i32],
    ) {
        if rows.positions.is_empty() || columns.positions.is_empty() {
            return;
        }
        let (geometry, plan) = (self.layer.geometry, self.plan);
        let (kernel_rows, channels) = (geometry.kernel()[0], geometry.input().channels);
        let pitch = plan.image[1] * channels;
        let part = if plan.units == 1 { plan.row } else { columns.taps.len() * (plan.row / plan.units) };
        let skipped = columns.taps.start * (plan.row / plan.units);
        let weight_steps = [plan.row * I::LANES, kernel_rows * plan.row * I::LANES];
        let start = self.start::<I>([rows, columns], vectors.clone());
        let area = Area {
            image: &image[rows.taps.start * pitch + columns.taps.start * channels..],
            pitch,
            steps: [geometry.strides()[0] * pitch, geometry.strides()[1] * channels],
            pixels: [rows.positions.clone(), columns.positions.clone()],
            origin,
            width: geometry.output().width,
            part: [rows.taps.len(), part],
            weights: &self.weights
                [vectors.start * weight_steps[1] + rows.taps.start * weight_steps[0] + skipped * I::LANES..],
            weight_steps,
            start: &start,
            vectors: vectors.len(),
        };
        isa.area(&area, sums);
    }

    /// What an area's sums start with: the parts of the kernel that are left out see padding only.
    fn start<I: ConvIsa>(&self, [rows, columns]: [&Segment; 2], vectors: Range<usize>) -> [i32; VECTORS * MOST_LANES] {
        let (kernel_rows, units) = (self.layer.geometry.kernel()[0], self.plan.units);
        let padding = i32::from(self.layer.input_zero_point) + I::OFFSET;
        let lanes = vectors.start * I::LANES..vectors.end * I::LANES;
        let mut start = [0; VECTORS * MOST_LANES];
        start[..lanes.len()].copy_from_slice(&self.base[lanes]);
        if padding == 0 {
            return start;
        }
        for (start, vector) in start.chunks_exact_mut(I::LANES).zip(vectors) {
            let sums = &self.unit_sums[vector * kernel_rows * units * I::LANES..];
            for (at, sums) in sums.chunks_exact(I::LANES).take(kernel_rows * units).enumerate() {
                let inside = rows.taps.contains(&(at / units)) && (units == 1 || columns.taps.contains(&(at % units)));
                if !inside {
                    for (start, sum) in start.iter_mut().zip(sums) {
                        *start = start.wrapping_add(sum.wrapping_mul(padding));
                    }
                }
            }
        }
        start
    }
}
