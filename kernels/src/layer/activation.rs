//! An activation by itself.

use core::marker::PhantomData;

use super::{ActivationKind, Layer};
use crate::geometry::Shape;
use crate::graph::Op;

/// `y = A(x)`, value by value or, for a softmax, over the channels of each position: Keras's `Activation`. The input is
/// `H x W x C`.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Activation, Context, Layer, Tanh};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// let mut y = [0.0; 2];
/// Activation::<1, 1, 2, Tanh>::new().forward(&cx, &[], &[0.0, 100.0], &mut y, &mut []);
/// assert_eq!(y, [0.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Activation<const H: usize, const W: usize, const C: usize, A>(PhantomData<A>);

impl<const H: usize, const W: usize, const C: usize, A: ActivationKind> Activation<H, W, C, A> {
    /// The layer.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Activation { activation: A::ACTIVATION }
    }
}

impl<const H: usize, const W: usize, const C: usize, A: ActivationKind> Layer for Activation<H, W, C, A> {
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::new(H, W, C);

    fn op(&self) -> Op {
        self.op()
    }
}
