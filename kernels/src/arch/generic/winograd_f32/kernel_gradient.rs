//! The gradient of the kernel.

use super::{
    BLOCK, COLUMNS_LEN, Image, KERNEL_GRAIN, Layout, Left, MOST_LANES, POINTS, SIDE, Tiling, Winograd, aligned,
    lane_len, tiles,
};
use crate::{
    arch::{
        matrix::MatrixMut,
        parallel::{Rows, SMALL, Split, lanes, pieces},
    },
    geometry::Geometry,
};
use core::ops::Range;

/// Tiles that are transformed and added to a sum at a time: more than of a convolution, since the sum, half a MiB of it
/// for 32 channels and 64 filters, is read and written each time.
const TILES: usize = 48;

/// Sums that are made apart, each over its own part of the batch, and added in one order: so threads can share the work
/// and no bit depends on their number. Where the sums do not come out even, threads share one by channels.
const MOST_GROUPS: usize = 8;

/// How many sums a batch has: each over some chunks of tiles at least.
const fn groups(g: &Geometry, batch: usize) -> usize {
    let groups = batch.saturating_mul(tiles(g.output(), SIDE + 1 - g.kernel()[0])) / (4 * TILES);
    if groups > MOST_GROUPS {
        MOST_GROUPS
    } else if groups > 1 {
        groups
    } else {
        1
    }
}

/// Values of one sum.
const fn sum_len(g: &Geometry) -> usize {
    g.input().channels * Layout::by_block(g.output().channels).row
}

/// How many values of scratch the functions of this file need: all sums, and the threads' own.
pub(super) const fn scratch_len(g: &Geometry, batch: usize) -> usize {
    groups(g, batch) * sum_len(g) + MOST_LANES * lane_len(g, TILES)
}

/// The gradient of the kernel, summed over all samples.
pub(in crate::arch) fn conv2d_kernel_gradient<W: Winograd>(
    isa: W,
    g: &Geometry,
    x: &[f32],
    dy: &[f32],
    dkernel: &mut [f32],
    scratch: &mut [f32],
) {
    match g.kernel()[0] {
        5 => kernel_gradient::<W, 4, 5>(isa, g, x, dy, dkernel, aligned(scratch)),
        _ => kernel_gradient::<W, 6, 3>(isa, g, x, dy, dkernel, aligned(scratch)),
    }
}

fn kernel_gradient<W: Winograd, const M: usize, const R: usize>(
    isa: W,
    g: &Geometry,
    x: &[f32],
    dy: &[f32],
    dkernel: &mut [f32],
    scratch: &mut [f32],
) {
    let (filters, len) = (g.output().channels, g.input().channels * g.output().channels);
    let batch = x.len() / g.input().len();
    let (groups, each) = (groups(g, batch), sum_len(g));
    let (sums, scratch) = scratch.split_at_mut(groups * each);
    let (all, blocks) = (batch * tiles(g.output(), M), g.input().channels / BLOCK);
    let rows = Rows { items: &mut *sums, width: each / blocks };
    let grain = SMALL.div_ceil((all / groups).saturating_mul(POINTS * BLOCK * filters).max(1));
    lanes(rows, grain, MOST_LANES, scratch, lane_len(g, TILES), &|mut at, mut rows, scratch| {
        while rows.count() > 0 {
            let (group, block) = (at / blocks, at % blocks);
            let (start, end) = (all * group / groups, all * (group + 1) / groups);
            let count = (blocks - block).min(rows.count());
            let (sum, others) = rows.cut(count);
            let channels = block * BLOCK..(block + count) * BLOCK;
            sum_tiles::<W, M>(isa, g, x, dy, channels, start..end, sum.items, scratch);
            (at, rows) = (at + count, others);
        }
    });
    let sums = &*sums;
    pieces(MatrixMut::new(dkernel, R * R, len, len), KERNEL_GRAIN, &|first, dkernel| {
        isa.kernel_gradient::<R>(sums, each, Layout::by_block(filters), filters, first, dkernel);
    });
}

/// `sum` becomes the sum over these `tiles` of the batch, at all points, for some channels.
#[expect(clippy::too_many_arguments, reason = "as of a convolution")]
fn sum_tiles<W: Winograd, const M: usize>(
    isa: W,
    g: &Geometry,
    x: &[f32],
    dy: &[f32],
    channels: Range<usize>,
    tiles: Range<usize>,
    sum: &mut [f32],
    scratch: &mut [f32],
) {
    let filters = g.output().channels;
    let (v_layout, d_layout) = (Layout::by_point(channels.len()), Layout::by_block(filters));
    let (columns, scratch) = scratch.split_at_mut(COLUMNS_LEN);
    let (v, d) = scratch.split_at_mut(TILES * v_layout.row);
    let chunks = tiles.len().div_ceil(TILES);
    if chunks == 0 {
        sum.fill(0.0);
    }
    for chunk in 0..chunks {
        let [from, to] = [chunk, chunk + 1].map(|chunk| tiles.start + tiles.len() * chunk / chunks);
        for run in (Tiling { shape: g.output(), side: M }).runs(from, to - from) {
            let at = [0, 1].map(|axis| run.at[axis] as isize - g.padding()[axis] as isize);
            let v = &mut v[run.tile * v_layout.row..];
            isa.input::<M>(&Image::of(x, g.input(), run.sample), channels.clone(), at, run.count, v, v_layout, columns);
            let d = &mut d[run.tile * d_layout.row..];
            isa.gradient::<M>(&Image::of(dy, g.output(), run.sample), run.at, run.count, d, d_layout);
        }
        for p in 0..POINTS {
            let (a, b, c) = (v_layout.at(p, v), d_layout.at(p, d), d_layout.at_mut(p, sum));
            isa.product([channels.len(), filters, to - from], Left::Transposed, a, b, c, chunk > 0);
        }
    }
}
