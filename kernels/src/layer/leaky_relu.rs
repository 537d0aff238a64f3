//! The leaky rectified linear unit.

use super::Layer;
use crate::geometry::Shape;
use crate::graph::{Activation, Op};

/// `y = x` where it is not negative, `negative_slope * x` elsewhere: Keras's `LeakyReLU`. The input is `H x W x C`.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Context, Layer, LeakyReLU};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// let mut y = [0.0; 2];
/// LeakyReLU::<1, 1, 2>::new(0.25).forward(&cx, &[], &[2.0, -2.0], &mut y, &mut []);
/// assert_eq!(y, [2.0, -0.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LeakyReLU<const H: usize, const W: usize, const C: usize> {
    negative_slope: f32,
}

impl<const H: usize, const W: usize, const C: usize> LeakyReLU<H, W, C> {
    /// The layer with this slope.
    ///
    /// # Panics
    ///
    /// When `negative_slope` is negative or not finite; at compile time in a constant, as `sequential!` makes it.
    pub const fn new(negative_slope: f32) -> Self {
        let activation = Activation::LeakyRelu { negative_slope };
        assert!(activation.is_valid(), "the negative_slope of LeakyReLU must be at least 0, and finite");
        Self { negative_slope }
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Activation { activation: Activation::LeakyRelu { negative_slope: self.negative_slope } }
    }
}

impl<const H: usize, const W: usize, const C: usize> Layer for LeakyReLU<H, W, C> {
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::new(H, W, C);

    fn op(&self) -> Op {
        self.op()
    }
}
