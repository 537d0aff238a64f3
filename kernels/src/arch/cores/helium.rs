//! How scratch is divided on [`super::Cores::Helium`].

use crate::geometry::Geometry;

/// Filters whose sums wait in scratch at a time.
pub(in crate::arch) const BLOCK: usize = 64;

/// The longest window, in positions, that stays in registers while filters pass by.
pub(in crate::arch) const SHORT: usize = 48;

/// Rows of a window, and bytes of each, that are read where they lie in a strip, although there are more positions.
pub(in crate::arch) const ROWS: [usize; 2] = [3, 48];

/// Bytes of scratch that a strip of padded input rows may take.
const STRIP: usize = 1728;

/// The most taps of a depthwise convolution's or a pooling's window whose addresses are kept.
pub(in crate::arch) const TAPS: usize = 64;

/// Channels of a depthwise convolution that are computed at a time, and in one go.
pub(in crate::arch) const LANES: usize = 16;
pub(in crate::arch) const CHANNELS: usize = 128;

/// How a depthwise convolution's scratch is divided.
#[derive(Clone, Copy)]
#[cfg_attr(not(thumbnet_helium), expect(dead_code, reason = "only the kernels need more than the sizes"))]
pub(in crate::arch) struct Depthwise {
    /// Words of the taps' addresses, of a row of zero points, and of the channels that channels read.
    pub(in crate::arch) addresses: usize,
    pub(in crate::arch) zeros: usize,
    pub(in crate::arch) offsets: usize,
    /// Pixels whose channels lie side by side in [`LANES`] values, and so are computed as those of one; or 1.
    pub(in crate::arch) pixels: usize,
    /// Words of weights, biases, multipliers and shifts of so many pixels.
    pub(in crate::arch) copies: usize,
}

impl Depthwise {
    /// The same for all windows of at most [`TAPS`] taps; larger ones need no scratch.
    pub(in crate::arch) const fn new(g: &Geometry) -> Self {
        let (taps, channels) = (g.kernel()[0] * g.kernel()[1], g.input().channels);
        if taps > TAPS {
            return Self { addresses: 0, zeros: 0, offsets: 0, pixels: 1, copies: 0 };
        }
        let follow = g.strides()[0] == 1 && g.strides()[1] == 1 && g.output().channels == channels;
        let pixels = if follow && taps <= LANES && LANES.is_multiple_of(channels) { LANES / channels } else { 1 };
        let copies = if pixels > 1 { (2 + 1) * LANES + taps * LANES / 4 } else { 0 };
        Self { addresses: taps, zeros: CHANNELS / 4, offsets: CHANNELS / 4, pixels, copies }
    }

    /// The words of scratch.
    const fn words(&self) -> usize {
        self.addresses + self.zeros + self.offsets + self.copies
    }
}

/// How the scratch of a depthwise convolution of small windows is divided, in which 2 x 2 outputs are computed at once.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Tiles {
    /// Columns of outputs that are computed from one strip, which has two more; none where the layer is computed
    /// otherwise.
    pub(in crate::arch) columns: usize,
}

impl Tiles {
    /// Bytes of a column of the strip: four rows of [`LANES`] channels.
    pub(in crate::arch) const COLUMN: usize = 4 * LANES;

    /// The most columns of outputs of a strip.
    const MOST_COLUMNS: usize = 16;

    pub(in crate::arch) const fn new(g: &Geometry) -> Self {
        let (output, [height, width], strides) = (g.output(), g.kernel(), g.strides());
        let is_small = height <= 3 && width <= 3 && strides[0] == 1 && strides[1] == 1;
        let is_one = output.channels == g.input().channels && output.channels >= 4;
        // How far the outputs of four pixels of two rows are from the first one is kept in 16 bits.
        let is_near = (output.width + 4) * output.channels < 1 << 16;
        let columns = if is_small && is_one && is_near && output.width >= 4 && output.height >= 2 {
            let strips = output.width.div_ceil(Self::MOST_COLUMNS);
            if strips > 1 { output.width.div_ceil(strips).next_multiple_of(4) } else { output.width }
        } else {
            0
        };
        Self { columns }
    }

