use thumbnet::sequential;

sequential! {
    pub struct Net: [8, 8, 3] {
        stem: Conv2D { filters: 3, kernel_size: 3, padding: Same },
        conv: Conv2D(stem) { filters: 3, kernel_size: 3, padding: Same },
        other: Conv2D(stem) { filters: 3, kernel_size: 3, padding: Same },
    }
}

fn main() {}
