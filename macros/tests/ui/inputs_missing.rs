use thumbnet::sequential;

sequential! {
    pub struct Net: [8, 8, 3] {
        conv: Conv2D { filters: 3, kernel_size: 3, padding: Same },
        sum: Add { activation: Relu },
    }
}

fn main() {}
