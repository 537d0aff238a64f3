//! The layers, one const-generic type a file: every dimension is a parameter of the type, so that its sizes are constants.
//!
//! [`sequential!`](crate::sequential!) writes these types for a whole network; they can be used by hand as well, on
//! arrays: see [`Conv2D`] and [`Dense`].

mod activation;
mod add;
mod average_pooling2d;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod dropout;
mod flatten;
mod global_average_pooling2d;
mod max_pooling2d;

pub use activation::{ActivationKind, Linear, PaddingKind, Relu, Relu6, Same, Sigmoid, Softmax, Tanh, Valid};
pub use add::Add;
pub use average_pooling2d::AveragePooling2D;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2D;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use global_average_pooling2d::GlobalAveragePooling2D;
pub use max_pooling2d::MaxPooling2D;

pub use crate::forward::Context;

use crate::forward::{activate, linear};
use crate::geometry::Shape;
use crate::graph::{AllOps, Node, Op};
use crate::train::{self, Gradient, Optimizer, Trainable, before_activation};

/// One layer that reads one tensor: a function from a batch of inputs to a batch of outputs, and its gradients.
///
/// `x` holds `batch x INPUT.len()` values and `y` `batch x OUTPUT.len()`, samples outermost, NHWC within. `weights` holds the kernel,
/// then the bias. `scratch` holds at least as many values as the layer's `scratch_len` says.
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

    /// Turns `dy`, the gradient of a loss for `y`, in place into that for the values before the activation, from it computes `dx`, if it
    /// is wanted, and then updates the parameters.
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

/// [`Layer::forward`] of a layer that is data. Of a sum, `y` holds the first term.
///
/// # Panics
///
/// If a length is wrong.
pub fn forward(cx: &Context, node: &Node<'_>, weights: &[f32], x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
    linear::<AllOps>(cx, node, weights, None, x, y, scratch);
    activate::<AllOps>(cx, node, y);
}

/// [`Layer::backward`] of a layer that is data.
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
    train::backward::<AllOps, O>(cx, node, optimizer, parameters, Gradient { x, y, dy, dx }, scratch);
}

/// The node of a layer that stands alone.
fn node<L: Layer + ?Sized>(layer: &L) -> Node<'static> {
    Node { name: "", op: layer.op(), inputs: [0; 2], output: L::OUTPUT, weights: 0 }
}
