use thumbnet::sequential;

sequential! {
    pub struct Net: [28, 28, 1] {
        conv1: Conv2D { filters: 8, kernel_size: 3 },
        dense1: Dense { units: 10, activation: Softmax },
    }
}

fn main() {}
