use thumbnet::sequential;

sequential! {
    pub struct Net: [4, 4, 2] {
        leaky: LeakyReLU { negative_slope: -0.1 },
    }
}

fn main() {}
