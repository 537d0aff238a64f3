use thumbnet::sequential;

sequential! {
    pub struct Net: [1, 28, 28, 1] {
        flatten: Flatten,
    }
}

fn main() {}
