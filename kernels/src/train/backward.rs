//! The backward pass of one node.

use super::{Optimizer, Trainable};
use crate::arch::Backend;
use crate::forward::{Context, concatenated, unpadded};
use crate::graph::{Activation, Node, Op, Uses};

/// What the backward pass of a node with one input reads and writes besides its parameters.
#[derive(Debug)]
pub(crate) struct Gradient<'a> {
    /// The node's inputs in the forward pass.
    pub(crate) x: &'a [f32],
    /// Its outputs in the forward pass.
    pub(crate) y: &'a [f32],
    /// The means and variances of the batch, of a batch normalisation.
    pub(crate) moments: &'a [f32],
    /// Gradient of the loss for the values before the activation.
    pub(crate) dy: &'a [f32],
    /// Where the gradient of the loss for `x` goes, if it is wanted.
    pub(crate) dx: Option<&'a mut [f32]>,
}

/// Turns the gradient of the loss for the outputs `y`, in place, into that for the values before the activation.
pub(crate) fn before_activation<U: Uses>(backend: Backend, node: &Node<'_>, y: &[f32], dy: &mut [f32]) {
    match node.op.activation() {
        Activation::Linear => {}
        Activation::Relu => backend.relu_gradient(y, dy),
        Activation::Relu6 => {
            if const { U::BITS & Activation::Relu6.bit() != 0 } {
                backend.relu6_gradient(y, dy);
            }
        }
        Activation::LeakyRelu { negative_slope } => {
            if const { U::BITS & Activation::LeakyRelu { negative_slope: 0.0 }.bit() != 0 } {
                backend.leaky_relu_gradient(negative_slope, y, dy);
            }
        }
        Activation::Sigmoid => {
            if const { U::BITS & Activation::Sigmoid.bit() != 0 } {
                backend.sigmoid_gradient(y, dy);
            }
        }
        Activation::Tanh => {
            if const { U::BITS & Activation::Tanh.bit() != 0 } {
                backend.tanh_gradient(y, dy);
            }
        }
        Activation::Softmax => {
            if const { U::BITS & Activation::Softmax.bit() != 0 } {
                softmax_gradient(node.output.channels, y, dy);
            }
        }
    }
}

/// `dx_i = y_i (dy_i - sum_j dy_j y_j)` for each row of `channels` values: softmax's Jacobian times `dy`. Rare (a
/// cross-entropy loss is fused with softmax), so there is no vector kernel.
fn softmax_gradient(channels: usize, y: &[f32], dy: &mut [f32]) {
    for (y, dy) in y.chunks_exact(channels).zip(dy.chunks_exact_mut(channels)) {
        let dot: f32 = y.iter().zip(dy.iter()).map(|(y, dy)| y * dy).sum();
        for (y, dy) in y.iter().zip(dy.iter_mut()) {
            *dy = y * (*dy - dot);
        }
    }
}

/// Computes the gradient for input `read` of a node with two inputs, and adds it to `dx`; the `other` is the other
/// input.
pub(crate) fn merged<U: Uses>(cx: &Context, node: &Node<'_>, read: usize, other: &[f32], dy: &[f32], dx: &mut [f32]) {
    match &node.op {
        Op::Multiply { .. } => {
            if const { U::BITS & Op::MULTIPLY != 0 } {
                cx.backend.multiply_gradient(cx.batch, dy, other, dx);
            }
        }
        Op::Concatenate => {
            if const { U::BITS & Op::CONCATENATE != 0 } {
                let columns = concatenated(cx.batch, node, read, dx.len());
                cx.backend.concatenate_gradient(columns.len(), dy, [columns.start, node.output.channels], dx);
            }
        }
        // Each term's gradient is the sum's.
        Op::Add { .. } => cx.backend.add(dy, dx),
        Op::Input
        | Op::Conv2D { .. }
        | Op::DepthwiseConv2D { .. }
        | Op::Dense { .. }
        | Op::MaxPooling2D { .. }
        | Op::GlobalMaxPooling2D { .. }
        | Op::AveragePooling2D { .. }
        | Op::GlobalAveragePooling2D { .. }
        | Op::Flatten
        | Op::Reshape
        | Op::Dropout { .. }
        | Op::BatchNormalization { .. }
        | Op::Activation { .. }
        | Op::ZeroPadding2D { .. } => {}
    }
}

