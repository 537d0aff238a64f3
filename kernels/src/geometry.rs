//! Shape arithmetic, all of it `const fn`, so that a network's sizes are known (and refused) at compile time.
//!
//! Tensors are stored height, width, channels (NHWC), channels innermost, as Keras and TFLite do by default.

use core::ops::Range;

/// The shape of one sample: height, width and channels. A vector of `n` values is `[1, 1, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values at each position.
    pub channels: usize,
}

impl Shape {
    /// The shape `[height, width, channels]`.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// The shape of a vector of `len` values.
    pub const fn vector(len: usize) -> Self {
        Self::new(1, 1, len)
    }

    /// Whether both have the same dimensions; `==` that is `const`.
    pub(crate) const fn equals(self, other: Self) -> bool {
        self.height == other.height && self.width == other.width && self.channels == other.channels
    }

    /// How many values one sample has: height x width x channels.
    #[expect(clippy::len_without_is_empty, reason = "a shape with no values is refused when a network is defined")]
    pub const fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// [`Self::len`], or `None` where a `usize` does not hold it: no slice is that long.
    pub const fn checked_len(self) -> Option<usize> {
        match self.height.checked_mul(self.width) {
            Some(pixels) => pixels.checked_mul(self.channels),
            None => None,
        }
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.height == 1 && self.width == 1 {
            write!(f, "({})", self.channels)
        } else {
            write!(f, "({}, {}, {})", self.height, self.width, self.channels)
        }
    }
}

/// What a window does at the border of its input; Keras's and TFLite's `padding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Padding {
    /// The output has `ceil(input / stride)` positions. What is missing is padded, half of it before (rounded down).
    Same,
    /// The window stays inside the input: `ceil((input - kernel + 1) / stride)` positions.
    Valid,
}

/// Why a window does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GeometryError {
    /// The input, the kernel, the strides or the channels are zero.
    Zero,
    /// The kernel is larger than the input and `padding` is [`Padding::Valid`].
    KernelExceedsInput,
    /// There would be more than [`Geometry::LIMIT`] values in the input with its padding, in the output, or in the
    /// kernels of all output channels.
    TooLarge,
    /// What was read from a file is no geometry: output and padding follow from neither [`Padding`].
    NotAWindow,
}

impl core::fmt::Display for GeometryError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())
    }
}

impl GeometryError {
    /// The reason in words, for messages made at compile time.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Zero => "every dimension, kernel_size, stride and filter count must be at least 1",
            Self::KernelExceedsInput => "the kernel is larger than its input; use `padding: Same` or a smaller kernel",
            Self::TooLarge if usize::BITS < 64 => {
                "the padded input, the output and the kernels must have fewer than 2^29 values each"
            }
            Self::TooLarge => "the padded input, the output and the kernels must have fewer than 2^43 values each",
            Self::NotAWindow => "the output and the padding are not those of a window over this input",
        }
    }
}

impl core::error::Error for GeometryError {}

/// A window that slides over an input: all that a convolution or pooling kernel must know of its sizes.
///
/// Only [`Geometry::new`] makes one (and reading a file, which does the same checks): so every window reads at least
/// one row and one column of the input, and no product of sizes exceeds [`Geometry::LIMIT`]. Kernels that read memory
/// without a check rely on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize), serde(try_from = "Parts"))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    input: Shape,
    output: Shape,
    kernel: [usize; 2],
    strides: [usize; 2],
    padding: [usize; 2],
}

/// A [`Geometry`] as a file holds it, before it is checked.
#[cfg(feature = "alloc")]
#[derive(serde::Deserialize)]
#[serde(rename = "Geometry")]
struct Parts {
    input: Shape,
    output: Shape,
    kernel: [usize; 2],
    strides: [usize; 2],
    padding: [usize; 2],
}

#[cfg(feature = "alloc")]
impl TryFrom<Parts> for Geometry {
    type Error = GeometryError;

