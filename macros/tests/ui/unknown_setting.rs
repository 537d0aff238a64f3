use thumbnet::sequential;

sequential! {
    pub struct Net: [28, 28, 1] {
        conv1: Conv2D { filters: 8, kernel: 3 },
    }
}

fn main() {}
