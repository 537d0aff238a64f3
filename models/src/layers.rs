//! Networks that are no use but to measure layers: every shape that a kernel has to be fast on is in one of them.

use thumbnet::sequential;

sequential! {
    /// Convolutions that a pooling of 2 x 2 follows.
    pub struct Pooled: [32, 32, 3] {
        c1: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Relu },
        p1: MaxPooling2D { pool_size: 2 },
        c2: Conv2D { filters: 32, kernel_size: 3, padding: Same, activation: Relu },
        p2: MaxPooling2D { pool_size: 2 },
        c3: Conv2D { filters: 64, kernel_size: 3, padding: Same, activation: Relu },
        p3: MaxPooling2D { pool_size: 2 },
        f: Flatten,
        d: Dense { units: 10, activation: Softmax },
    }
}

sequential! {
    /// Convolutions of stride 2, one of single positions among them.
    pub struct Strided: [32, 32, 3] {
        c1: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Relu },
        c2: Conv2D { filters: 32, kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        c3: Conv2D { filters: 64, kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        c4: Conv2D { filters: 64, kernel_size: 1, strides: 2, activation: Relu },
        f: Flatten,
        d: Dense { units: 10, activation: Softmax },
    }
}

sequential! {
    /// Convolutions of single positions, to many channels and to few.
    pub struct Pointwise: [24, 24, 32] {
        c1: Conv2D { filters: 64, kernel_size: 1, activation: Relu },
        c2: Conv2D { filters: 16, kernel_size: 1, activation: Relu },
        c3: Conv2D { filters: 8, kernel_size: 1 },
        c4: Conv2D { filters: 3, kernel_size: 1 },
        c5: Conv2D { filters: 1, kernel_size: 3, padding: Same },
    }
}

sequential! {
    /// Convolutions that no pooling follows, over several rows and over one position in a row.
    pub struct Unpooled: [32, 32, 16] {
        c1: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Relu },
        c2: Conv2D { filters: 8, kernel_size: (5, 5), strides: (3, 6), activation: Relu },
        c3: Conv2D { filters: 32, kernel_size: (1, 5), activation: Relu },
        c4: Conv2D { filters: 32, kernel_size: (3, 1), padding: Same, activation: Relu },
    }
}

sequential! {
    /// Windows of three accelerations: convolutions along a single row, pooled two by two.
    pub struct Sequence: [1, 128, 3] {
        c1: Conv2D { filters: 32, kernel_size: (1, 8), padding: Same, activation: Relu },
        p1: MaxPooling2D { pool_size: (1, 2) },
        c2: Conv2D { filters: 64, kernel_size: (1, 8), padding: Same, activation: Relu },
        p2: MaxPooling2D { pool_size: (1, 2) },
        c3: Conv2D { filters: 32, kernel_size: (1, 3), padding: Same, activation: Relu },
        f: Flatten,
        d1: Dense { units: 64, activation: Relu },
        d2: Dense { units: 6, activation: Softmax },
    }
}

sequential! {
    /// A spectrum: one channel, a large kernel, a width of five, a pooling of five by five.
    pub struct Spectrum: [49, 10, 1] {
        c1: Conv2D { filters: 64, kernel_size: (10, 4), strides: 2, padding: Same, activation: Relu },
        c2: Conv2D { filters: 64, kernel_size: 1, activation: Relu },
        c3: Conv2D { filters: 32, kernel_size: 3, padding: Same, activation: Relu },
        p: MaxPooling2D { pool_size: (5, 5) },
        f: Flatten,
        d: Dense { units: 12, activation: Softmax },
    }
}

sequential! {
    /// A picture in colour: strides of 2, poolings that overlap and of three by three.
    pub struct Camera: [96, 96, 3] {
        c1: Conv2D { filters: 8, kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        c2: Conv2D { filters: 16, kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        p2: MaxPooling2D { pool_size: 3, strides: 2, padding: Same },
        c3: Conv2D { filters: 24, kernel_size: 3, padding: Same, activation: Relu },
        p3: MaxPooling2D { pool_size: 3 },
        f: Flatten,
        d: Dense { units: 2, activation: Softmax },
    }
}

sequential! {
    /// Depthwise convolutions: of both strides, along rows and columns, with few channels and with two filters each.
    pub struct Depthwise: [48, 48, 16] {
        same: DepthwiseConv2D { kernel_size: 3, padding: Same, activation: Relu },
        half: DepthwiseConv2D { kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        row: DepthwiseConv2D { kernel_size: (1, 7), padding: Same, activation: Relu },
        column: DepthwiseConv2D { kernel_size: (7, 1), padding: Same, activation: Relu },
        large: DepthwiseConv2D { kernel_size: 5, activation: Relu },
        two: DepthwiseConv2D { kernel_size: 3, depth_multiplier: 2, activation: Relu },
        narrow: Conv2D { filters: 6, kernel_size: 1 },
        six: DepthwiseConv2D { kernel_size: 3, padding: Same, activation: Relu },
    }
}

sequential! {
    /// Poolings by themselves.
    pub struct Pooling: [32, 32, 16] {
        max: MaxPooling2D { pool_size: 2 },
        overlapping: MaxPooling2D { pool_size: 3, strides: 1, padding: Same },
        average: AveragePooling2D { pool_size: 2 },
        same: AveragePooling2D { pool_size: 3, strides: 1, padding: Same },
        mean: GlobalAveragePooling2D,
    }
}

sequential! {
    /// Sums, products and concatenations, activations by table, a large last layer.
    pub struct Merging: [16, 16, 32] {
        sigmoid: Conv2D { filters: 16, kernel_size: 1, activation: Sigmoid },
        linear: Conv2D(input) { filters: 16, kernel_size: 1 },
        sum: Add(sigmoid, linear) { activation: Relu },
        product: Multiply(sum, linear),
        both: Concatenate(product, sigmoid),
        mean: GlobalAveragePooling2D,
        d: Dense { units: 640 },
    }
}
