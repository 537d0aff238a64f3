//! Flatten.

use super::{Context, Gradient, Layer, LayerInfo, LayerKind};
use crate::geometry::{Geometry, Shape};
use crate::train::{Optimizer, Trainable};

/// The same values, seen as one vector: Keras's `Flatten` of an `H x W x C` input. Nothing is moved or computed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flatten<const H: usize, const W: usize, const C: usize>;

impl<const H: usize, const W: usize, const C: usize> Flatten<H, W, C> {
    /// The layer.
    pub const fn new() -> Self {
        Self
    }

    /// The layer's description, under the given name.
    pub const fn info(&self, name: &'static str) -> LayerInfo<'static> {
        LayerInfo { name, kind: LayerKind::Flatten, input: Self::INPUT, output: Self::OUTPUT }
    }
}

impl<const H: usize, const W: usize, const C: usize> Layer for Flatten<H, W, C> {
    const INPUT: Shape = Shape::new(H, W, C);
    const OUTPUT: Shape = Shape::vector(H * W * C);

    fn is_identity(&self, _cx: &Context) -> bool {
        true
    }

    fn forward_linear(
        &self,
        _cx: &Context,
        _weights: &[f32],
        _pool: Option<&Geometry>,
        x: &[f32],
        y: &mut [f32],
        _scratch: &mut [f32],
    ) {
        y.copy_from_slice(x);
    }

    fn backward<O: Optimizer>(
        &self,
        _cx: &Context,
        _optimizer: &O,
        _parameters: Trainable<'_>,
        gradient: Gradient<'_>,
        _scratch: &mut [f32],
    ) {
        if let Some(dx) = gradient.dx {
            dx.copy_from_slice(gradient.dy);
        }
    }
}
