use thumbnet::sequential;

sequential! {
    pub struct Net: [4, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 3 },
        product: Multiply(input, conv),
    }
}

fn main() {}