    /// The words of scratch: for the strip, a window's weights, and padding.
    const fn words(&self) -> usize {
        if self.columns > 0 { ((self.columns + 2 + 4) * Self::COLUMN + LANES) / 4 } else { 0 }
    }
}

/// The words of scratch of a depthwise convolution, which is computed one way or the other.
pub(in crate::arch) const fn depthwise_words(g: &Geometry) -> usize {
    let (any, tiles) = (Depthwise::new(g).words(), Tiles::new(g).words());
    if any > tiles { any } else { tiles }
}

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
    /// Words of the offsets of a window's positions from its start, where a gathering load reads it, and of those of 16
    /// bytes of a row, where it is woven into the strip; of the strip, of the columns, of the sums, of rows of outputs
    /// before a pooling whose windows overlap.
    pub(in crate::arch) offsets: usize,
    pub(in crate::arch) strip: usize,
    pub(in crate::arch) columns: usize,
    pub(in crate::arch) sums: usize,
    pub(in crate::arch) outputs: usize,
}

impl Plan {
    pub(in crate::arch) const fn new(geometry: &Geometry, pool: Option<&Geometry>) -> Self {
        let (input, output) = (geometry.input(), geometry.output());
        let ([height, width], [down, right]) = (geometry.kernel(), geometry.strides());
        let len = geometry.patch();
        let pixels = if len <= 16 { 4 } else { 2 };
        // Where a pooling's windows overlap, no output is computed twice: rows of them are kept.
        let (mut outputs, mut together) = (0, pixels);
        let mut pool = pool;
        if let Some(windows) = pool {
            let ([height, width], [down, right]) = (windows.kernel(), windows.strides());
            if (height > down || width > right) && height * width <= TAPS {
                outputs = if height < output.height { height } else { output.height };
                pool = None;
            } else if height * width > 2 {
                together = 4;
            }
        }
        // Sums of four pixels of few filters take no more than those of two of many.
        if pool.is_none() && output.channels <= BLOCK / 2 && output.width.is_multiple_of(4) {
            together = 4;
        }
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
        // Where rows are longer, those of a column lie side by side. So few channels are whole pixels in 16 bytes.
        let channels = if input.channels > 0 { input.channels } else { 1 };
        let column = rows * channels;
        let woven = rows > 0
            && !gathers
            && len <= SHORT
            && (width - 1) * column + height * channels <= 256
            && channels <= 16
            && 16 / channels * column <= 256;
        let gathers = gathers || woven;
        let in_rows = rows > 0 && height == ROWS[0] && width * input.channels == ROWS[1];
        let [above, left] = geometry.padding();
        let inside = above == 0
            && left == 0
            && (output.height - 1) * down + height <= input.height
            && (output.width - 1) * right + width <= input.width;
        let columns = if gathers || in_rows || one_piece && inside { 0 } else { pixels };
        let filters = if output.channels < BLOCK { output.channels } else { BLOCK };
        // The sums' place is where the taps of a pooling are kept, too.
        let mut sums = together * filters;
        if outputs > 0 && sums < TAPS {
            sums = TAPS;
        }
        Self {
            pixels,
            together,
            direct: gathers || in_rows || one_piece,
            bands,
            rows,
            width: wide,
            offsets: if gathers { (SHORT + if woven { 16 } else { 0 }) / 4 } else { 0 },
            strip: (rows * wide).div_ceil(4),
            columns: (columns * len).div_ceil(4),
            sums,
            outputs: (outputs * output.width * output.channels).div_ceil(4),
        }
    }

    /// The words of scratch.
    pub(in crate::arch) const fn scratch_len(&self) -> usize {
        self.offsets + self.strip + self.columns + self.sums + self.outputs
    }
}
