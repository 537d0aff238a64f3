//! How a convolution's scratch is divided on [`super::Cores::Helium`].

use crate::geometry::Geometry;

/// Filters whose sums wait in scratch at a time.
pub(in crate::arch) const BLOCK: usize = 64;

/// The longest window, in positions, that stays in registers while filters pass by.
pub(in crate::arch) const SHORT: usize = 48;

/// Bytes of scratch that a strip of padded input rows may take.
const STRIP: usize = 1024;

/// How a convolution's scratch is divided.
#[derive(Clone, Copy)]
#[cfg_attr(not(thumbnet_helium), expect(dead_code, reason = "only the kernels need more than the sizes"))]
pub(in crate::arch) struct Plan {
    /// Pixels that one call of the inner loop takes: four where their windows fit into a register each, or two.
    pub(in crate::arch) pixels: usize,
    /// Pixels whose sums are made before they are requantised.
    pub(in crate::arch) together: usize,
    /// Whether each window that lies in the input, or in the strip, can be read where it is.
    pub(in crate::arch) direct: bool,
    /// Rows of the convolution's output whose windows lie in the strip; none if there is no strip.
    pub(in crate::arch) bands: usize,
    /// Rows of the strip, and bytes in a row.
    pub(in crate::arch) rows: usize,
    pub(in crate::arch) width: usize,
    /// Words of the strip, of the columns, of the sums.
    pub(in crate::arch) strip: usize,
    pub(in crate::arch) columns: usize,
    pub(in crate::arch) sums: usize,
}

impl Plan {
    pub(in crate::arch) const fn new(geometry: &Geometry, pool: Option<&Geometry>) -> Self {
        let (input, output) = (geometry.input(), geometry.output());
        let ([height, width], [down, right]) = (geometry.kernel(), geometry.strides());
        let len = geometry.patch();
        let pixels = if len <= 16 { 4 } else { 2 };
        let together = match pool {
            Some(pool) if pool.kernel()[0] * pool.kernel()[1] > 2 => 4,
            _ => pixels,
        };
        let one_piece = height == 1 || width == input.width;
        let wide = ((output.width - 1) * right + width) * input.channels;
        // So many rows that they are whole groups of pixels, or those of a pooling window.
        let mut bands = match pool {
            Some(pool) => pool.kernel()[0],
            None if output.width.is_multiple_of(pixels) => 1,
            None if output.width.is_multiple_of(2) => pixels / 2,
            None => pixels,
        };
        if pool.is_none() && (bands > output.height || ((bands - 1) * down + height) * wide > STRIP) {
            bands = 1;
        }
        let mut rows = (bands - 1) * down + height;
        if one_piece || rows * wide > STRIP {
            (bands, rows) = (0, 0);
        }
        // Where all positions of a window are less than 256 bytes from its start, a gathering load reads it.
        let gathers = rows > 0 && len <= SHORT && (height - 1) * wide + width * input.channels <= 256;
        let [above, left] = geometry.padding();
        let inside = above == 0
            && left == 0
            && (output.height - 1) * down + height <= input.height
            && (output.width - 1) * right + width <= input.width;
        let columns = if gathers || one_piece && inside { 0 } else { pixels };
        let filters = if output.channels < BLOCK { output.channels } else { BLOCK };
        Self {
            pixels,
            together,
            direct: gathers || one_piece,
            bands,
            rows,
            width: wide,
            strip: (rows * wide).div_ceil(4),
            columns: (columns * len).div_ceil(4),
            sums: together * filters,
        }
    }

    /// The words of scratch.
    pub(in crate::arch) const fn scratch_len(&self) -> usize {
        self.strip + self.columns + self.sums
    }
}
