//! The product of two matrices whose common axis is three nested loops.
//!
//! ```text
//! for m in rows, n in columns:
//!     sum = 0, bias[n] or C[m, n]
//!     for i in 0..counts[0], j in 0..counts[1], k in 0..counts[2]:
//!         sum += A[m * row + i * a[0] + j * a[1] + k * a[2]] * B[i * b[0] + j * b[1] + k * b[2] + n]
//!     C[m, n] = sum, or max(sum, 0)
//! ```
//!
//! Each sum has one accumulator and one order, whatever the tile: so cutting rows or columns differently, as numbers of
//! threads do, never changes a bit, and two back ends with fused multiply-add agree on every bit as well.
//!
//! A tile is as many rows by vectors as registers hold: each step loads one vector of B a column and one number of A a
//! row, and does rows x vectors multiply-adds.
#![expect(unsafe_code, reason = "calling the tile, after checking its extent")]

use crate::arch::matrix::MatrixMut;

/// The common axis of a product.
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) struct Walk {
    /// Iterations, outermost loop first.
    pub(in crate::arch) counts: [usize; 3],
    /// Steps in A of the three loops.
    pub(in crate::arch) a: [usize; 3],
    /// Steps in B of the three loops.
    pub(in crate::arch) b: [usize; 3],
    /// From one row of A to the next.
    pub(in crate::arch) row: usize,
}

impl Walk {
    /// One loop over `depth` products: rows of A `row` apart and `step` from product to product, rows of B `b` apart.
    pub(in crate::arch) fn plain(depth: usize, row: usize, step: usize, b: usize) -> Self {
        Self { counts: [1, 1, depth], a: [0, 0, step], b: [0, 0, b], row }
    }

    /// The same order with two loops in one where these are as one: the fewer there are, the less it takes to go round.
    pub(in crate::arch) fn merged(mut self) -> Self {
        for i in [1, 0, 1] {
            let continues = |steps: [usize; 3]| steps[i] == self.counts[i + 1] * steps[i + 1];
            if self.counts[i + 1] == 1 || (continues(self.a) && continues(self.b)) {
                let inner = if self.counts[i + 1] == 1 { i } else { i + 1 };
                (self.a[i + 1], self.b[i + 1]) = (self.a[inner], self.b[inner]);
                self.counts[i + 1] *= self.counts[i];
                self.counts[i] = 1;
            }
        }
        self
    }

    /// How far the common axis reaches beyond its start, with `steps` of one operand. The axis must not be empty.
    fn reach(&self, steps: [usize; 3]) -> usize {
        (0..3).map(|i| (self.counts[i] - 1) * steps[i]).sum()
    }
}

/// What a sum begins with.
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) enum Start<'a> {
    /// Zero. C is not read.
    Zero,
    /// One value a column. C is not read.
    Bias(&'a [f32]),
    /// What C holds.
    Sum,
}

/// The pointers of one tile.
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) struct Tile<'a> {
    pub(in crate::arch) walk: &'a Walk,
    pub(in crate::arch) a: *const f32,
    pub(in crate::arch) b: *const f32,
    pub(in crate::arch) c: *mut f32,
    /// From one row of C to the next.
    pub(in crate::arch) c_row: usize,
    /// At most [`Gemm::ROWS`].
    pub(in crate::arch) rows: usize,
    /// At most [`Gemm::COLUMNS`].
    pub(in crate::arch) columns: usize,
    /// A bias starts at this tile's first column.
    pub(in crate::arch) start: Start<'a>,
    pub(in crate::arch) relu: bool,
    /// Where what is read of B goes too, [`Gemm::COLUMNS`] values a step of the innermost loop; null for nowhere.
    pub(in crate::arch) copy: *mut f32,
    /// What will be read soon: each innermost iteration asks the second cache for one line a value of a word, each
    /// `ahead_step` from the one before, and each middle one begins `ahead_row` after the one before. It need not
    /// exist.
    pub(in crate::arch) ahead: *const f32,
    pub(in crate::arch) ahead_step: usize,
    pub(in crate::arch) ahead_row: usize,
}

/// Memory to ask for while a product is made: step `k` of the walk's middle iteration `j` of tile `i` asks for the
/// cache line at `i * tile + j * row + k * step`. It comes to the second cache meanwhile, and costs little: loads are
/// not what limits a tile. One line a step is about what a core can have under way; two made tiles wait. Steps of half
/// a line ask for each line twice, and for a line every other step. A word of bf16 is two steps: its tiles take half as
/// long for the same weights.
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) struct Ahead<'a> {
    pub(in crate::arch) values: &'a [f32],
    /// The tiles that ask.
    pub(in crate::arch) tiles: usize,
    pub(in crate::arch) tile: usize,
    pub(in crate::arch) row: usize,
    pub(in crate::arch) step: usize,
}

