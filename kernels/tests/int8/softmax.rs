use crate::support::{Random, backends, refusal};
use crate::values::{byte, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::int8::SoftmaxS8;

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

/// As many as there may be, all equal or all but one: the largest sum, and the largest of what is left out of it.
#[test]
fn most_classes() {
    const MOST: usize = SoftmaxS8::MAX_CLASSES;
    for backend in backends() {
        for len in [255, 256, 257, 511, 513, MOST - 1, MOST] {
            let mut values = vec![5; len];
            backend.softmax_s8(&SoftmaxS8::new(0.1), len, &mut values);
            let expected = (256.0 / len as f64).round() as i32 - 128;
            assert!(values.iter().all(|&value| i32::from(value) == expected), "{} of {len}", values[0]);
        }
        let mut values = [vec![-128; MOST - 1], vec![127]].concat();
        backend.softmax_s8(&SoftmaxS8::new(0.1), MOST, &mut values);
        assert!(values[..MOST - 1].iter().all(|&value| value == -128) && values[MOST - 1] == 127, "{values:?}");
    }
}

#[test]
fn refuses_what_it_is_not_defined_for() {
    let softmax = SoftmaxS8::new(0.1);
    for backend in backends() {
        let said =
            |softmax: SoftmaxS8, len, values| refusal(|| backend.softmax_s8(&softmax, len, &mut vec![0; values]));
        for len in [0, 4097, 8192, 10_000] {
            let text = format!("a softmax of {len} classes, but int8 softmax has 1..=4096");
            assert_eq!(said(softmax, len, 16_384), text);
        }
        assert_eq!(said(softmax, 3, 10), "10 values are no whole runs of 3");
        let undefined = [(-1, 0, 0), (1, 32, 0), (1, 0, 1)];
        for (multiplier, left_shift, diff_min) in undefined {
            let text = said(SoftmaxS8 { multiplier, left_shift, diff_min }, 3, 9);
            assert!(text.starts_with("int8 softmax is not defined for SoftmaxS8"), "{text}");
        }
    }
}

#[test]
pub(crate) fn tables() {
    let mut random = Random(2);
    let table = core::array::from_fn(|_| byte(&mut random));
    let input: Vec<i8> = (-128..=127).collect();
    for backend in backends() {
        let mut values = input.clone();
        backend.table_s8(&table, &mut values);
        assert_eq!(values, table, "{}", backend.name());
    }
}
