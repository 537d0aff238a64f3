//! The product of two tensors.

use core::marker::PhantomData;

use super::{ActivationKind, Context, Linear, forward};
use crate::geometry::Shape;
use crate::graph::{Node, Op};

/// `y = act(a * b)`, value by value: Keras's `Multiply`. The first is `H x W x C`, the second too, or a vector of `C`
/// values that each position is multiplied by.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Context, Multiply};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// // Two positions of two channels, and a factor for each channel.
/// let mut y = [1.0, 2.0, 3.0, 4.0];
/// Multiply::<1, 2, 2>::new().forward(&cx, &[10.0, 0.5], &mut y);
/// assert_eq!(y, [10.0, 1.0, 30.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Multiply<const H: usize, const W: usize, const C: usize, A = Linear>(PhantomData<A>);

impl<const H: usize, const W: usize, const C: usize, A: ActivationKind> Multiply<H, W, C, A> {
    /// Shape of the first factor, and of the product.
    pub const OUTPUT: Shape = Shape::new(H, W, C);

    /// The layer.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Multiply { activation: A::ACTIVATION }
    }

    /// Multiplies the first factor, which `y` holds, by `x`, and applies the activation.
    ///
    /// # Panics
    ///
    /// If the lengths do not fit.
    pub fn forward(&self, cx: &Context, x: &[f32], y: &mut [f32]) {
        let node = Node { name: "", op: self.op(), inputs: [0; 2], output: Self::OUTPUT, weights: 0 };
        forward(cx, &node, &[], x, y, &mut []);
    }
}
