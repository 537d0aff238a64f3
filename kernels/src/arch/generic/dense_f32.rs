//! The dense layer and its gradients as products of matrices, for any back end with a [`Gemm`], in f32 or bf16.
//!
//! Weights come from memory once a step. A row of them, `units` values, is a page or so: walking down a column of tiles
//! would touch a page a step and, where `units` is a power of two, the same few cache lines again and again. So the
//! right operand is copied to panels, as wide as a tile and dense, that stay in the first or second cache while every
//! row of the batch passes over them; the next one's values come to the second cache meanwhile.

use super::gemm_f32::{Ahead, Gemm, RUN, Start, Walk, gemm, gemm_packing};
use crate::arch::{
    Weights,
    f32::MOST_LANES,
    matrix::MatrixMut,
    parallel::{SMALL, Split, lanes, pieces},
};

/// Words of depth of a packed panel of the forward pass; the last one may have some more, fewer than a run.
const DEPTH: usize = 128;
/// Values of such a panel at most, tiles having 32 columns at most.
const PANEL: usize = (DEPTH + RUN) * 32;
/// Columns whose panels of the same depth are made one after the other: long enough pieces of a row of weights.
const WIDTH: usize = 256;
/// Rows of the kernel whose input gradient is made at a time.
const STRIP: usize = 32;
/// Words of these rows that are packed together.
const STRIP_DEPTH: usize = 1024;

/// How many values of scratch the functions of this module need, a block of the gradient with all that goes with it
/// taking `block`.
pub(in crate::arch) const fn scratch_len(inputs: usize, units: usize, batch: usize, block: usize) -> usize {
    let output = copy_len(batch, inputs).saturating_add(MOST_LANES * PANEL);
    let input = copy_len(batch, units).saturating_add(MOST_LANES * STRIP * STRIP_DEPTH);
    let kernel = panels_len(batch, units).saturating_add(MOST_LANES.saturating_mul(block));
    let most = if output > input { output } else { input };
    (if kernel > most { kernel } else { most }).saturating_add(LINE)
}

/// Values of one cache line.
const LINE: usize = Ahead::LINE;

/// The part of scratch that begins at a cache line: vectors that straddle two lines cost twice.
pub(in crate::arch) fn at_line(scratch: &mut [f32]) -> &mut [f32] {
    let skip = scratch.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    &mut scratch[skip..]
}

/// The layer's output.
pub(in crate::arch) fn dense<G: Gemm>(
    isa: G,
    [inputs, units]: [usize; 2],
    x: &[f32],
    weights: Weights<'_>,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let batch = y.len() / units;
    if batch == 0 {
        return;
    }
    if batch == 1 {
        let Weights { kernel, bias, relu } = weights;
        return pieces(y, grain(inputs, 64), &|first, y| {
            match bias {
                Some(bias) => y.copy_from_slice(&bias[first..][..y.len()]),
                None => y.fill(0.0),
            }
            isa.row_times_matrix(x, &kernel[first..], units, relu, y);
        });
    }
    let (copy, scratch) = at_line(scratch).split_at_mut(copy_len(batch, inputs));
    let (x, x_stride) = spread_rows(isa, x, inputs, copy);
    let y = MatrixMut::new(y, batch, units, units);
    lanes(y, grain(batch * inputs, 64), MOST_LANES, scratch, PANEL, &|first, y, panel| {
        dense_columns(isa, [inputs, units], x, x_stride, weights, first, y, panel);
    });
}

/// The input's gradient.
pub(in crate::arch) fn dense_input_gradient<G: Gemm>(
    isa: G,
    [inputs, units]: [usize; 2],
    dy: &[f32],
    kernel: &[f32],
    dx: &mut [f32],
    scratch: &mut [f32],
) {
    let batch = dx.len() / inputs;
    if batch == 0 {
        return;
    }
    let (copy, scratch) = at_line(scratch).split_at_mut(copy_len(batch, units));
    let (dy, dy_stride) = spread_rows(isa, dy, units, copy);
    let dx = MatrixMut::new(dx, batch, inputs, inputs);
    lanes(dx, grain(batch * units, STRIP), MOST_LANES, scratch, STRIP * STRIP_DEPTH, &|first, dx, packed| {
        input_gradient_columns(isa, units, dy, dy_stride, kernel, first, dx, packed);
    });
}

/// Columns at a time of `each` multiplications, a multiple of `unit`: enough work to be worth a thread.
fn grain(each: usize, unit: usize) -> usize {
    SMALL.div_ceil((each * unit).max(1)) * unit
}

/// From one row of a copy to the next: rows that are a multiple of 1 KiB apart would collide in the cache.
const fn spread(words: usize) -> usize {
    if words.is_multiple_of(256) { words.saturating_add(16) } else { words }
}

/// How many words [`spread_rows`] needs, whatever the back end; whole cache lines.
const fn copy_len(rows: usize, columns: usize) -> usize {
    let words = if columns.is_multiple_of(256) { columns } else { columns.div_ceil(2) };
    rows.saturating_mul(spread(words)).div_ceil(LINE).saturating_mul(LINE)
}

/// The matrix's words and their stride; a copy where words are no values, or rows would collide in the cache.
fn spread_rows<'a, G: Gemm>(isa: G, matrix: &'a [f32], columns: usize, copy: &'a mut [f32]) -> (&'a [f32], usize) {
    let words = columns.div_ceil(G::GROUP);
    if G::GROUP == 1 && spread(words) == words {
        return (matrix, columns);
    }
    isa.rows(matrix, columns, copy, spread(words));
    (copy, spread(words))
}

