//! Scratch on cores with Thumb-1 alone.

use crate::geometry::Geometry;

/// How a convolution's scratch is divided on [`Cores::Thumb1`](super::Cores::Thumb1).
pub(in crate::arch) struct Thumb1 {
    /// Input rows that four pixels read, and the bytes of each with its padding; no rows where windows stay inside.
    pub(in crate::arch) rows: usize,
    pub(in crate::arch) width: usize,
    /// Words for the inputs of four pixels' windows, and for the sums of a block of filters.
    pub(in crate::arch) column: usize,
    tiles: usize,
}

impl Thumb1 {
    /// Positions of a stretch: even, so that a stretch starts with a whole pair of them.
    pub(in crate::arch) const POSITIONS: usize = 96;

    /// Filters of a block.
    pub(in crate::arch) const FILTERS: usize = 24;

    /// Words of a column for two positions, and of a filter's tile.
    pub(in crate::arch) const TILE: usize = 4;

    /// How many of four pixels an output is made of, for windows of that size: all, where a window has even more.
    pub(in crate::arch) const fn group(window: [usize; 2]) -> usize {
        match window {
            [1, 1] => 1,
            [1, 2] | [2, 1] => 2,
            _ => 4,
        }
    }

    #[inline(never)]
    pub(in crate::arch) const fn new(geometry: &Geometry, pool: Option<&Geometry>) -> Self {
        let (input, output) = (geometry.input(), geometry.output());
        let [height, width] = geometry.kernel();
        let [down, right] = geometry.strides();
        let [above, left] = geometry.padding();
        let (reach, width) = ((output.height - 1) * down + height, (output.width - 1) * right + width);
        let rows = if above == 0 && left == 0 && reach <= input.height && width <= input.width {
            0
        } else {
            // The rows of windows that four pixels may be of, of pixels, and of inputs.
            let (window, step, windows) = match pool {
                Some(pool) => (pool.kernel(), pool.strides()[0], pool.output().width),
                None => ([1, 1], 1, output.width),
            };
            let others = 4 / Self::group(window) - 1;
            let others =
                if windows % (others + 1) == 0 { 0 } else { others.div_ceil(if windows > 0 { windows } else { 1 }) };
            let pixels = others.saturating_mul(step).saturating_add(window[0] - 1);
            let rows = pixels.saturating_mul(down).saturating_add(height);
            if rows < reach { rows } else { reach }
        };
        let (len, filters) = (geometry.patch(), output.channels);
        let stretch = if len < Self::POSITIONS { len } else { Self::POSITIONS };
        let filters = if filters < Self::FILTERS { filters } else { Self::FILTERS };
        Self {
            rows,
            width: width * input.channels,
            column: stretch.div_ceil(2) * Self::TILE,
            tiles: filters * Self::TILE,
        }
    }

    /// Channels of a block of a depthwise convolution.
    pub(in crate::arch) const CHANNELS: usize = 64;

    /// Words of a depthwise convolution's tiles, and of padding of as many channels.
    pub(in crate::arch) const fn depthwise(geometry: &Geometry) -> [usize; 2] {
        let channels = geometry.output().channels;
        let channels = if channels < Self::CHANNELS { channels } else { Self::CHANNELS };
        [channels * Self::TILE, channels.div_ceil(4)]
    }

    /// Words of the padded rows.
    pub(in crate::arch) const fn padded(&self) -> usize {
        (self.rows * self.width).div_ceil(4)
    }

    /// Words of all of it.
    pub(in crate::arch) const fn words(&self) -> usize {
        self.padded() + self.column + self.tiles
    }
}