impl Ahead<'_> {
    /// Nothing to ask for.
    pub(in crate::arch) const NONE: Self = Self { values: &[], tiles: 0, tile: 0, row: 0, step: 0 };

    /// Values of one cache line.
    pub(in crate::arch) const LINE: usize = 16;

    /// Part `part` of `parts` of some slices, in steps that follow each other, `depth` a tile.
    pub(in crate::arch) fn part<'a>(slices: [&'a [f32]; 3], part: usize, parts: usize, depth: usize) -> Ahead<'a> {
        let slice = part * slices.len() / parts;
        let first = (slice * parts).div_ceil(slices.len());
        let count = ((slice + 1) * parts).div_ceil(slices.len()) - first;
        let each = slices[slice].len().div_ceil(count);
        let values = slices[slice].get((part - first) * each..).unwrap_or_default();
        let values = &values[..each.min(values.len())];
        Ahead { values, tiles: usize::MAX, tile: depth * Self::LINE, row: 0, step: Self::LINE }
    }

    /// What is left after the first `tiles` tiles.
    pub(in crate::arch) fn skip(self, tiles: usize) -> Self {
        let skipped = tiles.min(self.tiles);
        let values = self.values.get(skipped * self.tile..).unwrap_or_default();
        Self { values, tiles: self.tiles - skipped, ..self }
    }

    /// Where tile `i` begins, its row and its step. Tiles that have nothing to ask for ask for `other`, which should be
    /// at hand: asking for an address that does not exist takes long.
    fn of(self, i: usize, other: &[f32]) -> (*const f32, [usize; 2]) {
        match self.values.get(i.saturating_mul(self.tile)..) {
            Some(values) if i < self.tiles && !values.is_empty() => (values.as_ptr(), [self.row, self.step]),
            _ => (other.as_ptr(), [0, 0]),
        }
    }
}

/// A back end's inner loop.
///
/// Operands are words. In f32 a word is a value. In bf16 it is two values, neighbours on the common axis, the first in
/// the low half; a walk then counts words, and a sum takes both products of each. Where the axis ends within a word,
/// the other half is zero. C and the biases are f32 always.
pub(in crate::arch) trait Gemm: Copy + Send + Sync {
    /// Values of a word.
    const GROUP: usize;
    /// Rows of the largest tile.
    const ROWS: usize;
    /// Columns of the largest tile.
    const COLUMNS: usize;

    /// Computes one tile as the module says.
    ///
    /// # Safety
    ///
    /// All that the walk reaches from `a` and `b` in the tile's rows and columns must be readable, the tile of `c`
    /// writable and no one else's, and a bias must have as many values as columns. Where `copy` is not null, words are
    /// values, the tile has [`Self::COLUMNS`] columns, and as many values a step are writable there and no one else's.
    unsafe fn tile(self, tile: Tile<'_>);

    /// Makes words of `depth` rows of `width` values, `stride` apart, rows being neighbours on the common axis: panels
    /// of [`Self::COLUMNS`] columns and as many rows as words, one after the other. The last panel may be left with
    /// columns that no one sets.
    fn pack(self, from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]);

    /// As [`Self::pack`], with a single panel of `width` columns: the left operand, if its rows are to be neighbours.
    fn columns(self, from: &[f32], stride: usize, depth: usize, width: usize, to: &mut [f32]);

    /// Makes words of each row of `columns` values, neighbours on the common axis. Rows of words begin `stride` apart.
    fn rows(self, from: &[f32], columns: usize, to: &mut [f32], stride: usize);

    /// `y[n] += sum over i of x[i] * matrix[i * stride + n]`, of values, then `max(y[n], 0)` where `relu`. The order is
    /// that of [`gemm`]'s sums; rows whose `x[i]` is zero are not read.
    ///
    /// # Panics
    ///
    /// If `matrix` ends early.
    fn row_times_matrix(self, x: &[f32], matrix: &[f32], stride: usize, relu: bool, y: &mut [f32]);

    /// `to[j * stride + i] = word j of from[i * from_stride..][..columns]` for `i` in `0..rows`.
    fn transpose(self, from: &[f32], from_stride: usize, rows: usize, columns: usize, to: &mut [f32], stride: usize);
}

