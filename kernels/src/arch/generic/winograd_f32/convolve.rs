//! The convolution and the gradient of its input.

use super::{
    BLOCK, COLUMNS_LEN, Image, KERNEL_GRAIN, Layout, Left, MOST_LANES, Output, POINTS, Tiling, Winograd, aligned,
    lane_len, spread,
};
use crate::{
    arch::{
        Weights,
        generic::conv_f32::turn_kernel,
        matrix::MatrixMut,
        parallel::{Split, lanes, pieces},
    },
    geometry::{Geometry, Shape},
};
use core::ops::Range;

/// Tiles that are transformed, multiplied and transformed back at a time: a product needs rows for its register tiles,
/// and the values at all points should stay in a cache of 1 MiB beside the transformed kernel.
const TILES: usize = 16;

/// Filters at a time where there are few tiles: two vectors of AVX-512, which a product's tiles want.
const FILTERS: usize = 2 * BLOCK;

/// How many values of scratch the functions of this file need: the kernel, turned, at all points, and the threads' own.
pub(super) const fn scratch_len(g: &Geometry) -> usize {
    let len = g.input().channels * g.output().channels;
    let [forward, backward] =
        [few_len(g.input().channels, g.output().channels), few_len(g.output().channels, g.input().channels)];
    let few = if forward > backward { forward } else { backward };
    let many = POINTS * spread(len) + MOST_LANES * lane_len(g, TILES);
    g.patch() * g.output().channels + if few > many { few } else { many }
}

/// Scratch of all threads where there are few tiles.
const fn few_len(channels: usize, filters: usize) -> usize {
    let lanes = filters / BLOCK;
    few_lane_len(channels) * if lanes < MOST_LANES { lanes } else { MOST_LANES }
}

/// Scratch of one of them.
const fn few_lane_len(channels: usize) -> usize {
    let tile = Layout::by_block(channels).row + Layout::by_block(FILTERS).row;
    COLUMNS_LEN + TILES * tile + POINTS * spread(channels * FILTERS)
}

/// The convolution of all samples, and the max pooling of its output where there is one that [`pools`] takes.
pub(in crate::arch) fn conv2d<W: Winograd>(
    isa: W,
    g: &Geometry,
    pool: Option<&Geometry>,
    x: &[f32],
    weights: Weights<'_>,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (pool, padding, lane) = (pool.map(|pool| pool.output()), g.padding(), lane_len(g, TILES));
    let pass = Pass { input: g.input(), output: g.output(), pool, padding, x, weights, lane };
    match g.kernel()[0] {
        5 => pass.run::<W, 4, 5>(isa, y, aligned(scratch)),
        _ => pass.run::<W, 6, 3>(isa, y, aligned(scratch)),
    }
}

/// The gradient of the input of all samples.
pub(in crate::arch) fn conv2d_input_gradient<W: Winograd>(
    isa: W,
    g: &Geometry,
    dy: &[f32],
    kernel: &[f32],
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    let (turned, scratch) = aligned(scratch).split_at_mut(kernel.len());
    turn_kernel(isa, g, kernel, turned);
    let padding = [g.kernel()[0] - 1 - g.padding()[0], g.kernel()[1] - 1 - g.padding()[1]];
    let (input, output, lane) = (g.output(), g.input(), lane_len(g, TILES));
    let weights = Weights { kernel: turned, bias: None, relu: false };
    let pass = Pass { input, output, pool: None, padding, x: dy, weights, lane };
    match g.kernel()[0] {
        5 => pass.run::<W, 4, 5>(isa, dx, scratch),
        _ => pass.run::<W, 6, 3>(isa, dx, scratch),
    }
}

/// A convolution, be it the layer's or that of its gradient.
#[derive(Clone, Copy, Debug)]
struct Pass<'a> {
    input: Shape,
    output: Shape,
    /// The shape of the pooled output, of windows of 2 x 2 side by side.
    pool: Option<Shape>,
    padding: [usize; 2],
    x: &'a [f32],
    weights: Weights<'a>,
    /// Scratch of a thread that has some rows of tiles.
    lane: usize,
}

