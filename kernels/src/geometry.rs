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
        }
    }
}

impl core::error::Error for GeometryError {}

/// A window that slides over an input: all that a convolution or pooling kernel must know of its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    /// Shape of one input sample.
    pub input: Shape,
    /// Shape of one output sample.
    pub output: Shape,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps of the window, down and right.
    pub strides: [usize; 2],
    /// Padded rows above and padded columns to the left. Those below and to the right follow from the output's shape.
    pub padding: [usize; 2],
}

impl Geometry {
    /// The geometry of a window over `input` that gives `channels` values at each position.
    ///
    /// # Errors
    ///
    /// [`GeometryError::Zero`] where any number is zero, [`GeometryError::KernelExceedsInput`] where a window without
    /// padding does not fit once.
    pub const fn new(
        input: Shape,
        channels: usize,
        kernel: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
    ) -> Result<Self, GeometryError> {
        if input.len() == 0 || channels == 0 || kernel[0] * kernel[1] == 0 || strides[0] * strides[1] == 0 {
            return Err(GeometryError::Zero);
        }
        let (height, top) = match along(input.height, kernel[0], strides[0], padding) {
            Ok(pair) => pair,
            Err(error) => return Err(error),
        };
        let (width, left) = match along(input.width, kernel[1], strides[1], padding) {
            Ok(pair) => pair,
            Err(error) => return Err(error),
        };
        Ok(Self { input, output: Shape::new(height, width, channels), kernel, strides, padding: [top, left] })
    }

    /// Whether the windows of every output row hold a row of the input. So it is in what [`Self::new`] gives.
    pub(crate) const fn has_input_for_all_rows(&self) -> bool {
        let last = self.output.height.saturating_sub(1) * self.strides[0];
        self.padding[0] < self.kernel[0] && last < self.input.height + self.padding[0]
    }

    /// The geometry of the output rows `rows` alone, and the input rows that they are made of, where
    /// [`Self::has_input_for_all_rows`].
    ///
    /// # Panics
    ///
    /// If there are no such rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> (Self, Range<usize>) {
        assert!(!rows.is_empty() && rows.end <= self.output.height, "rows {rows:?} of {}", self.output.height);
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

/// Output length and padding before the first value, along one axis.
const fn along(input: usize, kernel: usize, stride: usize, padding: Padding) -> Result<(usize, usize), GeometryError> {
    match padding {
        Padding::Same => {
            let output = input.div_ceil(stride);
            let total = ((output - 1) * stride + kernel).saturating_sub(input);
            Ok((output, total / 2))
        }
        Padding::Valid if kernel > input => Err(GeometryError::KernelExceedsInput),
        Padding::Valid => Ok(((input - kernel) / stride + 1, 0)),
    }
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
            assert!(g.has_input_for_all_rows());
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
