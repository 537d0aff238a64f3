use thumbnet::sequential;

sequential! {
    pub struct Net: [8, 8, 3] {
        input: Conv2D { filters: 3, kernel_size: 3 },
    }
}

fn main() {}
