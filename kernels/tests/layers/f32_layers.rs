//! The f32 kernels of every back end against Keras, forward and backward, within 1e-5.

use crate::record::{KERAS, Record};
use thumbnet::arch::Backend;

/// Relative where a value is larger than 1.
fn check(record: &Record, backend: Backend, field: &str, values: &[f32]) {
    let expected = record.floats(field);
    assert_eq!(values.len(), expected.len(), "{record}.{field}");
    for (at, (&value, &expected)) in values.iter().zip(&expected).enumerate() {
        let error = (value - expected).abs() / expected.abs().max(1.0);
        assert!(error < 1e-5, "{record}.{field}[{at}] on {}: {value}, not {expected}", backend.name());
    }
}

#[test]
fn activations() {
    type Forward = fn(Backend, &mut [f32]);
    type Backward = fn(Backend, &[f32], &mut [f32]);
    let kinds: [(&str, Forward, Backward); 3] = [
        ("Relu6", Backend::relu6, Backend::relu6_gradient),
        ("Sigmoid", Backend::sigmoid, Backend::sigmoid_gradient),
        ("Tanh", Backend::tanh, Backend::tanh_gradient),
    ];
    for (kind, forward, backward) in kinds {
        for record in KERAS.records(kind) {
            for backend in Backend::available() {
                let (mut y, mut dy) = (record.floats("in0"), record.floats("dout"));
                forward(backend, &mut y);
                check(&record, backend, "out", &y);
                backward(backend, &y, &mut dy);
                check(&record, backend, "din0", &dy);
            }
        }
    }
}

/// Of a matrix, and at each position of a plane.
#[test]
fn softmax() {
    for record in KERAS.records("Softmax") {
        for backend in Backend::available() {
            let mut y = record.floats("in0");
            backend.softmax(*record.shape("in0").last().unwrap(), &mut y);
            check(&record, backend, "out", &y);
        }
    }
}
