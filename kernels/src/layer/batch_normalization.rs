//! Batch normalisation.

use super::Layer;
use crate::arch::Backend;
use crate::geometry::Shape;
use crate::graph::{Activation, Op};

/// `y[c] = gamma[c] * (x[c] - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]` for each channel: Keras's
/// `BatchNormalization` (Ioffe and Szegedy, 2015). The input is `H x W x C`.
///
/// While training, mean and variance are those of the batch and all positions, the variance divided by their number.
/// Each step moves the averages that inference takes: `moving = momentum * moving + (1 - momentum) * batch's`. The
/// weights are gamma, beta, moving mean and moving variance, of which the first two are trained.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{BatchNormalization, Context, Layer};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// type Norm = BatchNormalization<1, 2, 1>;
/// // Gamma, beta, moving mean and moving variance of the one channel.
/// let weights = [2.0, 1.0, 5.0, 4.0];
/// let mut scratch = [0.0; Norm::scratch_len(1)];
/// let mut y = [0.0; 2];
/// Norm::new(Norm::MOMENTUM, 1e-12).forward(&cx, &weights, &[5.0, 7.0], &mut y, &mut scratch);
/// assert_eq!(y, [1.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BatchNormalization<const H: usize, const W: usize, const C: usize> {
    momentum: f32,
    epsilon: f32,
}

impl<const H: usize, const W: usize, const C: usize> BatchNormalization<H, W, C> {
    /// Keras's default of the share of a moving average that a step keeps.
    pub const MOMENTUM: f32 = 0.99;
    /// Keras's default of what is added to the variance.
    pub const EPSILON: f32 = 1e-3;

    /// The layer.
    ///
    /// # Panics
    ///
    /// When `momentum` is not in `0.0..=1.0`, or `epsilon` not above 0; at compile time in a constant, as `sequential!`
    /// makes it.
    pub const fn new(momentum: f32, epsilon: f32) -> Self {
        assert!(momentum >= 0.0 && momentum <= 1.0, "the momentum of BatchNormalization must be in 0.0..=1.0");
        assert!(epsilon > 0.0 && epsilon.is_finite(), "the epsilon of BatchNormalization must be above 0, and finite");
        Self { momentum, epsilon }
    }

    /// Values of scratch for a batch, forward and backward: mean and variance, and what kernels work in.
    pub const fn scratch_len(batch: usize) -> usize {
        2 * C + Backend::batch_normalization_scratch_len(Shape::new(H, W, C), batch)
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::BatchNormalization { momentum: self.momentum, epsilon: self.epsilon, activation: Activation::Linear }
    }
}

impl<const H: usize, const W: usize, const C: usize> Layer for BatchNormalization<H, W, C> {
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::new(H, W, C);

    fn op(&self) -> Op {
        self.op()
    }
}
