//! The network, for the PC that trains it and the board that runs it.
#![no_std]

thumbnet::sequential! {
    /// Tells fruits by the colour that a light sensor sees: red, green and blue.
    pub struct Fruits: [3] {
        hidden: Dense { units: 8, activation: Relu },
        scores: Dense { units: 3, activation: Softmax },
    }
}
