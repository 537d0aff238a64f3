//! Convolution and its gradients as products of matrices, for any back end with a [`Gemm`].
//!
//! At one position of the window the valid taps of one kernel row are one run of values, in the input (NHWC) and in the
//! kernel (`[kh, kw, c, f]`) alike. So the outputs of one position over many samples, or of neighbouring positions with
//! the same valid taps, are a product whose common axis is (kernel row, run), and whose right operand is the kernel as
//! it lies. Padding is neither stored nor multiplied, which spares up to a sixth of the textbook's work for a 5 x 5
//! kernel on 14 x 14 pixels.

use super::gemm_f32::{Ahead, Gemm, Start, Walk, gemm};
use super::spans::{Reach, Window};
use crate::{
    arch::{
        Weights,
        matrix::MatrixMut,
        parallel::{Rows, SMALL, pieces, threads},
        window::Axis,
    },
    geometry::Geometry,
};
use core::ops::Range;

/// Samples at a time have as many values as a private cache of 512 KiB keeps beside a kernel.
const CACHED: usize = 1 << 16;

/// `to[kh - 1 - ky, kw - 1 - kx, f, c] = kernel[ky, kx, c, f]`.
pub(in crate::arch) fn turn_kernel<G: Gemm>(isa: G, g: &Geometry, kernel: &[f32], to: &mut [f32]) {
    let (channels, filters) = (g.input().channels, g.output().channels);
    let tap = channels * filters;
    for (from, to) in kernel.chunks_exact(tap).rev().zip(to.chunks_exact_mut(tap)) {
        isa.transpose(from, filters, channels, filters, to, channels);
    }
}

/// All outputs of a sliding sum: spread over threads by samples, and where these are too few by rows of each sample.
pub(in crate::arch) fn convolve<G: Gemm>(isa: G, window: &Window, x: &[f32], weights: Weights<'_>, y: &mut [f32]) {
    let (input, output) = (window.input, window.output);
    let (samples, row) = (x.len() / input.len(), output.width * output.channels);
    let work = weights.kernel.len().saturating_mul(output.height).saturating_mul(output.width);
    if samples >= threads() {
        let samples = (Rows { items: x, width: input.len() }, Rows { items: y, width: output.len() });
        pieces(samples, SMALL.div_ceil(work), &|_, (x, y)| {
            convolve_rows(isa, window, 0..output.height, x.items, weights, y.items);
        });
    } else {
        for (x, y) in x.chunks_exact(input.len()).zip(y.chunks_exact_mut(output.len())) {
            let grain = SMALL.div_ceil(work / output.height);
            pieces(Rows { items: y, width: row }, grain, &|first, y| {
                let rows = first..first + y.items.len() / row;
                convolve_rows(isa, window, rows, x, weights, y.items);
            });
        }
    }
}

/// The outputs in rows `out_rows` of every sample of `x`. `y` holds just those rows of as many samples.
pub(in crate::arch) fn convolve_rows<G: Gemm>(
    isa: G,
    window: &Window,
    out_rows: Range<usize>,
    x: &[f32],
    weights: Weights<'_>,
    y: &mut [f32],
) {
    let sample = out_rows.len() * window.output.width * window.output.channels;
    let samples = (CACHED / (window.input.len() + sample).max(1)).max(1);
    let mut blocks = x.chunks(samples * window.input.len()).zip(y.chunks_mut((samples * sample).max(1))).peekable();
    while let Some((x, y)) = blocks.next() {
        let next = blocks.peek().map_or(&[][..], |(next, _)| next);
        convolve_samples(isa, window, out_rows.clone(), [x, next], weights, y);
    }
}

