use thumbnet::sequential;

sequential! {
    pub struct Net: [1, 1, 9] {
        dense: Dense { units: 3 },
        dense: Dense { units: 2 },
    }
}

fn main() {}
