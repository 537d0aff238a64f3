//! Another shape.

use super::Layer;
use crate::geometry::Shape;
use crate::graph::Op;

/// The values of an `H x W x C` input, as they lie, as `TH x TW x TC`: Keras's `Reshape`.
///
/// Nothing is computed: the values stay where they are.
///
/// ```
/// use thumbnet::layer::{Layer, Reshape};
///
/// assert_eq!(<Reshape<2, 3, 4, 1, 6, 4> as Layer>::OUTPUT, thumbnet::geometry::Shape::new(1, 6, 4));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Reshape<const H: usize, const W: usize, const C: usize, const TH: usize, const TW: usize, const TC: usize>;

impl<const H: usize, const W: usize, const C: usize, const TH: usize, const TW: usize, const TC: usize>
    Reshape<H, W, C, TH, TW, TC>
{
    /// The layer. Shapes with another number of values are an error at compile time.
    pub const fn new() -> Self {
        const { assert!(H * W * C == TH * TW * TC, "Reshape keeps the number of values") };
        Self
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Reshape
    }
}

impl<const H: usize, const W: usize, const C: usize, const TH: usize, const TW: usize, const TC: usize> Layer
    for Reshape<H, W, C, TH, TW, TC>
{
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::new(TH, TW, TC);

    fn op(&self) -> Op {
        self.op()
    }
}