/// As [`convolve_rows`], of samples that a cache keeps, before those of `next`.
fn convolve_samples<G: Gemm>(
    isa: G,
    window: &Window,
    out_rows: Range<usize>,
    [x, next]: [&[f32]; 2],
    weights: Weights<'_>,
    y: &mut [f32],
) {
    let Window { input, output, .. } = *window;
    let (channels, filters) = (input.channels, output.channels);
    let sample = out_rows.len() * output.width * filters;
    let samples = x.len() / input.len();
    let Weights { kernel, bias, relu } = weights;
    let start = bias.map_or(Start::Zero, Start::Bias);
    let (tap_y, tap_x) = (window.rows.step(), window.columns.step());
    for rows in window.rows.spans(out_rows.clone()) {
        for columns in window.columns.spans(0..output.width) {
            let first_tap = if rows.taps * columns.taps == 0 { 0 } else { rows.tap * window.kernel[1] + columns.tap };
            // Neighbouring taps are neighbours in the kernel too, unless the stride leaves some out.
            let run = if tap_x == 1 { [1, columns.taps * channels] } else { [columns.taps, channels] };
            let mut walk = Walk {
                counts: [rows.taps, run[0], run[1]],
                a: [input.width * channels, channels, 1],
                b: [tap_y * window.kernel[1] * channels * filters, tap_x * channels * filters, filters],
                row: 0,
            };
            // One axis of (sample, row, column) becomes the rows of the product: the longer side of the image, since
            // neighbours lie close together, unless it fills no half of a tile and there are more samples. The others
            // are loops.
            let axes = [
                (samples, input.len(), sample),
                (rows.len, rows.advance * input.width * channels, tap_y * output.width * filters),
                (columns.len, columns.advance * channels, tap_x * filters),
            ];
            let longest = if rows.len > columns.len { 1 } else { 2 };
            let axis = if axes[longest].0 < G::ROWS / 2 && samples > axes[longest].0 { 0 } else { longest };
            let (height, row, c_row) = axes[axis];
            walk.row = row;
            // Pixels by themselves are one product, while which the next come.
            let pixels = [input.height, input.width, walk.counts[1]] == [1; 3];
            let ahead = if pixels { Ahead::part([next, &[], &[]], 0, 1, walk.counts[2]) } else { Ahead::NONE };
            let loops = axes.map(|(count, ..)| count);
            let mut outer = loops;
            outer[axis] = 1;
            for b in 0..outer[0] {
                for oy in 0..outer[1] {
                    for ox in 0..outer[2] {
                        let from = b * axes[0].1 + oy * axes[1].1 + ox * axes[2].1;
                        let from = from + (rows.source * input.width + columns.source) * channels;
                        let to = (rows.at - out_rows.start) * output.width + columns.at;
                        let to = b * axes[0].2 + oy * axes[1].2 + ox * axes[2].2 + to * filters;
                        if rows.taps * columns.taps == 0 && bias.is_none() {
                            // No input reaches these positions: a stride leaves them out.
                            (0..height).for_each(|i| y[to + i * c_row..][..filters].fill(0.0));
                            continue;
                        }
                        let c = MatrixMut::new(&mut y[to..], height, filters, c_row);
                        // Positions that no input reaches have an empty walk, whose start may lie anywhere.
                        let a = x.get(from..).unwrap_or_default();
                        gemm(isa, &walk, a, &kernel[first_tap * channels * filters..], c, start, relu, ahead);
                    }
                }
            }
        }
    }
}

/// From so many channels on, one tap alone gives tiles that are high enough.
const MANY: usize = 8;

/// Sums that are made apart where there are few channels, each over its own samples, and added in one order.
const fn groups(g: &Geometry, batch: usize) -> usize {
    const MOST: usize = 8;
    if g.input().channels >= MANY {
        0
    } else if batch < MOST {
        batch
    } else {
        MOST
    }
}

/// How many values of scratch [`kernel_gradient`] needs, of as many samples.
pub(in crate::arch) const fn kernel_gradient_scratch_len(g: &Geometry, batch: usize) -> usize {
    let pixels = g.by_pixels();
    groups(&pixels, batch * (g.output().len() / pixels.output().len())) * (g.patch() * g.output().channels)
}

/// The kernel's gradient. Threads share it by its rows, so that every sum over the batch stays in one of them. Where
/// there are few channels, so few rows as a thread would get fill no tiles: there they share the samples, in groups
/// that do not depend on the number of threads.
pub(in crate::arch) fn kernel_gradient<G: Gemm>(
    isa: G,
    g: &Geometry,
    x: &[f32],
    dy: &[f32],
    dkernel: &mut [f32],
    scratch: &mut [f32],
) {
    let g = &g.by_pixels();
    let (batch, each) = (x.len() / g.input().len(), dkernel.len());
    let groups = groups(g, batch);
    if groups == 0 {
        let grain = SMALL.div_ceil(dy.len().max(1));
        return pieces(Rows { items: dkernel, width: g.output().channels }, grain, &|first, rows| {
            kernel_gradient_rows(isa, g, x, dy, first, rows.items);
        });
    }
    let sums = &mut scratch[..groups * each];
    let grain = SMALL.div_ceil((g.patch().saturating_mul(dy.len()) / groups).max(1));
    pieces(Rows { items: &mut *sums, width: each }, grain, &|first, sums| {
        for (i, sum) in sums.items.chunks_exact_mut(each).enumerate() {
            let [start, end] = [first + i, first + i + 1].map(|group| batch * group / groups);
            let (x, dy) = (
                &x[start * g.input().len()..end * g.input().len()],
                &dy[start * g.output().len()..end * g.output().len()],
            );
            kernel_gradient_rows(isa, g, x, dy, 0, sum);
        }
    });
    let (first, others) = sums.split_at(each);
    dkernel.copy_from_slice(first);
    for sum in others.chunks_exact(each) {
        dkernel.iter_mut().zip(sum).for_each(|(total, part)| *total += part);
    }
}

