//! A network with branches: sums in place and not, a shortcut with weights, an input that two layers read; and
//! depthwise convolutions and means.

use thumbnet::sequential;

sequential! {
    /// Every core must give the bytes that the build script's scalar kernels gave on the host.
    pub(crate) struct Residual: [8, 8, 3] {
        stem: Conv2D { filters: 3, kernel_size: 3, padding: Same, activation: Relu },
        first: Add(input, stem),
        a1: Conv2D { filters: 6, kernel_size: 3, padding: Same, activation: Relu },
        a2: Conv2D { filters: 3, kernel_size: 3, padding: Same },
        a: Add(first, a2) { activation: Relu },
        b1: Conv2D { filters: 5, kernel_size: 3, strides: 2, padding: Same, activation: Tanh },
        short: Conv2D(a) { filters: 5, kernel_size: 1, strides: 2, padding: Same },
        b: Add(short, b1) { activation: Relu6 },
        deep: DepthwiseConv2D { kernel_size: 3, padding: Same, depth_multiplier: 2, activation: Relu },
        pool: AveragePooling2D { pool_size: 2, strides: 1 },
        mean: GlobalAveragePooling2D,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// Batch normalisation folded and by itself, zeros in a window and by themselves, tensors side by side, products,
    /// activations.
    pub(crate) struct Merged: [7, 6, 3] {
        zeros: ZeroPadding2D { padding: ((1, 0), (2, 1)) },
        conv: Conv2D { filters: 5, kernel_size: 3, strides: 2, use_bias: false },
        norm: BatchNormalization,
        relu: Activation { activation: Relu },
        zeros2: ZeroPadding2D,
        depthwise: DepthwiseConv2D { kernel_size: 3, activation: LeakyRelu },
        beside: Concatenate(relu, depthwise, relu),
        norm2: BatchNormalization,
        squeeze: GlobalAveragePooling2D(beside),
        excite: Dense { units: 15, activation: Sigmoid },
        scaled: Multiply(norm2, excite),
        square: Multiply(scaled, beside) { activation: Relu6 },
        soft: Activation(square) { activation: Softmax },
        leaky: LeakyReLU(square),
        more: Concatenate(soft, leaky),
        deep: Reshape { target_shape: (3, 3, 40) },
        wide: ZeroPadding2D { padding: (0, 1) },
        max: MaxPooling2D { pool_size: 2, strides: 1 },
        top: GlobalMaxPooling2D,
        out: Dense { units: 4, activation: Softmax },
    }
}
