use thumbnet::sequential;

sequential! {
    pub struct Scores: [1, 1, 2] {
        scores: Dense { units: 4097, activation: Softmax },
    }
}

sequential! {
    pub struct Map: [8, 8, 3] {
        map: Conv2D { filters: 10_000, kernel_size: 3, activation: Softmax },
    }
}

fn main() {}