/// Computes the gradient for the inputs, then updates the parameters. `scratch` has at least
/// [`node_scratch_len`](crate::plan::node_scratch_len) values.
pub(crate) fn backward<U: Uses, O: Optimizer>(
    cx: &Context,
    node: &Node<'_>,
    optimizer: &O,
    parameters: Trainable<'_>,
    gradient: Gradient<'_>,
    scratch: &mut [f32],
) {
    let Gradient { x, y, moments, dy, dx } = gradient;
    let (backend, batch) = (cx.backend, cx.batch);
    match &node.op {
        Op::Conv2D { geometry, use_bias, .. } => {
            if const { U::BITS & Op::CONV2D != 0 } {
                let kernel = &parameters.weights[..node.kernel_len()];
                if let Some(dx) = dx {
                    backend.conv2d_input_gradient(geometry, batch, dy, kernel, dx, scratch);
                }
                let (dkernel, scratch) = scratch.split_at_mut(node.kernel_len());
                let (dbias, scratch) = scratch.split_at_mut(node.bias_len());
                let wanted = use_bias.then_some(&mut *dbias);
                backend.conv2d_kernel_gradient(geometry, batch, x, dy, dkernel, wanted, scratch);
                let (kernel, bias) = parameters.split_at(node.kernel_len());
                optimizer.update(backend, kernel, dkernel);
                optimizer.update(backend, bias, dbias);
            }
        }
        Op::DepthwiseConv2D { geometry, use_bias, .. } => {
            if const { U::BITS & Op::DEPTHWISE_CONV2D != 0 } {
                if let Some(dx) = dx {
                    let kernel = &parameters.weights[..node.kernel_len()];
                    backend.depthwise_conv2d_input_gradient(geometry, batch, dy, kernel, dx);
                }
                let (dkernel, scratch) = scratch.split_at_mut(node.kernel_len());
                let dbias = &mut scratch[..node.bias_len()];
                backend.depthwise_conv2d_kernel_gradient(
                    geometry,
                    batch,
                    x,
                    dy,
                    dkernel,
                    use_bias.then_some(&mut *dbias),
                );
                let (kernel, bias) = parameters.split_at(node.kernel_len());
                optimizer.update(backend, kernel, dkernel);
                optimizer.update(backend, bias, dbias);
            }
        }
        Op::Dense { inputs, use_bias, .. } => {
            if const { U::BITS & Op::DENSE != 0 } {
                let units = node.output.channels;
                if let Some(dx) = dx {
                    let kernel = &parameters.weights[..node.kernel_len()];
                    backend.dense_input_gradient(*inputs, units, batch, dy, kernel, dx, scratch);
                }
                let (kernel, bias) = parameters.split_at(node.kernel_len());
                let (dbias, scratch) = scratch.split_at_mut(node.bias_len());
                if *use_bias {
                    backend.bias_gradient(units, batch, dy, dbias);
                    optimizer.update(backend, bias, dbias);
                }
                let update = |_, block: Trainable<'_>, gradient: &[f32]| optimizer.update(backend, block, gradient);
                backend.dense_kernel_gradient(*inputs, units, batch, x, dy, kernel, &update, scratch);
            }
        }
        Op::BatchNormalization { epsilon, .. } => {
            if const { U::BITS & Op::BATCH_NORMALIZATION != 0 } {
                let (gamma_and_beta, _) = parameters.split_at(node.statistics_len());
                let (gradients, scratch) = scratch.split_at_mut(node.statistics_len());
                let (shape, gamma) = (node.output, &gamma_and_beta.weights[..node.output.channels]);
                backend.batch_normalization_gradient(
                    shape,
                    batch,
                    [x, dy],
                    gamma,
                    *epsilon,
                    moments,
                    gradients,
                    dx,
                    scratch,
                );
                optimizer.update(backend, gamma_and_beta, gradients);
            }
        }
        Op::ZeroPadding2D { padding } => {
            if const { U::BITS & Op::ZERO_PADDING2D != 0 }
                && let Some(dx) = dx
            {
                backend.zero_padding_gradient(unpadded(node.output, *padding), *padding, batch, dy, dx);
            }
        }
        Op::MaxPooling2D { geometry } | Op::GlobalMaxPooling2D { geometry } => {
            if const { U::BITS & Op::MAX_POOLING2D != 0 }
                && let Some(dx) = dx
            {
                backend.max_pool_gradient(geometry, batch, x, y, dy, dx);
            }
        }
        Op::AveragePooling2D { geometry } | Op::GlobalAveragePooling2D { geometry } => {
            if const { U::BITS & (Op::AVERAGE_POOLING2D | Op::GLOBAL_AVERAGE_POOLING2D) != 0 }
                && let Some(dx) = dx
            {
                backend.average_pool_gradient(geometry, batch, dy, dx);
            }
        }
        Op::Dropout { rate } => {
            if let (Some(dx), Some(seed)) = (dx, cx.dropout_seed) {
                dx.copy_from_slice(dy);
                backend.dropout(seed, *rate, dx);
            }
        }
        // What comes before an activation is its input, and each term's gradient is the sum's.
        Op::Activation { .. } | Op::Add { .. } | Op::Input | Op::Flatten | Op::Reshape => {
            if let Some(dx) = dx {
                dx.copy_from_slice(dy);
            }
        }
        // Both have two inputs; see `merged`.
        Op::Multiply { .. } | Op::Concatenate => {}
    }
}
