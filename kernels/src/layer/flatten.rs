//! Flattening.

use super::Layer;
use crate::geometry::Shape;
use crate::graph::Op;

/// The same values as one vector, in the order height, width, channels: Keras's `Flatten`. The input is `H x W x C`.
///
/// Nothing is computed: the values stay where they are.
///
/// ```
/// use thumbnet::layer::{Flatten, Layer};
///
/// assert_eq!(<Flatten<2, 3, 4> as Layer>::OUTPUT, thumbnet::geometry::Shape::vector(24));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Flatten<const H: usize, const W: usize, const C: usize>;

impl<const H: usize, const W: usize, const C: usize> Flatten<H, W, C> {
    /// The layer.
    pub const fn new() -> Self {
        Self
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Flatten
    }
}

impl<const H: usize, const W: usize, const C: usize> Layer for Flatten<H, W, C> {
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::vector(H * W * C);

    fn op(&self) -> Op {
        self.op()
    }
}
