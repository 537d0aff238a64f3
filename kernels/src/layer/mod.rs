//! The layers: one const-generic struct a file, with its forward and backward pass and its quantised forward pass.
//!
//! Every dimension is a parameter of the type, so a layer has no fields to get wrong (but for Dropout's rate) and its sizes are
//! constants. [`crate::sequential!`] writes these types for a whole network; they can be used by hand as well.

mod activation;
mod conv2d;
mod dense;
mod dropout;
mod flatten;
mod info;
mod max_pooling2d;

pub use activation::{ActivationKind, Linear, PaddingKind, Relu, Relu6, Same, Sigmoid, Softmax, Tanh, Valid};
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use info::{Activation, LayerInfo, LayerKind};
pub use max_pooling2d::MaxPooling2D;

use crate::arch::Backend;
use crate::geometry::{Geometry, Shape};
use crate::quant::{LayerS8, Packing};
use crate::train::{Optimizer, Trainable};

/// How a batch is computed.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The kernels that run.
    pub backend: Backend,
    /// Samples in the batch.
    pub batch: usize,
    /// The seed of this step's dropout masks while training; `None` in inference, where dropout does nothing.
    pub dropout_seed: Option<u64>,
}

/// One layer: a function from a batch of inputs to a batch of outputs, and its gradients.
///
/// `x` holds `batch x INPUT.len()` values and `y` `batch x OUTPUT.len()`, samples outermost, NHWC within.
/// `weights` holds the kernel, then the bias. `scratch` holds at least [`scratch_len`](crate::sequential::scratch_len) values;
/// in a forward pass [`inference_scratch_len`](crate::sequential::inference_scratch_len) do.
pub trait Layer {
    /// Shape of one input sample.
    const INPUT: Shape;
    /// Shape of one output sample.
    const OUTPUT: Shape;
    /// Values in the kernel.
    const KERNEL_LEN: usize = 0;
    /// Values in the bias.
    const BIAS_LEN: usize = 0;
    /// The activation.
    const ACTIVATION: Activation = Activation::Linear;
    /// The only order of int8 weights that the layer's kernels read on this target, or `None` if they read every one.
    const PACKING_S8: Option<Packing> = None;

    /// Whether the outputs are the inputs, so that nothing has to be computed or stored.
    fn is_identity(&self, _cx: &Context) -> bool {
        false
    }

    /// Computes `y` up to an activation that only clamps: sigmoid, tanh and softmax are left to [`activate`]. With `pool`, which
    /// only convolutions get, `y` is what this max pooling makes of it.
    ///
    /// [`activate`]: Layer::activate
    fn forward_linear(
        &self,
        cx: &Context,
        weights: &[f32],
        pool: Option<&Geometry>,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut [f32],
    );

    /// Applies in place what [`forward_linear`] left out.
    ///
    /// [`forward_linear`]: Layer::forward_linear
    fn activate(&self, cx: &Context, y: &mut [f32]) {
        activation::activate(cx.backend, Self::ACTIVATION, Self::OUTPUT.channels, y);
    }

    /// Computes `y`, the layer's outputs.
    fn forward(&self, cx: &Context, weights: &[f32], x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
        self.forward_linear(cx, weights, None, x, y, scratch);
        self.activate(cx, y);
    }

    /// Turns the gradient of the loss for `y` into that for `x`, then updates the parameters.
    ///
    /// `dy` is overwritten on the way; `dx` is not wanted (`None`) for the first layer of a network. With
    /// `gradient.of_logits`, `dy` is the gradient for the values before the activation.
    fn backward<O: Optimizer>(
        &self,
        cx: &Context,
        optimizer: &O,
        parameters: Trainable<'_>,
        gradient: Gradient<'_>,
        scratch: &mut [f32],
    );

    /// Computes the int8 outputs of one sample, with `pool` applied in the same pass if there is one.
    #[inline(always)]
    fn forward_s8(
        _backend: Backend,
        _tensors: &LayerS8<'_>,
        _pool: Option<&'static Geometry>,
        _x: &[i8],
        _y: &mut [i8],
        _scratch: &mut [i32],
    ) {
    }
}

/// What a backward pass reads and writes besides the parameters.
#[derive(Debug)]
pub struct Gradient<'a> {
    /// The layer's inputs in the forward pass.
    pub x: &'a [f32],
    /// The layer's outputs in the forward pass.
    pub y: &'a [f32],
    /// Gradient of the loss for `y`.
    pub dy: &'a mut [f32],
    /// Where the gradient of the loss for `x` goes.
    pub dx: Option<&'a mut [f32]>,
    /// Whether `dy` already is the gradient for the values before the activation.
    pub of_logits: bool,
}
