//! The network, for the PC that trains it and the board that runs it.
#![no_std]

thumbnet::sequential! {
    /// Tells circles, squares and triangles in pictures of 24 x 24 pixels, red, green and blue.
    pub struct Shapes: [24, 24, 3] {
        conv1: Conv2D { filters: 8, kernel_size: 3, activation: Relu },
        pool1: MaxPooling2D,
        conv2: Conv2D { filters: 16, kernel_size: 3, activation: Relu },
        pool2: MaxPooling2D,
        flatten: Flatten,
        scores: Dense { units: 3, activation: Softmax },
    }
}
