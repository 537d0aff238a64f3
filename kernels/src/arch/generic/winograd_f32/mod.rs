//! Convolution and its gradients with fewer multiplications: Winograd's minimal filtering, for stride 1.
//!
//! Along one axis, a convolution is part of a product of polynomials, and such a product can be made from the values of
//! both at enough points: `M` outputs of `R` taps need `M + R - 1` multiplications in place of `M * R`. In two
//! dimensions the points are pairs, and the sum over channels is taken at each of them, so that it is a product of
//! matrices:
//!
//! ```text
//! V = B^T d B     for each tile of 8 x 8 inputs d and each channel
//! U = G g G^T     for each channel and filter with their R x R taps g
//! Y = A^T (sum over channels of V . U) A      M x M outputs, "." element by element
//! ```
//!
//! (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, arXiv:1509.09308.) The gradients are
//! transposes: that of the input is a convolution with the kernel turned, that of the kernel is
//! `G^T (sum over tiles of V . (A dY A^T)) G`.
//!
//! The points are 0, 1, -1, 2, -2, 1/2, -1/2 and infinity, and `M + R = 9`: 5 x 5 taps make 4 x 4 outputs of 64
//! products in place of 400, 3 x 3 taps make 6 x 6 outputs of 64 in place of 324. With `p` and `q` points, `A[p, m] =
//! p^m`, `G[p, r] = p^r / product over q != p of (p - q)`, and row `p` of `B^T` has the coefficients of `product over q
//! != p of (x - q)`; at infinity `A` and `G` take the last coefficient and `B^T` the product over all:
//!
//! ```text
//!       | -1    0   21/4     0   -21/4     0    1  0 |
//!       |  0    1     1   -17/4  -17/4     1    1  0 |
//!       |  0   -1     1    17/4  -17/4    -1    1  0 |
//! B^T = |  0   1/2   1/4   -5/2   -5/4     2    1  0 |
//!       |  0  -1/2   1/4    5/2   -5/4    -2    1  0 |
//!       |  0    2     4    -5/2    -5    1/2    1  0 |
//!       |  0   -2     4     5/2    -5   -1/2    1  0 |
//!       |  0   -1     0    21/4     0   -21/4   0  1 |
//! ```
//!
//! In float32 the root mean square error of an output is five (5 x 5) or nine (3 x 3) times that of the textbook's sum,
//! 3e-6 of the outputs' deviation. Of a dozen sets of points that were tried, this one has the smallest error and,
//! since opposite points share half of their work, the cheapest transforms. 6 x 6 points, for 2 x 2 and 4 x 4 outputs,
//! have an error of 1e-6 and take 1.7 times the products for 5 x 5 taps. Errors are relative to the values of a whole
//! tile, not to each output by itself.

mod convolve;
mod kernel_gradient;

pub(in crate::arch) use convolve::{conv2d, conv2d_input_gradient};
pub(in crate::arch) use kernel_gradient::conv2d_kernel_gradient;

use super::gemm_f32::Gemm;
use crate::{
    arch::matrix::MatrixMut,
    geometry::{Geometry, Shape},
};
use core::ops::Range;

/// Points of one axis.
pub(in crate::arch) const SIDE: usize = 8;
/// Pairs of points.
pub(in crate::arch) const POINTS: usize = SIDE * SIDE;
/// Channels come in blocks of so many, a cache line.
pub(in crate::arch) const BLOCK: usize = 16;
/// Tiles of a row that are transformed in one call at most: neighbours share what they share of their inputs.
pub(in crate::arch) const RUN: usize = 8;
/// What [`Winograd::input`] keeps of a run: [`SIDE`] values of each column and channel of a block.
pub(in crate::arch) const COLUMNS_LEN: usize = (RUN * 6 + 2) * SIDE * BLOCK;

/// More threads than this are left idle.
const MOST_LANES: usize = 16;
/// Values of a kernel that a thread transforms at least.
const KERNEL_GRAIN: usize = 512;

/// Where values lie that have a row, a column of [`BLOCK`]s and one of [`POINTS`].
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) struct Layout {
    /// From row to row. A row may be a tile, or a channel of a kernel.
    pub(in crate::arch) row: usize,
    /// From point to point.
    pub(in crate::arch) point: usize,
    /// From block to block of columns.
    pub(in crate::arch) block: usize,
}

impl Layout {
    /// All points of a block are neighbours: one transform writes or reads them one after the other.
    const fn by_block(columns: usize) -> Self {
        Self { row: spread(POINTS * columns), point: BLOCK, block: POINTS * BLOCK }
    }

    /// All columns of a point are neighbours.
    const fn by_point(columns: usize) -> Self {
        Self { row: spread(POINTS * columns), point: columns, block: BLOCK }
    }

    /// The matrix at one point.
    fn at<'a>(&self, point: usize, values: &'a [f32]) -> Blocks<&'a [f32]> {
        Blocks { values: &values[point * self.point..], row: self.row, block: self.block }
    }

    /// As [`Self::at`], to write.
    fn at_mut<'a>(&self, point: usize, values: &'a mut [f32]) -> Blocks<&'a mut [f32]> {
        Blocks { values: &mut values[point * self.point..], row: self.row, block: self.block }
    }
}

