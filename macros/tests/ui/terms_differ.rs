use thumbnet::sequential;

sequential! {
    pub struct Net: [8, 8, 3] {
        stem: Conv2D { filters: 4, kernel_size: 3, padding: Same },
        conv: Conv2D { filters: 4, kernel_size: 3, strides: 2, padding: Same },
        sum: Add(stem, conv),
    }
}

fn main() {}
