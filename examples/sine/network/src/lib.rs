//! The network, for the PC that trains it and the board that runs it.
#![no_std]

thumbnet::sequential! {
    /// The sine of an angle, in half turns from -1 to 1.
    pub struct Sine: [1] {
        first: Dense { units: 16, activation: Relu },
        second: Dense { units: 16, activation: Relu },
        sine: Dense { units: 1 },
    }
}
