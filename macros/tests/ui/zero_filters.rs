use thumbnet::sequential;

sequential! {
    pub struct Net: [28, 28, 1] {
        conv1: Conv2D { filters: 0, kernel_size: 3 },
    }
}

fn main() {}
