//! Activations and paddings as types, for the layers' type parameters.

use crate::geometry::Padding;
use crate::graph::Activation;

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
/// [`Activation::LeakyRelu`] as a type, with the slope of Keras's `leaky_relu`: 0.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeakyRelu;

impl ActivationKind for LeakyRelu {
    const ACTIVATION: Activation = Activation::LeakyRelu { negative_slope: 0.2 };
}

kinds!(PaddingKind, PADDING: Padding { Same, Valid });
