use thumbnet::sequential;

sequential! {
    pub struct Net: [8, 8, 3] {
        sum: Add(input, conv),
        conv: Conv2D { filters: 3, kernel_size: 3, padding: Same },
    }
}

fn main() {}
