//! The sum of two tensors.

use core::marker::PhantomData;

use super::{ActivationKind, Context, Linear, forward};
use crate::geometry::Shape;
use crate::graph::{Node, Op};

/// `y = act(a + b)`, value by value: Keras's `Add`. Both are `H x W x C`.
///
/// The gradient for `a` and for `b` is that for the sum.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Add, Context, Relu};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// // One term is in the place of the sum.
/// let mut y = [1.0, 2.0];
/// Add::<1, 1, 2, Relu>::new().forward(&cx, &[3.0, -3.0], &mut y);
/// assert_eq!(y, [4.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Add<const H: usize, const W: usize, const C: usize, A = Linear>(PhantomData<A>);

impl<const H: usize, const W: usize, const C: usize, A: ActivationKind> Add<H, W, C, A> {
    /// Shape of each term, and of the sum.
    pub const OUTPUT: Shape = Shape::new(H, W, C);

    /// The layer.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Add { activation: A::ACTIVATION }
    }

    /// Adds `x` to the first term, which `y` holds, and applies the activation.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn forward(&self, cx: &Context, x: &[f32], y: &mut [f32]) {
        let node = Node { name: "", op: self.op(), inputs: [0; 2], output: Self::OUTPUT, weights: 0 };
        forward(cx, &node, &[], x, y, &mut []);
    }
}
