//! Networks for MNIST's images, and any others of 28 x 28 pixels in ten classes.

use thumbnet::sequential;

sequential! {
    /// The convnet of the Keras MNIST tutorial: 3,529,354 parameters.
    pub struct MnistConvNet: [28, 28, 1] {
        conv1: Conv2D { filters: 32, kernel_size: 5, padding: Same },
        pool1: MaxPooling2D { pool_size: 2, padding: Same },
        conv2: Conv2D { filters: 64, kernel_size: 5, padding: Same },
        pool2: MaxPooling2D { pool_size: 2, padding: Same },
        flatten: Flatten,
        dense1: Dense { units: 1024, activation: Relu },
        dropout1: Dropout { rate: 0.5 },
        dense2: Dense { units: 256, activation: Relu },
        dropout2: Dropout { rate: 0.5 },
        dense3: Dense { units: 10, activation: Softmax },
    }
}

sequential! {
    /// A convnet for chips with 16 KiB of RAM and up: 26,698 parameters.
    pub struct MnistSmall: [28, 28, 1] {
        conv1: Conv2D { filters: 8, kernel_size: 3, padding: Same, activation: Relu },
        pool1: MaxPooling2D { pool_size: 2 },
        conv2: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Relu },
        pool2: MaxPooling2D { pool_size: 2 },
        flatten: Flatten,
        dense1: Dense { units: 32, activation: Relu },
        dense2: Dense { units: 10, activation: Softmax },
    }
}

sequential! {
    /// The smallest: 8,594 parameters, in a blob of 10 KB, and as accurate as the tutorial's 3.5 million.
    pub struct MnistTiny: [28, 28, 1] {
        conv1: Conv2D { filters: 8, kernel_size: 3, padding: Same, use_bias: false },
        norm1: BatchNormalization,
        relu1: Activation { activation: Relu },
        pool1: MaxPooling2D,
        conv2: Conv2D { filters: 16, kernel_size: 3, padding: Same, use_bias: false },
        norm2: BatchNormalization,
        relu2: Activation { activation: Relu },
        conv3: Conv2D { filters: 16, kernel_size: 3, use_bias: false },
        norm3: BatchNormalization,
        relu3: Activation { activation: Relu },
        pool3: MaxPooling2D,
        dropout: Dropout { rate: 0.05 },
        conv4: Conv2D { filters: 16, kernel_size: 3, padding: Same, use_bias: false },
        norm4: BatchNormalization,
        relu4: Activation { activation: Relu },
        conv5: Conv2D { filters: 16, kernel_size: 3, use_bias: false },
        norm5: BatchNormalization,
        relu5: Activation { activation: Relu },
        mean: GlobalAveragePooling2D,
        scores: Dense { units: 10, activation: Softmax },
    }
}

sequential! {
    /// A residual network for MNIST: 22,122 parameters, of which a shortcut with weights where the size halves.
    pub struct MnistResNet: [28, 28, 1] {
        stem: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Relu },
        pool1: MaxPooling2D { pool_size: 2 },
        a1: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Relu },
        a2: Conv2D { filters: 16, kernel_size: 3, padding: Same },
        a: Add(pool1, a2) { activation: Relu },
        b1: Conv2D { filters: 32, kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        b2: Conv2D { filters: 32, kernel_size: 3, padding: Same },
        short: Conv2D(a) { filters: 32, kernel_size: 1, strides: 2, padding: Same },
        b: Add(short, b2) { activation: Relu },
        pool2: MaxPooling2D,
        flatten: Flatten,
        dropout: Dropout { rate: 0.3 },
        scores: Dense { units: 10, activation: Softmax },
    }
}