    fn try_from(parts: Parts) -> Result<Self, GeometryError> {
        let Parts { input, output, kernel, strides, padding } = parts;
        let found = Self { input, output, kernel, strides, padding };
        // A window that needs no padding may be of either kind.
        let valid = Self::new(input, output.channels, kernel, strides, Padding::Valid);
        if valid == Ok(found) || Self::new(input, output.channels, kernel, strides, Padding::Same)? == found {
            Ok(found)
        } else {
            Err(GeometryError::NotAWindow)
        }
    }
}

impl core::fmt::Display for Geometry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { input, output, kernel, strides, padding } = self;
        write!(f, "{input} to {output} by {} x {} windows, ", kernel[0], kernel[1])?;
        write!(f, "strides {} x {}, padding {} x {}", strides[0], strides[1], padding[0], padding[1])
    }
}

impl Geometry {
    /// The most values that a geometry's input with its padding, its output, and its kernels of all output channels may
    /// have.
    ///
    /// It is what a slice of f32 can hold on a target of 32 bits. On one of 64 bits it leaves room for what vector
    /// kernels make of these values in scratch memory: up to 2^18 for each of them. So sums and products of sizes do
    /// not wrap.
    pub const LIMIT: usize = isize::MAX as usize / if usize::BITS < 64 { 4 } else { 1 << 20 };

    /// The geometry of a window over `input` that gives `channels` values at each position.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Zero`] where any number is zero, [`GeometryError::KernelExceedsInput`] where a window without
    /// padding does not fit once, [`GeometryError::TooLarge`] where there would be too many values.
    pub const fn new(
        input: Shape,
        channels: usize,
        kernel: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
    ) -> Result<Self, GeometryError> {
        let Shape { height, width, channels: depth } = input;
        let sizes = [height, width, depth, channels, kernel[0], kernel[1], strides[0], strides[1]];
        let mut i = 0;
        while i < sizes.len() {
            if sizes[i] == 0 {
                return Err(GeometryError::Zero);
            }
            i += 1;
        }
        let (rows, columns) = match (
            Along::new(height, kernel[0], strides[0], padding),
            Along::new(width, kernel[1], strides[1], padding),
        ) {
            (Ok(rows), Ok(columns)) => (rows, columns),
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        if !are_within_limit(&[rows.extent, columns.extent, depth])
            || !are_within_limit(&[rows.output, columns.output, channels])
            || !are_within_limit(&[kernel[0], kernel[1], depth, channels])
        {
            return Err(GeometryError::TooLarge);
        }
        let output = Shape::new(rows.output, columns.output, channels);
        Ok(Self { input, output, kernel, strides, padding: [rows.padding, columns.padding] })
    }

    /// Shape of one input sample.
    #[inline(always)]
    pub const fn input(&self) -> Shape {
        self.input
    }

    /// Shape of one output sample.
    #[inline(always)]
    pub const fn output(&self) -> Shape {
        self.output
    }

    /// Height and width of the window.
    #[inline(always)]
    pub const fn kernel(&self) -> [usize; 2] {
        self.kernel
    }

    /// Steps of the window, down and right.
    #[inline(always)]
    pub const fn strides(&self) -> [usize; 2] {
        self.strides
    }

    /// Padded rows above and padded columns to the left. Those below and to the right follow from the output's shape.
    #[inline(always)]
    pub const fn padding(&self) -> [usize; 2] {
        self.padding
    }

    /// The same windows over `input`, of which this geometry's input is a copy with zeros around it: `before` rows
    /// above and columns to the left. `None` where that is not so, or some window would read nothing but zeros.
    pub(crate) const fn behind_padding(&self, input: Shape, before: [usize; 2]) -> Option<Self> {
        let (of, to) = (self.input, self.output);
        if input.height + before[0] > of.height || input.width + before[1] > of.width || input.channels != of.channels {
            return None;
        }
        let padding = [self.padding[0] + before[0], self.padding[1] + before[1]];
        // The first and the last window along each axis.
        let reads = padding[0] < self.kernel[0]
            && padding[1] < self.kernel[1]
            && (to.height - 1) * self.strides[0] < input.height + padding[0]
            && (to.width - 1) * self.strides[1] < input.width + padding[1];
        if reads { Some(Self { input, padding, ..*self }) } else { None }
    }

    /// Whether no window reaches beyond the input.
    pub(crate) const fn is_inside(&self) -> bool {
        let (of, to) = (self.input, self.output);
        matches!(self.padding, [0, 0])
            && (to.height - 1) * self.strides[0] + self.kernel[0] <= of.height
            && (to.width - 1) * self.strides[1] + self.kernel[1] <= of.width
    }

    /// Windows of one position of a convolution's output each: no pooling.
    pub(crate) const fn of_positions(convolution: &Self) -> Self {
        let output = convolution.output;
        Self { input: output, output, kernel: [1, 1], strides: [1, 1], padding: [0, 0] }
    }

    /// The same with every pixel of a batch as a sample, where windows are single pixels side by side: these know
    /// nothing of images.
    #[cfg(thumbnet_x86)]
    pub(crate) const fn by_pixels(&self) -> Self {
        if !matches!((self.kernel, self.strides), ([1, 1], [1, 1])) {
            return *self;
        }
        Self { input: Shape::vector(self.input.channels), output: Shape::vector(self.output.channels), ..*self }
    }

    /// Whether `pool` is a pooling of this convolution's output. Its windows' rows of the input must be within the
    /// limit, too.
    pub(crate) const fn is_pooled_by(&self, pool: &Self) -> bool {
        let (of, to) = (self.output, pool.input);
        let fits = of.height == to.height && of.width == to.width && of.channels == to.channels;
        let rows = match (pool.kernel[0] - 1).checked_mul(self.strides[0]) {
            Some(rows) => rows.saturating_add(self.kernel[0]),
            None => return false,
        };
        let width = (self.output.width - 1) * self.strides[1] + self.kernel[1];
        fits && pool.output.channels == of.channels && are_within_limit(&[rows, width, self.input.channels])
    }

    /// The geometry of the output rows `rows` alone, and the input rows that they are made of.
    ///
    /// # Panics
    ///
    /// If there are no such rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> (Self, Range<usize>) {
        assert!(!rows.is_empty() && rows.end <= self.output.height, "rows {rows:?} of {}", self.output.height);
        self.some_rows(rows)
    }

