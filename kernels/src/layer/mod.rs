//! The layers, one const-generic type a file: every dimension is a parameter of the type, so that its sizes are
//! constants.
//!
//! [`sequential!`](crate::sequential!) writes these types for a whole network; they can be used by hand as well, on
//! arrays: see [`Conv2D`] and [`Dense`].

mod activation;
mod add;
mod average_pooling2d;
mod batch_normalization;
mod concatenate;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod dropout;
mod flatten;
mod global_pooling2d;
mod kinds;
mod leaky_relu;
mod max_pooling2d;
mod multiply;
mod reshape;
mod zero_padding2d;

pub use activation::Activation;
pub use add::Add;
pub use average_pooling2d::AveragePooling2D;
pub use batch_normalization::BatchNormalization;
pub use concatenate::Concatenate;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2D;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use global_pooling2d::{GlobalAveragePooling2D, GlobalMaxPooling2D};
pub use kinds::{ActivationKind, LeakyRelu, Linear, PaddingKind, Relu, Relu6, Same, Sigmoid, Softmax, Tanh, Valid};
pub use leaky_relu::LeakyReLU;
pub use max_pooling2d::MaxPooling2D;
pub use multiply::Multiply;
pub use reshape::Reshape;
pub use zero_padding2d::ZeroPadding2D;

pub use crate::forward::Context;

use crate::forward::{activate, linear};
use crate::geometry::Shape;
use crate::graph::{AllOps, Node, Op};
use crate::train::{self, Gradient, Optimizer, Trainable, before_activation};

/// One layer that reads one tensor: a function from a batch of inputs to a batch of outputs, and its gradients.
///
/// `x` holds `batch x INPUT.len()` values and `y` `batch x OUTPUT.len()`, samples outermost, NHWC within. `weights`
/// holds the kernel, then the bias. `scratch` holds at least as many values as the layer's `scratch_len` says.
pub trait Layer {
    /// Shape of one input sample.
    const INPUT: Shape;
    /// Shape of one output sample.
    const OUTPUT: Shape;

    /// The layer as data.
    fn op(&self) -> Op;

    /// Computes `y`, the layer's outputs.
    ///
    /// # Panics
    ///
    /// If a length is wrong.
    fn forward(&self, cx: &Context, weights: &[f32], x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
        forward(cx, &node(self), weights, x, y, scratch);
    }

    /// Turns `dy`, the gradient of a loss for `y`, in place into that for the values before the activation, from it
    /// computes `dx`, if it is wanted, and then updates the parameters.
    ///
    /// # Panics
    ///
    /// If a length is wrong.
    #[expect(clippy::too_many_arguments, reason = "a gradient is of all of these")]
    fn backward<O: Optimizer>(
        &self,
        cx: &Context,
        optimizer: &O,
        parameters: Trainable<'_>,
        [x, y]: [&[f32]; 2],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) {
        backward(cx, &node(self), optimizer, parameters, [x, y], dy, dx, scratch);
    }
}

/// [`Layer::forward`] of a layer that is data. Of a sum or a product, `y` holds the first input, and `x` is the second;
/// of a concatenation, `x` is the first, and `y` gets its channels.
///
/// While training, a batch normalisation leaves the batch's means and variances at the beginning of `scratch`, and the
/// moving averages to whoever calls.
///
/// # Panics
///
/// If a length is wrong.
pub fn forward(cx: &Context, node: &Node<'_>, weights: &[f32], x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
    if let Op::Activation { .. } = node.op {
        y.copy_from_slice(x);
    }
    let read = usize::from(node.op.begins_as_its_first_input());
    linear::<AllOps>(cx, node, read, weights, None, x, y, scratch);
    activate::<AllOps>(cx, node, y);
}

/// [`Layer::backward`] of a layer that is data, with one input or a sum.
///
/// # Panics
///
/// If a length is wrong.
#[expect(clippy::too_many_arguments, reason = "a gradient is of all of these")]
pub fn backward<O: Optimizer>(
    cx: &Context,
    node: &Node<'_>,
    optimizer: &O,
    parameters: Trainable<'_>,
    [x, y]: [&[f32]; 2],
    dy: &mut [f32],
    dx: Option<&mut [f32]>,
    scratch: &mut [f32],
) {
    before_activation::<AllOps>(cx.backend, node, y, dy);
    let (moments, scratch) = scratch.split_at_mut(node.statistics_len());
    if !moments.is_empty() {
        cx.backend.moments(node.output, cx.batch, x, moments, scratch);
    }
    let gradient = Gradient { x, y, moments, dy, dx };
    train::backward::<AllOps, O>(cx, node, optimizer, parameters, gradient, scratch);
}

/// The node of a layer that stands alone.
fn node<L: Layer + ?Sized>(layer: &L) -> Node<'static> {
    Node { name: "", op: layer.op(), inputs: [0; 2], output: L::OUTPUT, weights: 0 }
}