/// Rows `first..first + count` of tiles and their outputs.
struct Strips<'a> {
    tiling: Tiling,
    first: usize,
    count: usize,
    values: &'a mut [f32],
}

/// Where row `strip` of tiles begins in the batch.
const fn offset(tiling: &Tiling, strip: usize) -> usize {
    let (sample, row) = (strip / tiling.rows(), strip % tiling.rows());
    sample * tiling.shape.len() + row * tiling.side * tiling.shape.width * tiling.shape.channels
}

impl Split for Strips<'_> {
    fn count(&self) -> usize {
        self.count
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Self { tiling, first, count, values } = self;
        let (a, b) = values.split_at_mut(offset(&tiling, first + at) - offset(&tiling, first));
        (Self { tiling, first, count: at, values: a }, Self { tiling, first: first + at, count: count - at, values: b })
    }
}

impl Pass<'_> {
    /// All outputs, spread over threads: by rows of tiles, or by filters where there are few tiles.
    fn run<W: Winograd, const M: usize, const R: usize>(&self, isa: W, y: &mut [f32], scratch: &mut [f32]) {
        // The tiles of what is stored: `M` is even, so that no window lies in two.
        let tiling = match self.pool {
            Some(shape) => Tiling { shape, side: M / 2 },
            None => Tiling { shape: self.output, side: M },
        };
        let filters = self.output.channels;
        let count = y.len() / tiling.shape.len() * tiling.rows();
        if count * tiling.columns() <= TILES {
            let y = MatrixMut::new(y, y.len() / filters, filters, filters);
            let lane = few_lane_len(self.input.channels);
            return lanes(y, BLOCK, MOST_LANES, scratch, lane, &|first, y, scratch| {
                self.filters::<W, M, R>(isa, tiling, count * tiling.columns(), first, y, scratch);
            });
        }
        let len = self.input.channels * filters;
        let (points, scratch) = scratch.split_at_mut(POINTS * spread(len));
        pieces(MatrixMut::new(points, POINTS, len, spread(len)), KERNEL_GRAIN, &|first, points| {
            isa.kernel::<R>(self.weights.kernel, len, first, points);
        });
        let points = &*points;
        let strips = Strips { tiling, first: 0, count, values: y };
        let grain = TILES.div_ceil(tiling.columns());
        lanes(strips, grain, MOST_LANES, scratch, self.lane, &|_, strips, scratch| {
            self.strips::<W, M>(isa, points, strips, scratch);
        });
    }

    /// The outputs of some rows of tiles. `kernel` is transformed.
    fn strips<W: Winograd, const M: usize>(&self, isa: W, kernel: &[f32], strips: Strips<'_>, scratch: &mut [f32]) {
        let Strips { tiling, first, count, values: y } = strips;
        let (channels, filters) = (self.input.channels, self.output.channels);
        let (v_layout, m_layout) = (Layout::by_block(channels), Layout::by_block(filters));
        let kernel_layout = Layout { row: filters, point: spread(channels * filters), block: BLOCK };
        let (columns, scratch) = scratch.split_at_mut(COLUMNS_LEN);
        let (v, m) = scratch.split_at_mut(TILES * v_layout.row);
        let origin = offset(&tiling, first) / filters;
        let mut y = MatrixMut::new(y, y.len() / filters, filters, filters);
        let (start, end) = (first * tiling.columns(), (first + count) * tiling.columns());
        let chunks = (end - start).div_ceil(TILES);
        for chunk in 0..chunks {
            // Chunks of nearly the same size: what is read of the kernel is read for many tiles.
            let [from, to] = [chunk, chunk + 1].map(|chunk| start + (end - start) * chunk / chunks);
            self.inputs::<W, M>(isa, tiling, from..to, v, columns);
            for p in 0..POINTS {
                let (a, b, c) = (v_layout.at(p, v), kernel_layout.at(p, kernel), m_layout.at_mut(p, m));
                isa.product([to - from, filters, channels], Left::Plain, a, b, c, false);
            }
            self.outputs::<W, M>(isa, m, m_layout, tiling, from..to, 0, origin, &mut y);
        }
    }

    /// The outputs of all `tiles` for the filters `first..`, as many as `y` has columns. The kernel of so few filters
    /// is transformed where it is used, by the thread that does.
    fn filters<W: Winograd, const M: usize, const R: usize>(
        &self,
        isa: W,
        tiling: Tiling,
        tiles: usize,
        first: usize,
        mut y: MatrixMut<'_>,
        scratch: &mut [f32],
    ) {
        let (channels, filters) = (self.input.channels, self.output.channels);
        let (v_layout, m_layout) = (Layout::by_block(channels), Layout::by_block(FILTERS));
        let (columns, scratch) = scratch.split_at_mut(COLUMNS_LEN);
        let (v, scratch) = scratch.split_at_mut(TILES * v_layout.row);
        let (m, points) = scratch.split_at_mut(TILES * m_layout.row);
        self.inputs::<W, M>(isa, tiling, 0..tiles, v, columns);
        for at in (0..y.columns()).step_by(FILTERS) {
            let width = FILTERS.min(y.columns() - at);
            let layout = Layout { row: width, point: spread(channels * width), block: BLOCK };
            for channel in 0..channels {
                let of_channel = MatrixMut::new(&mut points[channel * width..], POINTS, width, layout.point);
                isa.kernel::<R>(self.weights.kernel, channels * filters, channel * filters + first + at, of_channel);
            }
            for p in 0..POINTS {
                let (a, b, c) = (v_layout.at(p, v), layout.at(p, points), m_layout.at_mut(p, m));
                isa.product([tiles, width, channels], Left::Plain, a, b, c, false);
            }
            self.outputs::<W, M>(isa, m, m_layout, tiling, 0..tiles, first + at, 0, &mut y.block(at, width));
        }
    }

    /// Transforms the inputs of some tiles.
    fn inputs<W: Winograd, const M: usize>(
        &self,
        isa: W,
        tiling: Tiling,
        tiles: Range<usize>,
        v: &mut [f32],
        columns: &mut [f32],
    ) {
        let layout = Layout::by_block(self.input.channels);
        for run in tiling.runs(tiles.start, tiles.len()) {
            let image = Image::of(self.x, self.input, run.sample);
            let step = M / tiling.side;
            let at = [0, 1].map(|axis| (run.at[axis] * step) as isize - self.padding[axis] as isize);
            let channels = 0..self.input.channels;
            isa.input::<M>(&image, channels, at, run.count, &mut v[run.tile * layout.row..], layout, columns);
        }
    }

    /// Transforms sums back to outputs of some tiles, for the filters `first..`. `y` begins with the pixel `origin` of
    /// the batch.
    #[expect(clippy::too_many_arguments, reason = "where from, where to")]
    fn outputs<W: Winograd, const M: usize>(
        &self,
        isa: W,
        m: &[f32],
        layout: Layout,
        tiling: Tiling,
        tiles: Range<usize>,
        first: usize,
        origin: usize,
        y: &mut MatrixMut<'_>,
    ) {
        let Tiling { shape, side } = tiling;
        let step = M / side;
        for run in tiling.runs(tiles.start, tiles.len()) {
            let [row, column] = run.at;
            let pixel = (run.sample * shape.height + row) * shape.width + column - origin;
            let output = Output {
                pixels: y.rows_from(pixel),
                width: shape.width,
                // Windows at the end may hang over, and pixels that no window holds may be left.
                rows: self.output.height.min(shape.height * step) - row * step,
                columns: self.output.width.min(shape.width * step) - column * step,
                pool: self.pool.is_some(),
                bias: self.weights.bias.map(|bias| &bias[first..]),
                relu: self.weights.relu,
            };
            isa.output::<M>(&m[run.tile * layout.row..], layout, run.count, output);
        }
    }
}