/// A matrix: column `n` of row `m` is at `m * row + n / BLOCK * block + n % BLOCK`.
#[derive(Debug)]
pub(in crate::arch) struct Blocks<S> {
    pub(in crate::arch) values: S,
    pub(in crate::arch) row: usize,
    pub(in crate::arch) block: usize,
}

/// How a product takes its left operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::arch) enum Left {
    /// As it is; the common axis is a multiple of [`BLOCK`].
    Plain,
    /// Its rows are the common axis. Its blocks must be neighbours.
    Transposed,
}

/// A sample.
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) struct Image<'a> {
    pub(in crate::arch) values: &'a [f32],
    pub(in crate::arch) shape: Shape,
}

impl<'a> Image<'a> {
    /// The `sample`th of many.
    fn of(values: &'a [f32], shape: Shape, sample: usize) -> Self {
        Self { values: &values[sample * shape.len()..][..shape.len()], shape }
    }
}

/// Where a run of tiles of outputs goes, and what happens to it on the way.
#[derive(Debug)]
pub(in crate::arch) struct Output<'a> {
    /// One row a pixel, from the run's first on, and one column a filter.
    pub(in crate::arch) pixels: MatrixMut<'a>,
    /// From one row of pixels of the image to the next.
    pub(in crate::arch) width: usize,
    /// How many rows of pixels count from here on; a tile's others hang over the image.
    pub(in crate::arch) rows: usize,
    /// How many columns of pixels count from here on.
    pub(in crate::arch) columns: usize,
    /// Whether the maximum of each 2 x 2 pixels is stored, or of as many of them as count, in place of the pixels.
    pub(in crate::arch) pool: bool,
    pub(in crate::arch) bias: Option<&'a [f32]>,
    pub(in crate::arch) relu: bool,
}

/// A back end's part: transforms of runs of `count` tiles, at most [`RUN`], and products. Channels and filters are
/// multiples of [`BLOCK`].
pub(in crate::arch) trait Winograd: Gemm {
    /// `B^T d B` of the 8 x 8 pixels at (row, column) `at`, zero outside of the image, and of these `channels` alone,
    /// the first of which comes first in `to`; each next tile is `M` columns further on. `columns` holds
    /// [`COLUMNS_LEN`] values.
    #[expect(clippy::too_many_arguments, reason = "where from, where to")]
    fn input<const M: usize>(
        self,
        image: &Image<'_>,
        channels: Range<usize>,
        at: [isize; 2],
        count: usize,
        to: &mut [f32],
        layout: Layout,
        columns: &mut [f32],
    );