    /// The same of row `y` alone, of which there is one.
    #[cfg(thumbnet_helium)]
    pub(crate) fn row(&self, y: usize) -> (Self, Range<usize>) {
        self.some_rows(y..y + 1)
    }

    fn some_rows(&self, rows: Range<usize>) -> (Self, Range<usize>) {
        let [stride, padding] = [self.strides[0], self.padding[0]];
        let start = (rows.start * stride).saturating_sub(padding);
        let end = ((rows.end - 1) * stride + self.kernel[0]).saturating_sub(padding).min(self.input.height);
        let of = Self {
            input: Shape::new(end - start, self.input.width, self.input.channels),
            output: Shape::new(rows.len(), self.output.width, self.output.channels),
            padding: [padding.saturating_sub(rows.start * stride), self.padding[1]],
            ..*self
        };
        (of, start..end)
    }

    /// What one output of a convolution reads: kernel height, kernel width, input channels.
    pub(crate) const fn window(&self) -> Shape {
        Shape::new(self.kernel[0], self.kernel[1], self.input.channels)
    }

    /// How many inputs one output of a convolution reads: kernel height x kernel width x input channels.
    pub const fn patch(&self) -> usize {
        self.window().len()
    }
}

/// What a window comes to along one axis.
struct Along {
    output: usize,
    /// Before the first value.
    padding: usize,
    /// The longest of the input, all that windows reach with their padding, and a step.
    extent: usize,
}

