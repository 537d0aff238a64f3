use thumbnet::sequential;

sequential! {
    pub struct Net: [2, 2, 1] {
        flatten: Flatten,
    }
}

fn main() {}