/// How many values [`pack_panels`] needs, for tiles of up to 32 columns.
pub(in crate::arch) const fn panels_len(batch: usize, units: usize) -> usize {
    units.div_ceil(32).saturating_mul(32).saturating_mul(batch)
}

/// `dy` in the panels that [`kernel_gradient_block`] takes.
pub(in crate::arch) fn pack_panels<G: Gemm>(isa: G, units: usize, dy: &[f32], panels: &mut [f32]) {
    isa.pack(dy, units, dy.len() / units, units, panels);
}

/// The columns `first..` of the layer's output, as many as `y` has; `panel` holds [`PANEL`] values.
#[expect(clippy::too_many_arguments, reason = "one name a tensor")]
fn dense_columns<G: Gemm>(
    isa: G,
    [inputs, units]: [usize; 2],
    x: &[f32],
    x_stride: usize,
    Weights { kernel, bias, relu }: Weights<'_>,
    first: usize,
    mut y: MatrixMut<'_>,
    panel: &mut [f32],
) {
    let tiles = y.rows().div_ceil(G::ROWS);
    // Blocks of nearly the same depth: while a block is multiplied, the next one comes from memory.
    let runs = (inputs / RUN).max(1);
    let blocks = runs.div_ceil(DEPTH * G::GROUP / RUN);
    let begin = |block: usize| if block < blocks { runs * block / blocks * RUN } else { inputs };
    for column in (0..y.columns()).step_by(WIDTH) {
        let width = WIDTH.min(y.columns() - column);
        let unit = first + column;
        for block in 0..blocks {
            let (i, end) = (begin(block), begin(block + 1));
            let next = if end < inputs { end * units + unit } else { unit + WIDTH };
            let values = kernel.get(next..).unwrap_or_default();
            // As many rows a tile as it has runs: the next block, which has nearly the same depth, is there after `RUN`
            // tiles.
            let tile = (end - i) / RUN * units;
            let mut ahead = Ahead { values, tiles: RUN, tile, row: units, step: WIDTH / RUN };
            for column_of in (0..width).step_by(G::COLUMNS) {
                let start = match bias {
                    _ if block > 0 => Start::Sum,
                    Some(bias) => Start::Bias(&bias[unit + column_of..]),
                    None => Start::Zero,
                };
                let (x, weights) = (&x[i / G::GROUP..], &kernel[i * units + unit + column_of..]);
                let c = y.block(column + column_of, G::COLUMNS.min(width - column_of));
                let relu = relu && end == inputs;
                gemm_packing(isa, end - i, x, x_stride, weights, units, panel, c, start, relu, ahead);
                ahead = ahead.skip(tiles);
            }
        }
    }
}

/// The columns `first..` of the input's gradient, as many as `dx` has; `packed` holds [`STRIP`] x [`STRIP_DEPTH`]
/// values.
#[expect(clippy::too_many_arguments, reason = "one name a tensor")]
fn input_gradient_columns<G: Gemm>(
    isa: G,
    units: usize,
    dy: &[f32],
    dy_stride: usize,
    kernel: &[f32],
    first: usize,
    mut dx: MatrixMut<'_>,
    packed: &mut [f32],
) {
    for strip in (0..dx.count()).step_by(STRIP) {
        let rows = STRIP.min(dx.count() - strip);
        for u in (0..units).step_by(STRIP_DEPTH * G::GROUP) {
            let depth = (STRIP_DEPTH * G::GROUP).min(units - u);
            isa.transpose(&kernel[(first + strip) * units + u..], units, rows, depth, packed, STRIP);
            let start = if u == 0 { Start::Zero } else { Start::Sum };
            let walk = Walk::plain(depth.div_ceil(G::GROUP), dy_stride, 1, STRIP);
            let next =
                if u + depth < units { (first + strip) * units + u + depth } else { (first + strip + STRIP) * units };
            let values = kernel.get(next..).unwrap_or_default();
            let tiles = (STRIP * units).div_ceil(depth * Ahead::LINE);
            let ahead = Ahead { values, tiles, tile: depth * Ahead::LINE, row: 0, step: Ahead::LINE };
            gemm(isa, &walk, &dy[u / G::GROUP..], packed, dx.block(strip, rows), start, false, ahead);
        }
    }
}

/// Rows `first..` of the kernel's gradient, as many as `dkernel` holds, from `dy` in the panels of [`pack_panels`].
/// `columns` holds `batch` times as many words as there are rows. `next` is what will be read next: it comes from
/// memory meanwhile.
#[expect(clippy::too_many_arguments, reason = "one name a tensor")]
pub(in crate::arch) fn kernel_gradient_block<G: Gemm>(
    isa: G,
    [inputs, units, batch]: [usize; 3],
    x: &[f32],
    panels: &[f32],
    first: usize,
    dkernel: &mut [f32],
    columns: &mut [f32],
    next: [&[f32]; 3],
) {
    let rows = dkernel.len() / units;
    // Of an empty batch there is nothing.
    isa.columns(x.get(first..).unwrap_or_default(), inputs, batch, rows, columns);
    let words = batch.div_ceil(G::GROUP);
    let walk = Walk { counts: [1, 1, words], a: [0, 0, rows], b: [0, 0, G::COLUMNS], row: 1 };
    let mut dkernel = MatrixMut::new(dkernel, rows, units, units);
    for unit in (0..units).step_by(G::COLUMNS) {
        let c = dkernel.block(unit, G::COLUMNS.min(units - unit));
        let ahead = Ahead::part(next, unit / G::COLUMNS, units.div_ceil(G::COLUMNS), batch);
        gemm(isa, &walk, columns, &panels[unit * words..], c, Start::Zero, false, ahead);
    }
}
