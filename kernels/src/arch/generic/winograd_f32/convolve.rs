//! The convolution and the gradient of its input.

use super::{
    BLOCK, COLUMNS_LEN, Image, KERNEL_GRAIN, Layout, Left, MOST_LANES, Output, POINTS, Tiling, Winograd, aligned,
    lane_len, spread,
};
use crate::{
    arch::{
        generic::conv_f32::turn_kernel,
        matrix::MatrixMut,
        parallel::{Split, lanes, pieces},
    },
    geometry::{Geometry, Shape},
};

/// Tiles that are transformed, multiplied and transformed back at a time: a product needs rows for its register tiles, and
/// the values at all points should stay in a cache of 1 MiB beside the transformed kernel.
const TILES: usize = 16;

/// How many values of scratch the functions of this file need: the kernel, turned, at all points, and the threads' own.
pub(super) const fn scratch_len(g: &Geometry) -> usize {
    let len = g.input.channels * g.output.channels;
    g.patch() * g.output.channels + POINTS * spread(len) + MOST_LANES * lane_len(g, TILES)
}

/// The convolution of all samples, and the max pooling of its output where there is one that [`pools`] takes.
#[expect(clippy::too_many_arguments, reason = "one name a tensor")]
pub(in crate::arch) fn conv2d<W: Winograd>(
    isa: W,
    g: &Geometry,
    pool: Option<&Geometry>,
    x: &[f32],
    kernel: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let pool = pool.map(|pool| pool.output);
    let pass =
        Pass { input: g.input, output: g.output, pool, padding: g.padding, bias, relu, lane: lane_len(g, TILES) };
    match g.kernel[0] {
        5 => pass.run::<W, 4, 5>(isa, x, kernel, y, aligned(scratch)),
        _ => pass.run::<W, 6, 3>(isa, x, kernel, y, aligned(scratch)),
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
    let padding = [g.kernel[0] - 1 - g.padding[0], g.kernel[1] - 1 - g.padding[1]];
    let (input, output, lane) = (g.output, g.input, lane_len(g, TILES));
    let pass = Pass { input, output, pool: None, padding, bias: None, relu: false, lane };
    match g.kernel[0] {
        5 => pass.run::<W, 4, 5>(isa, dy, turned, dx, scratch),
        _ => pass.run::<W, 6, 3>(isa, dy, turned, dx, scratch),
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
    bias: Option<&'a [f32]>,
    relu: bool,
    /// Scratch of one thread.
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
    /// All outputs, spread over threads by rows of tiles.
    fn run<W: Winograd, const M: usize, const R: usize>(
        &self,
        isa: W,
        x: &[f32],
        kernel: &[f32],
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let len = self.input.channels * self.output.channels;
        let (points, scratch) = scratch.split_at_mut(POINTS * spread(len));
        pieces(MatrixMut::new(points, POINTS, len, spread(len)), KERNEL_GRAIN, &|first, points| {
            isa.kernel::<R>(kernel, len, first, points);
        });
        let points = &*points;
        // The tiles of what is stored: `M` is even, so that no window lies in two.
        let tiling = match self.pool {
            Some(shape) => Tiling { shape, side: M / 2 },
            None => Tiling { shape: self.output, side: M },
        };
        let count = y.len() / tiling.shape.len() * tiling.rows();
        let strips = Strips { tiling, first: 0, count, values: y };
        let grain = TILES.div_ceil(tiling.columns());
        lanes(strips, grain, MOST_LANES, scratch, self.lane, &|_, strips, scratch| {
            self.strips::<W, M>(isa, x, points, strips, scratch);
        });
    }

    /// The outputs of some rows of tiles. `kernel` is transformed.
    fn strips<W: Winograd, const M: usize>(
        &self,
        isa: W,
        x: &[f32],
        kernel: &[f32],
        strips: Strips<'_>,
        scratch: &mut [f32],
    ) {
        let Strips { tiling, first, count, values: y } = strips;
        let (channels, filters) = (self.input.channels, self.output.channels);
        let stored = tiling.shape;
        let step = M / tiling.side;
        let (v_layout, m_layout) = (Layout::by_block(channels), Layout::by_block(filters));
        let kernel_layout = Layout { row: filters, point: spread(channels * filters), block: BLOCK };
        let (columns, scratch) = scratch.split_at_mut(COLUMNS_LEN);
        let (v, m) = scratch.split_at_mut(TILES * v_layout.row);
        let (start, end) = (first * tiling.columns(), (first + count) * tiling.columns());
        let chunks = (end - start).div_ceil(TILES);
        for chunk in 0..chunks {
            // Chunks of nearly the same size: what is read of the kernel is read for many tiles.
            let [from, to] = [chunk, chunk + 1].map(|chunk| start + (end - start) * chunk / chunks);
            for run in tiling.runs(from, to - from) {
                let image = Image::of(x, self.input, run.sample);
                let at = [0, 1].map(|axis| (run.at[axis] * step) as isize - self.padding[axis] as isize);
                isa.input::<M>(&image, at, run.count, &mut v[run.tile * v_layout.row..], v_layout, columns);
            }
            for p in 0..POINTS {
                let (a, b, c) = (v_layout.at(p, v), kernel_layout.at(p, kernel), m_layout.at_mut(p, m));
                isa.product([to - from, filters, channels], Left::Plain, a, b, c, false);
            }
            for run in tiling.runs(from, to - from) {
                let [row, column] = run.at;
                let pixel = (row * stored.width + column) * filters;
                let values = &mut y[run.sample * stored.len() + pixel - offset(&tiling, first)..];
                let output = Output {
                    values,
                    row: stored.width * filters,
                    filters,
                    // Windows at the end may hang over, and pixels that no window holds may be left.
                    rows: self.output.height.min(stored.height * step) - row * step,
                    columns: self.output.width.min(stored.width * step) - column * step,
                    pool: self.pool.is_some(),
                    bias: self.bias,
                    relu: self.relu,
                };
                isa.output::<M>(&m[run.tile * m_layout.row..], m_layout, run.count, output);
            }
        }
    }
}
