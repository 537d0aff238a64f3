use thumbnet::sequential;

sequential! {
    pub struct Net: [1, 1, 9] {
        dense1: Dense { activation: Relu },
    }
}

fn main() {}
