//! Products, concatenation and zero padding, and their gradients, in f32.

/// `y = y * x` for one sample; `x` is repeated where it is shorter.
#[inline(always)]
pub(in crate::arch) fn multiply(x: &[f32], y: &mut [f32]) {
    for y in y.chunks_exact_mut(x.len()) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y *= x);
    }
}

/// Adds to `dx` the gradient of a product of `dx`'s factor and `other`, for one sample. The shorter of the two factors
/// was repeated.
#[inline(always)]
pub(in crate::arch) fn multiply_gradient(dy: &[f32], other: &[f32], dx: &mut [f32]) {
    let width = dx.len().min(other.len());
    let columns = dy.chunks_exact(width);
    // One of the two is as long as `dy`, the other begins again.
    let (others, places) = (other.len() / width, dx.len() / width);
    for (i, dy) in columns.enumerate() {
        let (other, dx) = (&other[i % others * width..][..width], &mut dx[i % places * width..][..width]);
        dx.iter_mut().zip(dy.iter().zip(other)).for_each(|(dx, (dy, other))| *dx += dy * other);
    }
}

/// Copies rows of `width` values to the columns `first..first + width` of rows of `to_width`.
#[inline(always)]
pub(in crate::arch) fn concatenate(width: usize, x: &[f32], [first, to_width]: [usize; 2], y: &mut [f32]) {
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(to_width)) {
        y[first..][..width].copy_from_slice(x);
    }
}

/// Adds to rows of `width` values the columns `first..first + width` of rows of `from_width`.
#[inline(always)]
pub(in crate::arch) fn concatenate_gradient(width: usize, dy: &[f32], [first, from_width]: [usize; 2], dx: &mut [f32]) {
    for (dx, dy) in dx.chunks_exact_mut(width).zip(dy.chunks_exact(from_width)) {
        dx.iter_mut().zip(&dy[first..]).for_each(|(dx, dy)| *dx += dy);
    }
}
