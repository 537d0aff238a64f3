//! The kinds of layers and of activations, for tests that must have all of them.

use thumbnet::graph::{Activation, Op};

/// The kinds of an enumeration, and which of them a value is: the compiler names one that is not in the list.
macro_rules! kinds {
    ($list:ident, $kind:ident: $type:ident { $($name:ident),+ }) => {
        pub(crate) const $list: &[&str] = &[$(stringify!($name)),+];

        pub(crate) fn $kind(value: &$type) -> &'static str {
            match value {
                $($type::$name { .. } => stringify!($name)),+
            }
        }
    };
}

kinds!(OPS, op_kind: Op {
    Input, Conv2D, MaxPooling2D, Flatten, Dense, Dropout, Add, AveragePooling2D, GlobalAveragePooling2D,
    DepthwiseConv2D, BatchNormalization, Activation, ZeroPadding2D, Concatenate, Multiply, Reshape, GlobalMaxPooling2D
});
kinds!(ACTIVATIONS, activation_kind: Activation { Linear, Relu, Relu6, Sigmoid, Tanh, Softmax, LeakyRelu });
