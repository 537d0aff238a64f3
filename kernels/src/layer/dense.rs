//! Fully connected layer.

use core::marker::PhantomData;

use super::activation::activate_gradient;
use super::{Activation, ActivationKind, Context, Gradient, Layer, LayerInfo, LayerKind, Linear};
use crate::arch::Backend;
use crate::geometry::{Geometry, Shape};
use crate::quant::{LayerS8, Packing};
use crate::train::{Optimizer, Trainable};

/// `y[u] = act(bias[u] + sum over i of x[i] * kernel[i, u])`: Keras's `Dense`, from a vector of `INPUTS` to one of `UNITS` values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dense<const INPUTS: usize, const UNITS: usize, A = Linear, const BIAS: bool = true>(PhantomData<A>);

impl<const INPUTS: usize, const UNITS: usize, A: ActivationKind, const BIAS: bool> Dense<INPUTS, UNITS, A, BIAS> {
    /// The layer.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The layer's description, under the given name.
    pub const fn info(&self, name: &'static str) -> LayerInfo<'static> {
        LayerInfo {
            name,
            kind: LayerKind::Dense { use_bias: BIAS, activation: A::ACTIVATION },
            input: Shape::vector(INPUTS),
            output: Shape::vector(UNITS),
        }
    }
}

impl<const INPUTS: usize, const UNITS: usize, A: ActivationKind, const BIAS: bool> Layer
    for Dense<INPUTS, UNITS, A, BIAS>
{
    const INPUT: Shape = Shape::vector(INPUTS);
    const OUTPUT: Shape = Shape::vector(UNITS);
    const KERNEL_LEN: usize = INPUTS * UNITS;
    const BIAS_LEN: usize = if BIAS { UNITS } else { 0 };
    const ACTIVATION: Activation = A::ACTIVATION;
    const PACKING_S8: Option<Packing> = Backend::DENSE_S8_PACKING;

    fn forward_linear(
        &self,
        cx: &Context,
        weights: &[f32],
        _pool: Option<&Geometry>,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (kernel, bias) = weights.split_at(Self::KERNEL_LEN);
        let relu = matches!(A::ACTIVATION, Activation::Relu);
        cx.backend.dense(INPUTS, UNITS, cx.batch, x, kernel, BIAS.then_some(bias), relu, y, scratch);
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
            activate_gradient(cx.backend, A::ACTIVATION, UNITS, y, dy);
        }
        if let Some(dx) = dx {
            let kernel = &parameters.weights[..Self::KERNEL_LEN];
            cx.backend.dense_input_gradient(INPUTS, UNITS, cx.batch, dy, kernel, dx, scratch);
        }
        let (kernel, bias) = parameters.split_at(Self::KERNEL_LEN);
        let (dbias, scratch) = scratch.split_at_mut(Self::BIAS_LEN);
        if BIAS {
            cx.backend.bias_gradient(UNITS, cx.batch, dy, dbias);
            optimizer.update(cx.backend, bias, dbias);
        }
        let update = |_, block: Trainable<'_>, gradient: &[f32]| optimizer.update(cx.backend, block, gradient);
        cx.backend.dense_kernel_gradient(INPUTS, UNITS, cx.batch, x, dy, kernel, &update, scratch);
    }

    #[inline(always)]
    fn forward_s8(
        backend: Backend,
        tensors: &LayerS8<'_>,
        _pool: Option<&'static Geometry>,
        x: &[i8],
        y: &mut [i8],
        scratch: &mut [i32],
    ) {
        tensors.dense(backend, INPUTS, UNITS, x, y, scratch);
    }
}
