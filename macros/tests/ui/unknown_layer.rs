use thumbnet::sequential;

sequential! {
    pub struct Net: [28, 28, 1] {
        conv1: Conv3D { filters: 8, kernel_size: 3 },
    }
}

fn main() {}
