use thumbnet::sequential;

sequential! {
    pub struct Net: [4, 4, 2] {
        norm: BatchNormalization { epsilon: 0.0 },
    }
}

fn main() {}