/// Computes `c` as the module says.
///
/// # Panics
///
/// If `a`, `b` or a bias ends before the product does.
#[expect(clippy::too_many_arguments, reason = "three matrices, and what begins and ends a sum")]
pub(in crate::arch) fn gemm<G: Gemm>(
    isa: G,
    walk: &Walk,
    a: &[f32],
    b: &[f32],
    mut c: MatrixMut<'_>,
    start: Start<'_>,
    relu: bool,
    ahead: Ahead<'_>,
) {
    let (rows, columns) = (c.rows(), c.columns());
    if rows == 0 || columns == 0 {
        return;
    }
    if walk.counts.iter().all(|&count| count > 0) {
        assert!((rows - 1) * walk.row + walk.reach(walk.a) < a.len(), "A ends before the product");
        assert!(walk.reach(walk.b) + columns <= b.len(), "B ends before the product");
    }
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= columns, "the bias ends before the product");
    }
    let c_row = c.stride();
    let tiles = rows.div_ceil(G::ROWS);
    for column in (0..columns).step_by(G::COLUMNS) {
        let start = match start {
            Start::Bias(bias) => Start::Bias(&bias[column..]),
            Start::Zero | Start::Sum => start,
        };
        for tile in 0..tiles {
            // Tiles of nearly the same height: a low one does not hide the latency of its additions.
            let (first, end) = (rows * tile / tiles, rows * (tile + 1) / tiles);
            let (ahead, [ahead_row, ahead_step]) = ahead.of(column / G::COLUMNS * tiles + tile, a);
            let tile = Tile {
                walk,
                a: a.as_ptr().wrapping_add(first * walk.row),
                b: b.as_ptr().wrapping_add(column),
                c: c.start().wrapping_add(first * c_row + column),
                c_row,
                rows: end - first,
                columns: (columns - column).min(G::COLUMNS),
                start,
                relu,
                copy: core::ptr::null_mut(),
                ahead,
                ahead_row,
                ahead_step,
            };
            // SAFETY: the assertions above cover all rows and columns, and `c` is exclusive.
            unsafe { isa.tile(tile) }
        }
    }
}

/// Values of a run, one iteration of the middle loop of [`gemm_packing`]'s walks. Runs change no sum; with each begins
/// a row of what is asked for meanwhile.
pub(in crate::arch) const RUN: usize = 32;

/// As [`gemm`] with a right operand of `depth` rows of values, `b_row` apart, no more columns than a tile. They come to
/// `panel` as [`Gemm::pack`] would bring them: where words are values, the first tile does so while it multiplies. The
/// common axis is walked in runs of [`RUN`] values where it consists of such.
///
/// # Panics
///
/// If `a`, `b`, `panel` or a bias ends before the product does.
#[expect(clippy::too_many_arguments, reason = "as of a product, and a panel")]
pub(in crate::arch) fn gemm_packing<G: Gemm>(
    isa: G,
    depth: usize,
    a: &[f32],
    a_row: usize,
    b: &[f32],
    b_row: usize,
    panel: &mut [f32],
    mut c: MatrixMut<'_>,
    start: Start<'_>,
    relu: bool,
    ahead: Ahead<'_>,
) {
    let run = if depth.is_multiple_of(RUN) { RUN } else { depth };
    let words = run.div_ceil(G::GROUP);
    let runs = depth / run;
    let walk = Walk { counts: [1, runs, words], a: [0, words, 1], b: [0, words * G::COLUMNS, G::COLUMNS], row: a_row };
    let (rows, columns) = (c.rows(), c.columns());
    if G::GROUP > 1 || columns != G::COLUMNS || rows == 0 {
        isa.pack(b, b_row, depth, columns, panel);
        return gemm(isa, &walk, a, panel, c, start, relu, ahead);
    }
    let first = rows / rows.div_ceil(G::ROWS);
    assert!((first - 1) * a_row + depth <= a.len(), "A ends before the product");
    assert!((depth - 1) * b_row + columns <= b.len(), "B ends before the product");
    assert!(depth * columns <= panel.len(), "the panel ends before its values");
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= columns, "the bias ends before the product");
    }
    let (asked, [ahead_row, ahead_step]) = ahead.of(0, a);
    let tile = Tile {
        walk: &Walk { b: [0, run * b_row, b_row], ..walk },
        a: a.as_ptr(),
        b: b.as_ptr(),
        c: c.start(),
        c_row: c.stride(),
        rows: first,
        columns,
        start,
        relu,
        copy: panel.as_mut_ptr(),
        ahead: asked,
        ahead_row,
        ahead_step,
    };
    // SAFETY: the assertions above cover all rows and columns, and `c` and `panel` are exclusive.
    unsafe { isa.tile(tile) }
    if first < rows {
        gemm(isa, &walk, &a[first * a_row..], panel, c.rows_from(first), start, relu, ahead.skip(1));
    }
}
