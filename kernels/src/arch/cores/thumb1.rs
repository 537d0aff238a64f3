//! How a convolution's scratch is divided on [`super::Cores::Thumb1`].

use crate::geometry::Geometry;

/// How a convolution's scratch is divided, in words.
pub(in crate::arch) struct Plan {
    /// As many bytes of the input's zero point as a row of a window has; none where no window leaves the input.
    pub(in crate::arch) padding: usize,
    /// The inputs of four pixels' windows.
    pub(in crate::arch) column: usize,
    /// The sums of a block of filters.
    pub(in crate::arch) tiles: usize,
}

impl Plan {
    /// Positions of a stretch: even, so that a stretch starts with a whole pair of them.
    pub(in crate::arch) const POSITIONS: usize = 128;

    /// Filters of a block.
    pub(in crate::arch) const FILTERS: usize = 32;

    /// Words of a column for two positions, and of a filter's tile.
    pub(in crate::arch) const TILE: usize = 4;

    #[inline(never)]
    pub(in crate::arch) const fn new(geometry: &Geometry) -> Self {
        let (input, output) = (geometry.input(), geometry.output());
        let [height, width] = geometry.kernel();
        let [down, right] = geometry.strides();
        let [above, left] = geometry.padding();
        let inside = above + left == 0
            && (output.height - 1) * down + height <= input.height
            && (output.width - 1) * right + width <= input.width;
        let row = if inside { 0 } else { width * input.channels };
        let (len, filters) = (geometry.patch(), output.channels);
        let stretch = if len < Self::POSITIONS { len } else { Self::POSITIONS };
        let row = if row < stretch { row } else { stretch };
        let filters = if filters < Self::FILTERS { filters } else { Self::FILTERS };
        Self { padding: row.div_ceil(4), column: stretch.div_ceil(2) * Self::TILE, tiles: filters * Self::TILE }
    }

    pub(in crate::arch) const fn words(&self) -> usize {
        self.padding + self.column + self.tiles
    }
}
