//! 2D max pooling.

use core::marker::PhantomData;

use super::{Context, Gradient, Layer, LayerInfo, LayerKind, PaddingKind, Valid};
use crate::arch::Backend;
use crate::geometry::{Geometry, Shape};
use crate::quant::LayerS8;
use crate::train::{Optimizer, Trainable};

/// The maximum of each window and channel; what lies outside of the input is left out: Keras's `MaxPooling2D`.
///
/// The input is `H x W x C`, the window `KH x KW`, the strides `SH` and `SW` (Keras's default: the window), `P` the padding.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxPooling2D<
    const H: usize,
    const W: usize,
    const C: usize,
    const KH: usize = 2,
    const KW: usize = 2,
    const SH: usize = KH,
    const SW: usize = KW,
    P = Valid,
>(PhantomData<P>);

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    P: PaddingKind,
> MaxPooling2D<H, W, C, KH, KW, SH, SW, P>
{
    /// The sizes of the window. A window that does not fit is an error at compile time.
    pub const GEOMETRY: Geometry = match Geometry::new(Shape::new(H, W, C), C, [KH, KW], [SH, SW], P::PADDING) {
        Ok(geometry) => geometry,
        Err(error) => panic!("{}", error.message()),
    };

    /// The layer.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The layer's description, under the given name.
    pub const fn info(&self, name: &'static str) -> LayerInfo<'static> {
        let geometry = Self::GEOMETRY;
        LayerInfo {
            name,
            kind: LayerKind::MaxPooling2D { geometry },
            input: geometry.input(),
            output: geometry.output(),
        }
    }
}

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    P: PaddingKind,
> Layer for MaxPooling2D<H, W, C, KH, KW, SH, SW, P>
{
    const INPUT: Shape = Self::GEOMETRY.input();
    const OUTPUT: Shape = Self::GEOMETRY.output();

    fn forward_linear(
        &self,
        cx: &Context,
        _weights: &[f32],
        _pool: Option<&Geometry>,
        x: &[f32],
        y: &mut [f32],
        _scratch: &mut [f32],
    ) {
        cx.backend.max_pool(&Self::GEOMETRY, cx.batch, x, y);
    }

    fn backward<O: Optimizer>(
        &self,
        cx: &Context,
        _optimizer: &O,
        _parameters: Trainable<'_>,
        gradient: Gradient<'_>,
        _scratch: &mut [f32],
    ) {
        let Gradient { x, y, dy, dx, .. } = gradient;
        if let Some(dx) = dx {
            cx.backend.max_pool_gradient(&Self::GEOMETRY, cx.batch, x, y, dy, dx);
        }
    }

    fn forward_s8(
        backend: Backend,
        _tensors: &LayerS8<'_>,
        _pool: Option<&'static Geometry>,
        x: &[i8],
        y: &mut [i8],
        _scratch: &mut [i32],
    ) {
        backend.max_pool_s8(&Self::GEOMETRY, x, y);
    }
}
