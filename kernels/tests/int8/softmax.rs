use crate::support::{Random, backends};
use crate::values::{byte, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::quant::SoftmaxS8;

#[test]
pub(crate) fn random_rows() {
    let mut random = Random(1);
    for _ in 0..cases(3000) {
        let len = random.between(1, 300);
        let scale =
            2f64.powi(random.between(0, 24) as i32 - 20) * (1.0 + (random.next() >> 40) as f64 / (1 << 24) as f64);
        let softmax = SoftmaxS8::new(scale);
        let rows = random.between(1, 3);
        let input = bytes(&mut random, rows * len);
        let run = |backend: Backend| {
            let mut values = input.clone();
            backend.softmax_s8(&softmax, len, &mut values);
            values
        };
        let expected = run(Backend::SCALAR);
        for backend in backends() {
            assert_eq!(run(backend), expected, "{} differs for {softmax:?}, rows of {len}", backend.name());
        }
    }
}

#[test]
fn tables() {
    let mut random = Random(2);
    let table = core::array::from_fn(|_| byte(&mut random));
    let input: Vec<i8> = (-128..=127).collect();
    for backend in backends() {
        let mut values = input.clone();
        backend.table_s8(&table, &mut values);
        assert_eq!(values, table, "{}", backend.name());
    }
}
