use thumbnet::sequential;

sequential! {
    pub struct Net: [1, 1, 9] {
        drop1: Dropout { rate: 1.5 },
        dense1: Dense { units: 3 },
    }
}

fn main() {}
