//! Zeros around the input.

use super::Layer;
use crate::geometry::Shape;
use crate::graph::Op;

/// Rows of zeros above (`T`) and below (`B`) an `H x W x C` input, and columns to the left (`L`) and to the right
/// (`R`): Keras's `ZeroPadding2D`. Each is at most 255.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Context, Layer, ZeroPadding2D};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// let mut y = [9.0; 4];
/// ZeroPadding2D::<1, 1, 1, 1, 0, 0, 1>::new().forward(&cx, &[], &[5.0], &mut y, &mut []);
/// assert_eq!(y, [0.0, 0.0, 5.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ZeroPadding2D<
    const H: usize,
    const W: usize,
    const C: usize,
    const T: usize,
    const B: usize,
    const L: usize,
    const R: usize,
>;

impl<const H: usize, const W: usize, const C: usize, const T: usize, const B: usize, const L: usize, const R: usize>
    ZeroPadding2D<H, W, C, T, B, L, R>
{
    /// The layer.
    pub const fn new() -> Self {
        Self
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::ZeroPadding2D { padding: [[T, B], [L, R]] }
    }
}

impl<const H: usize, const W: usize, const C: usize, const T: usize, const B: usize, const L: usize, const R: usize>
    Layer for ZeroPadding2D<H, W, C, T, B, L, R>
{
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::new(H + T + B, W + L + R, C);

    fn op(&self) -> Op {
        self.op()
    }
}
