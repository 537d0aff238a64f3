//! Activations and paddings as types, for the layers' type parameters, and the passes that a kernel does not fuse.

use super::Activation;
use crate::arch::Backend;
use crate::geometry::Padding;

/// An [`Activation`] as a type.
pub trait ActivationKind {
    /// The activation.
    const ACTIVATION: Activation;
}

/// A [`Padding`] as a type.
pub trait PaddingKind {
    /// The padding.
    const PADDING: Padding;
}

macro_rules! kinds {
    ($trait:ident, $constant:ident: $type:ident { $($name:ident),* }) => {$(
        #[doc = concat!("[`", stringify!($type), "::", stringify!($name), "`] as a type.")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl $trait for $name {
            const $constant: $type = $type::$name;
        }
    )*};
}

kinds!(ActivationKind, ACTIVATION: Activation { Linear, Relu, Relu6, Sigmoid, Tanh, Softmax });
kinds!(PaddingKind, PADDING: Padding { Same, Valid });

/// Applies, in place, an activation that kernels do not fuse. Softmax runs over rows of `channels` values.
pub(super) fn activate(backend: Backend, activation: Activation, channels: usize, y: &mut [f32]) {
    match activation {
        Activation::Linear | Activation::Relu | Activation::Relu6 => {}
        Activation::Sigmoid => backend.sigmoid(y),
        Activation::Tanh => backend.tanh(y),
        Activation::Softmax => backend.softmax(channels, y),
    }
}

/// Multiplies `dy` in place by the activation's derivative, taken from the outputs `y`.
pub(super) fn activate_gradient(backend: Backend, activation: Activation, channels: usize, y: &[f32], dy: &mut [f32]) {
    match activation {
        Activation::Linear => {}
        Activation::Relu => backend.relu_gradient(y, dy),
        Activation::Relu6 => backend.relu6_gradient(y, dy),
        Activation::Sigmoid => backend.sigmoid_gradient(y, dy),
        Activation::Tanh => backend.tanh_gradient(y, dy),
        Activation::Softmax => softmax_gradient(channels, y, dy),
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
