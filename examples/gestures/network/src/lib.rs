//! The network, for the PC that trains it and the board that runs it.
#![no_std]

thumbnet::sequential! {
    /// Tells what a hand does from 64 accelerations along x, y and z, 50 of them in a second.
    pub struct Gestures: [64, 3] {
        conv1: Conv1D { filters: 8, kernel_size: 5, strides: 2, activation: Relu },
        conv2: Conv1D { filters: 16, kernel_size: 5, strides: 2, activation: Relu },
        pool: GlobalAveragePooling1D,
        scores: Dense { units: 4, activation: Softmax },
    }
}
