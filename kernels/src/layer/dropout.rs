//! Dropout.

use super::{Context, Gradient, Layer, LayerInfo, LayerKind};
use crate::geometry::{Geometry, Shape};
use crate::train::{Optimizer, Trainable};

/// While training, sets each value to 0 with probability `rate` and divides the others by `1 - rate`; otherwise does
/// nothing: Keras's `Dropout` (inverted dropout). The input is `H x W x C`.
///
/// The mask depends on the step's seed and on the value's place alone, so the backward pass draws it again instead of
/// storing it, and a PC and a device drop the same values.
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

    /// The layer's description, under the given name.
    pub const fn info(&self, name: &'static str) -> LayerInfo<'static> {
        LayerInfo { name, kind: LayerKind::Dropout { rate: self.rate }, input: Self::INPUT, output: Self::OUTPUT }
    }
}

impl<const H: usize, const W: usize, const C: usize> Layer for Dropout<H, W, C> {
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::new(H, W, C);

    fn is_identity(&self, cx: &Context) -> bool {
        cx.dropout_seed.is_none()
    }

    fn forward_linear(
        &self,
        cx: &Context,
        _weights: &[f32],
        _pool: Option<&Geometry>,
        x: &[f32],
        y: &mut [f32],
        _scratch: &mut [f32],
    ) {
        match cx.dropout_seed {
            Some(seed) => {
                y.copy_from_slice(x);
                cx.backend.dropout(seed, self.rate, y);
            }
            None => y.copy_from_slice(x),
        }
    }

    fn backward<O: Optimizer>(
        &self,
        cx: &Context,
        _optimizer: &O,
        _parameters: Trainable<'_>,
        gradient: Gradient<'_>,
        _scratch: &mut [f32],
    ) {
        if let (Some(dx), Some(seed)) = (gradient.dx, cx.dropout_seed) {
            dx.copy_from_slice(gradient.dy);
            cx.backend.dropout(seed, self.rate, dx);
        }
    }
}
