use thumbnet::sequential;

sequential! {
    pub struct Net: [4, 4, 2] {
        deep: Reshape { target_shape: (4, 7) },
        conv: Conv1D { filters: 3, kernel_size: 1 },
    }
}

fn main() {}