    /// `A^T m A`, `M` x `M` pixels a tile, plus bias, then relu, then the maxima where these are stored. `M` is even.
    fn output<const M: usize>(self, from: &[f32], layout: Layout, count: usize, to: Output<'_>);

    /// `A dY A^T` of the `M` x `M` pixels at (row, column) `at`, zero outside of the image, and of the next tiles.
    fn gradient<const M: usize>(self, image: &Image<'_>, at: [usize; 2], count: usize, to: &mut [f32], layout: Layout);

    /// `G g G^T`: `from` has `len` values a tap, `to` one row a point and their columns `first..`.
    fn kernel<const R: usize>(self, from: &[f32], len: usize, first: usize, to: MatrixMut<'_>);

    /// `G^T u G` for each channel, a row of `layout`, and filter; `u` is the sum of all of `from`, one after the other
    /// and of `each` values. `to` has one row a tap and the columns `first..` of `[channel, filter]`.
    fn kernel_gradient<const R: usize>(
        self,
        from: &[f32],
        each: usize,
        layout: Layout,
        filters: usize,
        first: usize,
        to: MatrixMut<'_>,
    );

    /// `C[m, n] = sum over k of A[m, k] * B[k, n]`, plus what `C` holds where `add`. `n` counts whole blocks. Every sum
    /// has one accumulator and one order.
    fn product(
        self,
        sizes: [usize; 3],
        left: Left,
        a: Blocks<&[f32]>,
        b: Blocks<&[f32]>,
        c: Blocks<&mut [f32]>,
        add: bool,
    );
}

/// Whether these functions take such a convolution: stride 1, 5 x 5 or 3 x 3 taps, whole blocks of channels, and no
/// more than two thirds of the direct products, padding left out of these.
///
/// Measured on one Zen 4 core against the direct kernels, forward, input gradient and kernel gradient, as multiples of
/// their speed (`cargo bench -p benches --bench winograd_f32`):
///
/// | | AVX-512 | AVX2 |
/// |---|---|---|
/// | 14 x 14 x 32 to 64, 5 x 5, batch 50 | 2.73 2.73 2.59 | 2.64 2.60 2.55 |
/// | 14 x 14 x 32 to 64, 5 x 5, batch 1 | 2.21 2.35 1.94 | 1.94 2.09 1.98 |
/// | 28 x 28 x 16 to 32, 5 x 5, batch 10 | 2.88 2.92 3.48 | 2.66 2.78 3.24 |
/// | 14 x 14 x 16 to 16, 5 x 5, batch 50 | 1.79 1.81 1.98 | 1.84 1.89 1.80 |
/// | 28 x 28 x 32 to 64, 3 x 3, batch 10 | 2.47 2.66 2.74 | 2.23 2.36 2.92 |
/// | 14 x 14 x 16 to 16, 3 x 3, batch 50 | 1.25 1.26 1.37 | 1.46 1.46 1.17 |
/// | 14 x 14 x 64 to 128, 3 x 3, batch 20 | 1.82 2.00 2.04 | 2.07 2.16 2.06 |
///
/// Fewer channels would not repay the transforms, which grow with channels plus filters, the products with channels
/// times filters.
pub(in crate::arch) const fn applies(g: &Geometry) -> bool {
    let [taps, width] = g.kernel();
    let [top, left] = g.padding();
    let fits = g.strides()[0] == 1 && g.strides()[1] == 1 && taps == width && (taps == 5 || taps == 3);
    if !fits || top >= taps || left >= taps {
        return false;
    }
    let whole = g.input().channels.is_multiple_of(BLOCK) && g.output().channels.is_multiple_of(BLOCK);
    let side = SIDE + 1 - taps;
    let (forward, backward) = (tiles(g.output(), side), tiles(g.input(), side));
    let products = if forward > backward { forward } else { backward } * POINTS;
    let direct =
        reads(g.input().height, g.output().height, taps, top) * reads(g.input().width, g.output().width, taps, left);
    whole && products * 3 <= direct * 2
}

/// Whether [`conv2d`] makes this max pooling of its output: windows of 2 x 2 side by side, from the first pixel on.
pub(in crate::arch) const fn pools(pool: &Geometry) -> bool {
    matches!((pool.kernel(), pool.strides(), pool.padding()), ([2, 2], [2, 2], [0, 0]))
}

/// Tiles of an image.
const fn tiles(shape: Shape, side: usize) -> usize {
    shape.height.div_ceil(side) * shape.width.div_ceil(side)
}

/// How many products of one axis are no padding: but for the few outputs at both ends, all taps of each.
const fn reads(input: usize, outputs: usize, taps: usize, padding: usize) -> usize {
    let mut sum = outputs * taps;
    let mut before = 0;
    while before < padding && before < outputs {
        sum -= padding - before;
        before += 1;
    }
    let mut at = outputs;
    while at > 0 && at - 1 + taps > input + padding {
        at -= 1;
        sum -= at + taps - (input + padding);
    }
    sum
}

/// How many values of scratch [`conv2d`] needs.
pub(in crate::arch) const fn forward_scratch_len(g: &Geometry) -> usize {
    LINE + convolve::scratch_len(g)
}

/// How many values of scratch the functions of this module need.
pub(in crate::arch) const fn scratch_len(g: &Geometry, batch: usize) -> usize {
    let (convolution, gradient) = (convolve::scratch_len(g), kernel_gradient::scratch_len(g, batch));
    LINE + if convolution > gradient { convolution } else { gradient }
}

/// Scratch of one thread that has so many tiles at a time.
const fn lane_len(g: &Geometry, tiles: usize) -> usize {
    COLUMNS_LEN + tiles * (Layout::by_block(g.input().channels).row + Layout::by_block(g.output().channels).row)
}

/// Values of a cache line.
const LINE: usize = 16;

/// The slice from the first value on that begins a cache line: a vector that crosses into the next one costs twice.
fn aligned(scratch: &mut [f32]) -> &mut [f32] {
    let first = scratch.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    &mut scratch[first..]
}

/// From one row to the next, of which each has `len` values: an odd number of cache lines, since rows that lie large
/// powers of two apart share few lines of a cache.
const fn spread(len: usize) -> usize {
    len + LINE
}

/// Rows of tiles over a batch: `side` rows of pixels each, but the last of a sample may have fewer.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    shape: Shape,
    side: usize,
}

/// Neighbouring tiles of one row.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The first, of those that were asked for.
    tile: usize,
    count: usize,
    sample: usize,
    /// The first pixel.
    at: [usize; 2],
}

impl Tiling {
    /// Rows of tiles in a sample.
    const fn rows(&self) -> usize {
        self.shape.height.div_ceil(self.side)
    }

    /// Tiles in a row.
    const fn columns(&self) -> usize {
        self.shape.width.div_ceil(self.side)
    }

    /// The tiles `first..first + count` of the batch, run by run.
    fn runs(self, first: usize, count: usize) -> impl Iterator<Item = Run> {
        let mut done = 0;
        core::iter::from_fn(move || {
            let (row, column) = ((first + done) / self.columns(), (first + done) % self.columns());
            let tile = done;
            let count = (count - done).min(self.columns() - column).min(RUN);
            done += count;
            let at = [row % self.rows() * self.side, column * self.side];
            (count > 0).then_some(Run { tile, count, sample: row / self.rows(), at })
        })
    }
}
