use thumbnet::sequential;

sequential! {
    pub struct Net: [4, 4, 2] {
        zeros: ZeroPadding2D { padding: (0, 256) },
    }
}

fn main() {}