/// Rows `first..` of `dkernel`, seen as a matrix of `kh * kw * c` rows of `f` values; as many as `dkernel` holds.
///
/// Rows of the product are the channels of one tap, or of neighbouring taps where there are few; the common axis is
/// (sample, output row, output column).
fn kernel_gradient_rows<G: Gemm>(isa: G, g: &Geometry, x: &[f32], dy: &[f32], first: usize, dkernel: &mut [f32]) {
    /// Samples at a time have as many values as a first cache keeps; those that follow come to the second meanwhile.
    const CACHED: usize = 1 << 13;
    let channels = g.input().channels;
    dkernel.fill(0.0);
    let samples = (CACHED / (g.input().len() + g.output().len())).max(1);
    let mut own = Part { first, values: dkernel, next: [&[]; 2] };
    let mut blocks = x.chunks(samples * g.input().len()).zip(dy.chunks(samples * g.output().len())).peekable();
    while let Some((x, dy)) = blocks.next() {
        own.next = blocks.peek().map_or([&[]; 2], |&(x, dy)| [x, dy]);
        for ky in 0..g.kernel()[0] {
            if channels >= MANY {
                for kx in 0..g.kernel()[1] {
                    let columns = positions(Axis::columns(g), g.output().width, kx);
                    own.add(isa, g, x, dy, ky, kx..kx + 1, columns);
                }
            } else {
                for span in Reach::Forward(Axis::columns(g)).spans(0..g.output().width) {
                    let columns = span.at..span.at + span.len;
                    own.add(isa, g, x, dy, ky, span.tap..span.tap + span.taps, columns);
                }
            }
        }
    }
}

/// Some rows of a kernel's gradient.
struct Part<'a> {
    first: usize,
    values: &'a mut [f32],
    /// The inputs and gradients that follow.
    next: [&'a [f32]; 2],
}

impl Part<'_> {
    /// Adds what the output columns `columns` contribute to those of its rows that belong to kernel row `ky` and the
    /// taps `kx`, all of which must be valid at each of these columns.
    #[expect(clippy::too_many_arguments, reason = "a tensor or an axis each")]
    fn add<G: Gemm>(
        &mut self,
        isa: G,
        g: &Geometry,
        x: &[f32],
        dy: &[f32],
        ky: usize,
        kx: Range<usize>,
        columns: Range<usize>,
    ) {
        let (channels, filters) = (g.input().channels, g.output().channels);
        let taps = (ky * g.kernel()[1] + kx.start) * channels..(ky * g.kernel()[1] + kx.end) * channels;
        let own = self.first..self.first + self.values.len() / filters;
        let rows = taps.start.max(own.start)..taps.end.min(own.end);
        let lines = positions(Axis::rows(g), g.output().height, ky);
        if rows.is_empty() || lines.is_empty() || columns.is_empty() {
            return;
        }
        let source_y = Axis::rows(g).source(lines.start, ky);
        let source_x = Axis::columns(g).source(columns.start, kx.start);
        let from = (source_y * g.input().width + source_x) * channels + rows.start - taps.start;
        let to = (lines.start * g.output().width + columns.start) * filters;
        let samples = x.len() / g.input().len();
        let line = (lines.len(), g.strides()[0] * g.input().width * channels, g.output().width * filters);
        let column = (columns.len(), g.strides()[1] * channels, filters);
        // The inner loop is a long one, of neighbours if these are not few.
        let (j, k) = if 2 * columns.len() < lines.len() { (column, line) } else { (line, column) };
        let walk = Walk {
            counts: [samples, j.0, k.0],
            a: [g.input().len(), j.1, k.1],
            b: [g.output().len(), j.2, k.2],
            row: 1,
        }
        .merged();
        let values = &mut self.values[(rows.start - own.start) * filters..];
        let mut c = MatrixMut::new(values, rows.len(), filters, filters);
        let [next_x, next_dy] = self.next;
        let (panels, first_tap) = (filters.div_ceil(G::COLUMNS), ky * g.kernel()[1] + kx.start);
        let parts = g.kernel()[0] * g.kernel()[1] * panels;
        for panel in 0..panels {
            let part = first_tap * panels + panel;
            let ahead = Ahead::part([next_x, next_dy, &[]], part, parts, walk.counts[1] * walk.counts[2]);
            let ahead = Ahead { row: walk.counts[2] * Ahead::LINE, ..ahead };
            let column = panel * G::COLUMNS;
            let c = c.block(column, G::COLUMNS.min(filters - column));
            gemm(isa, &walk, &x[from..], &dy[to + column..], c, Start::Sum, false, ahead);
        }
    }
}

/// The output positions at which `tap` reads a real input.
fn positions(axis: Axis, outputs: usize, tap: usize) -> Range<usize> {
    let first = axis.padding.saturating_sub(tap).div_ceil(axis.stride).min(outputs);
    let end = (axis.input + axis.padding).saturating_sub(tap).div_ceil(axis.stride).min(outputs);
    first..end.max(first)
}
