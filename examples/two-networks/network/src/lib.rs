//! The networks, for the PC that trains them and the board that runs them.
#![no_std]

thumbnet::sequential! {
    /// Tells whether a light sensor sees a fruit or the empty belt: red, green and blue.
    pub struct Belt: [3] {
        hidden: Dense { units: 4, activation: Relu },
        scores: Dense { units: 2, activation: Softmax },
    }
}

thumbnet::sequential! {
    /// Tells fruits by their colour.
    pub struct Fruits: [3] {
        hidden: Dense { units: 8, activation: Relu },
        scores: Dense { units: 3, activation: Softmax },
    }
}
