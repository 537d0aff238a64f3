//! Two tensors side by side.

use super::Context;
use crate::geometry::Shape;
use crate::graph::Op;

/// At each of `H x W` positions the `A` channels of one tensor, then the `B` of another: Keras's `Concatenate`, along
/// the last axis.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Concatenate, Context};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// // Two positions, of one channel and of two.
/// let mut y = [0.0; 6];
/// Concatenate::<1, 2, 1, 2>::new().forward(&cx, [&[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0]], &mut y);
/// assert_eq!(y, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Concatenate<const H: usize, const W: usize, const A: usize, const B: usize>;

impl<const H: usize, const W: usize, const A: usize, const B: usize> Concatenate<H, W, A, B> {
    /// Shape of the output.
    pub const OUTPUT: Shape = Shape::new(H, W, A + B);

    /// The layer.
    pub const fn new() -> Self {
        Self
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Concatenate
    }

    /// Writes both of the inputs `x` to `y`.
    ///
    /// # Panics
    ///
    /// If the lengths do not fit.
    pub fn forward(&self, cx: &Context, x: [&[f32]; 2], y: &mut [f32]) {
        for (x, (width, first)) in x.into_iter().zip([(A, 0), (B, A)]) {
            cx.backend.concatenate(width, x, [first, A + B], y);
        }
    }
}
