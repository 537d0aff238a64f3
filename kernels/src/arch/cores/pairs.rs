//! How the convolution of Cortex-M3, M4, M7 and M33, which read weights in pairs, cuts its work and divides its
//! scratch.
use super::{BLOCK, Dsp, TILE, Thumb};
use crate::geometry::Geometry;
use crate::int8::Packing;

/// How a core cuts its work.
pub(in crate::arch) trait PairsCut {
    /// Positions of a stretch. Even, and at most [`Packing::SUM_LIMIT`].
    const POSITIONS: usize;

    /// The words that two positions of a column's four pixels take.
    const WORDS_FOR_TWO: usize;

    /// The bytes that an input takes in a strip.
    const WIDE_BYTES: usize;
}

impl PairsCut for Thumb {
    const POSITIONS: usize = 128;
    const WORDS_FOR_TWO: usize = 8;
    const WIDE_BYTES: usize = 1;
}

impl PairsCut for Dsp {
    const POSITIONS: usize = 256;
    const WORDS_FOR_TWO: usize = 4;
    const WIDE_BYTES: usize = 2;
}

// Sums of pairs of weights overflow after more.
const _: () = {
    let longest = [<Thumb as PairsCut>::POSITIONS, <Dsp as PairsCut>::POSITIONS];
    assert!(longest[0] <= Packing::SUM_LIMIT && longest[0].is_multiple_of(2));
    assert!(longest[1] <= Packing::SUM_LIMIT && longest[1].is_multiple_of(2));
};

/// Inputs that a strip of widened input rows may have.
const STRIP: usize = 896;

/// How a convolution's scratch is divided.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(any(thumbnet_dsp, thumbnet_thumb2)),
    expect(dead_code, reason = "only the kernels need more than the sizes")
)]
pub(in crate::arch) struct Plan {
    /// Words of the strip; none if it would be too large.
    pub(in crate::arch) strip: usize,
    /// Rows of the convolution's output that the strip does for, the strip's own rows, and inputs in each of these.
    pub(in crate::arch) window_rows: usize,
    pub(in crate::arch) rows: usize,
    pub(in crate::arch) width: usize,
    /// Rows of a window, and inputs of each of these, in a stretch of its positions: whole rows as many as may be, or a
    /// part of one that is too long. The last ones may have fewer.
    pub(in crate::arch) stretch: [usize; 2],
    /// Words of the column.
    pub(in crate::arch) column: usize,
    /// Tiles that wait; none where a column is a single stretch.
    pub(in crate::arch) tiles: usize,
    /// Words of four pixels' outputs, from which windows of a pooling take their largest.
    pub(in crate::arch) pixels: usize,
    /// Whether windows of a pooling are four pixels each, and no two have one in common: their largest sums alone are
    /// requantised.
    pub(in crate::arch) fours: bool,
}

impl Plan {
    #[inline(never)]
    pub(in crate::arch) const fn new<C: PairsCut>(geometry: &Geometry, pool: Option<&Geometry>) -> Self {
        let (output, filters) = (geometry.output(), geometry.output().channels);
        let (fours, pool_rows) = match pool {
            Some(pool) => {
                let ([height, width], strides) = (pool.kernel(), pool.strides());
                let apart = height <= strides[0] && width <= strides[1];
                (height * width == 4 && apart && height <= output.height && width <= output.width, height)
            }
            None => (false, 0),
        };
        // The most rows that four pixels, one behind the other, can lie in.
        let window_rows = match output.width {
            _ if fours => pool_rows,
            width if width % 4 == 0 => 1,
            0 => 1,
            width => 1 + 3usize.div_ceil(width),
        };
        let rows = (window_rows - 1) * geometry.strides()[0] + geometry.kernel()[0];
        let width = (output.width - 1) * geometry.strides()[1] + geometry.kernel()[1];
        let width = width * geometry.input().channels;
        let values = rows.saturating_mul(width);
        let ([kernel_rows, kernel_columns], strides) = (geometry.kernel(), geometry.strides());
        // Where nothing is read twice, a strip saves nothing.
        let reads_again = kernel_rows > strides[0] || kernel_columns > strides[1];
        // Nothing is zero, which the compiler does not know.
        let row = match kernel_columns * geometry.input().channels {
            0 => 1,
            row => row,
        };
        let stretch = if row <= C::POSITIONS {
            let rows = C::POSITIONS / row;
            [if rows < kernel_rows { rows } else { kernel_rows }, row]
        } else {
            [1, row.div_ceil(row.div_ceil(C::POSITIONS)).next_multiple_of(2)]
        };
        let positions = stretch[0] * stretch[1];
        let single = positions >= geometry.patch();
        let pairs = filters / 2;
        let block = if pairs < BLOCK { pairs } else { BLOCK };
        Self {
            strip: if values <= STRIP && single && reads_again { (values * C::WIDE_BYTES).div_ceil(4) } else { 0 },
            window_rows,
            rows,
            width,
            stretch,
            column: column_words::<C>(positions),
            tiles: if single { 0 } else { block + filters % 2 },
            pixels: if pool.is_some() && !fours { filters } else { 0 },
            fours,
        }
    }
}

/// The words of a column of `positions` positions.
pub(in crate::arch) const fn column_words<C: PairsCut>(positions: usize) -> usize {
    positions.div_ceil(2) * C::WORDS_FOR_TWO
}

/// The words of scratch that a convolution needs.
pub(in crate::arch) const fn conv_s8_scratch_len<C: PairsCut>(geometry: &Geometry, pool: Option<&Geometry>) -> usize {
    let plan = Plan::new::<C>(geometry, pool);
    plan.strip + plan.column + plan.tiles * TILE + plan.pixels
}