impl Along {
    const fn new(input: usize, kernel: usize, stride: usize, padding: Padding) -> Result<Self, GeometryError> {
        // So that what follows does not wrap.
        if !are_within_limit(&[input]) || !are_within_limit(&[kernel]) || !are_within_limit(&[stride]) {
            return Err(GeometryError::TooLarge);
        }
        let output = match padding {
            Padding::Same => input.div_ceil(stride),
            Padding::Valid if kernel > input => return Err(GeometryError::KernelExceedsInput),
            Padding::Valid => (input - kernel) / stride + 1,
        };
        let reach = (output - 1) * stride + kernel;
        let padding = match padding {
            Padding::Same => reach.saturating_sub(input) / 2,
            Padding::Valid => 0,
        };
        let extent = if reach > input { reach } else { input };
        Ok(Self { output, padding, extent: if extent > stride { extent } else { stride } })
    }
}

/// Whether the product of some numbers, none of them zero, is at most [`Geometry::LIMIT`].
const fn are_within_limit(sizes: &[usize]) -> bool {
    let (mut product, mut i) = (1usize, 0);
    while i < sizes.len() {
        product = match product.checked_mul(sizes[i]) {
            Some(product) => product,
            None => return false,
        };
        i += 1;
    }
    product <= Geometry::LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(size: usize, kernel: usize, stride: usize, padding: Padding) -> Result<Geometry, GeometryError> {
        Geometry::new(Shape::new(size, size, 1), 1, [kernel; 2], [stride; 2], padding)
    }

    /// `tf.nn.conv2d(tf.zeros([1, n, n, 1]), tf.zeros([k, k, 1, 1]), s, padding).shape`, and TensorFlow's rule for the
    /// padding before: `max((out - 1) * s + k - n, 0) // 2`.
    #[test]
    fn follows_tensorflow() {
        for (n, k, s, padding, out, before) in [
            (28, 5, 1, Padding::Same, 28, 2),
            (28, 2, 2, Padding::Same, 14, 0),
            (7, 2, 2, Padding::Same, 4, 0),
            (8, 3, 2, Padding::Same, 4, 0),
            (7, 3, 2, Padding::Same, 4, 1),
            (3, 5, 1, Padding::Same, 3, 2),
            (28, 4, 1, Padding::Same, 28, 1),
            (28, 5, 1, Padding::Valid, 24, 0),
            (7, 2, 2, Padding::Valid, 3, 0),
            (5, 5, 3, Padding::Valid, 1, 0),
            (1, 1, 4, Padding::Same, 1, 0),
        ] {
            let g = geometry(n, k, s, padding).unwrap();
            assert_eq!((g.output.height, g.padding[0]), (out, before), "n={n} k={k} s={s} {padding:?}");
            assert_eq!((g.output.width, g.padding[1]), (out, before));
        }
    }

    #[test]
    fn rows_alone_read_what_they_read_in_the_whole() {
        for (size, kernel, stride, padding) in [
            (28, 5, 1, Padding::Same),
            (7, 3, 2, Padding::Same),
            (3, 5, 1, Padding::Same),
            (9, 2, 3, Padding::Valid),
            (1, 1, 4, Padding::Same),
        ] {
            let g = geometry(size, kernel, stride, padding).unwrap();
            // The inputs of an output row, by the definition.
            let reads = |g: &Geometry, row: usize| {
                let first = (row * g.strides[0]) as isize - g.padding[0] as isize;
                let end = (first + g.kernel[0] as isize).min(g.input.height as isize);
                [first.max(0), end]
            };
            for start in 0..g.output.height {
                for end in start + 1..=g.output.height {
                    let (alone, input) = g.rows(start..end);
                    assert_eq!((alone.output.height, alone.input.height), (end - start, input.len()));
                    for row in start..end {
                        let moved = reads(&alone, row - start).map(|at| at + input.start as isize);
                        assert_eq!(moved, reads(&g, row), "{g:?} rows {start}..{end}");
                    }
                }
            }
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert_eq!(geometry(3, 5, 1, Padding::Valid), Err(GeometryError::KernelExceedsInput));
        assert_eq!(geometry(3, 0, 1, Padding::Valid), Err(GeometryError::Zero));
        assert_eq!(geometry(3, 1, 0, Padding::Same), Err(GeometryError::Zero));
        assert_eq!(geometry(0, 1, 1, Padding::Same), Err(GeometryError::Zero));
    }
}
