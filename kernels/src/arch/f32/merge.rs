use super::check_len;
use crate::arch::{
    Backend, Kernels, check_columns,
    parallel::{Rows, pieces},
};
use crate::geometry::Shape;

/// Values at a time: enough work to be worth a thread.
const GRAIN: usize = 1 << 14;

impl Backend {
    /// `y = y * x` for `batch` samples, value by value. Samples of `x` may be shorter: then each is repeated.
    ///
    /// # Panics
    ///
    /// If these are no whole samples, there are none or they have no values, or those of `y` are no multiple of those
    /// of `x`.
    pub fn multiply(self, batch: usize, x: &[f32], y: &mut [f32]) {
        let [x_len, y_len] = samples(batch, [x.len(), y.len()]);
        assert!(y_len.is_multiple_of(x_len), "a sample of {y_len} values by one of {x_len}");
        let rows = (Rows { items: x, width: x_len }, Rows { items: y, width: y_len });
        pieces(rows, GRAIN.div_ceil(y_len), &|_, (x, y)| {
            for (x, y) in x.items.chunks_exact(x_len).zip(y.items.chunks_exact_mut(y_len)) {
                self.kernels().multiply(x, y);
            }
        });
    }

    /// The gradient of [`Self::multiply`] for one factor, added to `dx`: `dy` times the `other` factor, summed over
    /// where that of `dx` was repeated.
    ///
    /// # Panics
    ///
    /// If these are no whole samples, there are none or they have no values, or neither `dx` nor `other` is as long as
    /// `dy`, of which the shorter is a part.
    pub fn multiply_gradient(self, batch: usize, dy: &[f32], other: &[f32], dx: &mut [f32]) {
        let [dy_len, dx_len] = samples(batch, [dy.len(), dx.len()]);
        let [other_len, _] = samples(batch, [other.len(), dx.len()]);
        let fits = dx_len.max(other_len) == dy_len && dy_len.is_multiple_of(dx_len.min(other_len));
        assert!(fits, "factors of {dx_len} and {other_len} values for a product of {dy_len}");
        let read = (Rows { items: dy, width: dy_len }, Rows { items: other, width: other_len });
        pieces((read, Rows { items: dx, width: dx_len }), GRAIN.div_ceil(dy_len), &|_, ((dy, other), dx)| {
            let read = dy.items.chunks_exact(dy_len).zip(other.items.chunks_exact(other_len));
            for ((dy, other), dx) in read.zip(dx.items.chunks_exact_mut(dx_len)) {
                self.kernels().multiply_gradient(dy, other, dx);
            }
        });
    }

    /// One part of a concatenation: the `width` values of each position of `x` become those from `first` on of the
    /// `to_width` of `y`.
    ///
    /// # Panics
    ///
    /// If these are not as many whole positions, or columns are out of range.
    pub fn concatenate(self, width: usize, x: &[f32], [first, to_width]: [usize; 2], y: &mut [f32]) {
        check_columns(width, x.len(), [first, to_width], y.len());
        let rows = (Rows { items: x, width }, Rows { items: y, width: to_width });
        pieces(rows, GRAIN.div_ceil(to_width), &|_, (x, y)| {
            self.kernels().concatenate(width, x.items, [first, to_width], y.items);
        });
    }

    /// The gradient of [`Self::concatenate`], added to `dx`.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn concatenate_gradient(self, width: usize, dy: &[f32], [first, from_width]: [usize; 2], dx: &mut [f32]) {
        check_columns(width, dx.len(), [first, from_width], dy.len());
        let rows = (Rows { items: dy, width: from_width }, Rows { items: dx, width });
        pieces(rows, GRAIN.div_ceil(from_width), &|_, (dy, dx)| {
            self.kernels().concatenate_gradient(width, dy.items, [first, from_width], dx.items);
        });
    }

    /// Zeros around `batch` samples `x` of shape `of`: `padding` is how many rows above and below, and columns to the
    /// left and to the right.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from these.
    pub fn zero_padding(self, of: Shape, padding: [[usize; 2]; 2], batch: usize, x: &[f32], y: &mut [f32]) {
        let to = padded(of, padding);
        check_len("input", x.len(), batch, of);
        check_len("output", y.len(), batch, to);
        y.fill(0.0);
        // A sample may have no values.
        for (x, y) in x.chunks_exact(of.len().max(1)).zip(y.chunks_exact_mut(to.len().max(1))) {
            for (row, x) in x.chunks_exact(of.width * of.channels).enumerate() {
                y[inside(to, padding, row)..][..x.len()].copy_from_slice(x);
            }
        }
    }

    /// The gradient of [`Self::zero_padding`]: what is not padding of `dy`. What `dx` held is overwritten.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn zero_padding_gradient(self, of: Shape, padding: [[usize; 2]; 2], batch: usize, dy: &[f32], dx: &mut [f32]) {
        let to = padded(of, padding);
        check_len("input", dx.len(), batch, of);
        check_len("output", dy.len(), batch, to);
        for (dx, dy) in dx.chunks_exact_mut(of.len().max(1)).zip(dy.chunks_exact(to.len().max(1))) {
            for (row, dx) in dx.chunks_exact_mut(of.width * of.channels).enumerate() {
                dx.copy_from_slice(&dy[inside(to, padding, row)..][..dx.len()]);
            }
        }
    }
}

/// The shape with rows and columns around it.
fn padded(of: Shape, [rows, columns]: [[usize; 2]; 2]) -> Shape {
    let along = |size: usize, [before, after]: [usize; 2]| size.saturating_add(before).saturating_add(after);
    Shape::new(along(of.height, rows), along(of.width, columns), of.channels)
}

/// Where a row of the input begins in the padded sample.
fn inside(to: Shape, [[above, _], [left, _]]: [[usize; 2]; 2], row: usize) -> usize {
    ((above + row) * to.width + left) * to.channels
}

/// The lengths of one sample each.
fn samples(batch: usize, lens: [usize; 2]) -> [usize; 2] {
    let whole = lens.iter().all(|&len| len >= batch && batch > 0 && len.is_multiple_of(batch));
    assert!(whole, "{} and {} values are no {batch} samples", lens[0], lens[1]);
    lens.map(|len| len / batch)
}
