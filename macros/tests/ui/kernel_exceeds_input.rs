use thumbnet::sequential;

sequential! {
    pub struct Net: [28, 28, 1] {
        pool1: MaxPooling2D { pool_size: 9, strides: 9 },
        conv2: Conv2D { filters: 8, kernel_size: 5 },
    }
}

fn main() {}
