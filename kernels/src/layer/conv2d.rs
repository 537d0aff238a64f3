//! 2D convolution.

use core::marker::PhantomData;

use super::activation::activate_gradient;
use super::{Activation, ActivationKind, Context, Gradient, Layer, LayerInfo, LayerKind, Linear, PaddingKind, Valid};
use crate::arch::Backend;
use crate::geometry::{Geometry, Shape};
use crate::quant::{LayerS8, Packing};
use crate::train::{Optimizer, Trainable};

/// `y[i, j, f] = act(bias[f] + sum over u, v, c of x[i*SH + u - top, j*SW + v - left, c] * kernel[u, v, c, f])`, inputs outside of `x`
/// counting as 0: Keras's `Conv2D`.
///
/// The input is `H x W x C`, the kernel `[KH, KW, C, F]`, the strides `SH` and `SW`; `P` is the padding, `A` the activation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conv2D<
    const H: usize,
    const W: usize,
    const C: usize,
    const F: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize = 1,
    const SW: usize = 1,
    P = Valid,
    A = Linear,
    const BIAS: bool = true,
>(PhantomData<(P, A)>);

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const F: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    P: PaddingKind,
    A: ActivationKind,
    const BIAS: bool,
> Conv2D<H, W, C, F, KH, KW, SH, SW, P, A, BIAS>
{
    /// The sizes of the window. A window that does not fit is an error at compile time.
    pub const GEOMETRY: Geometry = match Geometry::new(Shape::new(H, W, C), F, [KH, KW], [SH, SW], P::PADDING) {
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
            kind: LayerKind::Conv2D { geometry, use_bias: BIAS, activation: A::ACTIVATION },
            input: geometry.input(),
            output: geometry.output(),
        }
    }
}

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const F: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    P: PaddingKind,
    A: ActivationKind,
    const BIAS: bool,
> Layer for Conv2D<H, W, C, F, KH, KW, SH, SW, P, A, BIAS>
{
    const INPUT: Shape = Self::GEOMETRY.input();
    const OUTPUT: Shape = Self::GEOMETRY.output();
    const KERNEL_LEN: usize = KH * KW * C * F;
    const BIAS_LEN: usize = if BIAS { F } else { 0 };
    const ACTIVATION: Activation = A::ACTIVATION;
    const PACKING_S8: Option<Packing> = Backend::CONV_S8_PACKING;

    fn forward_linear(
        &self,
        cx: &Context,
        weights: &[f32],
        pool: Option<&Geometry>,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (kernel, bias) = weights.split_at(Self::KERNEL_LEN);
        let relu = matches!(A::ACTIVATION, Activation::Relu);
        let (g, bias) = (&Self::GEOMETRY, BIAS.then_some(bias));
        match pool {
            Some(pool) => cx.backend.conv2d_max_pool(g, pool, cx.batch, x, kernel, bias, relu, y, scratch),
            None => cx.backend.conv2d(g, cx.batch, x, kernel, bias, relu, y, scratch),
        }
        if matches!(A::ACTIVATION, Activation::Relu6) {
            cx.backend.relu6(y);
        }
    }

    fn backward<O: Optimizer>(
        &self,
        cx: &Context,
        optimizer: &O,
        parameters: Trainable<'_>,
        gradient: Gradient<'_>,
        scratch: &mut [f32],
    ) {
        let Gradient { x, y, dy, dx, of_logits } = gradient;
        if !of_logits {
            activate_gradient(cx.backend, A::ACTIVATION, F, y, dy);
        }
        let g = &Self::GEOMETRY;
        if let Some(dx) = dx {
            cx.backend.conv2d_input_gradient(g, cx.batch, dy, &parameters.weights[..Self::KERNEL_LEN], dx, scratch);
        }
        let (dkernel, scratch) = scratch.split_at_mut(Self::KERNEL_LEN);
        let (dbias, scratch) = scratch.split_at_mut(Self::BIAS_LEN);
        cx.backend.conv2d_kernel_gradient(g, cx.batch, x, dy, dkernel, BIAS.then_some(&mut *dbias), scratch);
        let (kernel, bias) = parameters.split_at(Self::KERNEL_LEN);
        optimizer.update(cx.backend, kernel, dkernel);
        optimizer.update(cx.backend, bias, dbias);
    }

    #[inline(always)]
    fn forward_s8(
        backend: Backend,
        tensors: &LayerS8<'_>,
        pool: Option<&'static Geometry>,
        x: &[i8],
        y: &mut [i8],
        scratch: &mut [i32],
    ) {
        // Both are constants, so that no code is left of this on a device.
        let fits = pool.is_none_or(|pool| Self::GEOMETRY.is_pooled_by(pool));
        assert!(fits, "the pooling is not one of the convolution's output");
        tensors.conv(backend, &Self::GEOMETRY, pool, x, y, scratch);
    }
}
