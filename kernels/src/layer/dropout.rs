//! Dropout.

use super::Layer;
use crate::geometry::Shape;
use crate::graph::Op;

/// While training, sets each value to 0 with probability `rate` and divides the others by `1 - rate`; otherwise does
/// nothing: Keras's `Dropout` (inverted dropout). The input is `H x W x C`.
///
/// The mask depends on the step's seed and on the value's place alone, so the backward pass draws it again instead of
/// storing it, and a PC and a device drop the same values.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Context, Dropout, Layer};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// let layer = Dropout::<1, 1, 4>::new(0.5);
/// let mut y = [0.0; 4];
/// layer.forward(&cx, &[], &[1.0; 4], &mut y, &mut []);
/// assert_eq!(y, [1.0; 4]);
/// let training = Context { dropout_seed: Some(1), ..cx };
/// layer.forward(&training, &[], &[1.0; 4], &mut y, &mut []);
/// assert!(y.iter().all(|value| [0.0, 2.0].contains(value)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dropout<const H: usize, const W: usize, const C: usize> {
    rate: f32,
}

impl<const H: usize, const W: usize, const C: usize> Dropout<H, W, C> {
    /// The layer that drops the fraction `rate`.
    ///
    /// # Panics
    ///
    /// When `rate` is not in `0.0..1.0`; at compile time in a constant, as `sequential!` makes it.
    pub const fn new(rate: f32) -> Self {
        assert!(rate >= 0.0 && rate < 1.0, "the rate of Dropout must be in 0.0..1.0");
        Self { rate }
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Dropout { rate: self.rate }
    }
}

impl<const H: usize, const W: usize, const C: usize> Layer for Dropout<H, W, C> {
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::new(H, W, C);

    fn op(&self) -> Op {
        self.op()
    }
}
