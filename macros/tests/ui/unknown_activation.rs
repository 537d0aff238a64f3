use thumbnet::sequential;

sequential! {
    pub struct Net: [1, 1, 9] {
        dense1: Dense { units: 3, activation: Gelu },
    }
}

fn main() {}
