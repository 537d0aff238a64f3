use thumbnet::sequential;

sequential! {
    pub struct Net: [28, 28] {
        flatten: Flatten,
    }
}

fn main() {}
