use thumbnet::sequential;

sequential! {
    pub struct Net: [28, 28, 1] {}
}

fn main() {}
