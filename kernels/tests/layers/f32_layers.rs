//! The f32 kernels of every back end against Keras, forward and backward, within 1e-5.

use crate::record::{KERAS, Record};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};

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

#[test]
fn averages() {
    let window = |record: &Record| {
        let [_, height, width, channels] = record.shape("in0")[..].try_into().unwrap();
        let settings = record.floats("settings");
        let sizes: Vec<usize> = settings.iter().map(|&size| size as usize).collect();
        let (kernel, strides, padding) = match sizes[..] {
            [tall, wide, down, right, valid] => {
                ([tall, wide], [down, right], if valid == 1 { Padding::Valid } else { Padding::Same })
            }
            _ => ([height, width], [1, 1], Padding::Valid),
        };
        Geometry::new(Shape::new(height, width, channels), channels, kernel, strides, padding).unwrap()
    };
    for record in ["AveragePooling2D", "GlobalAveragePooling2D"].into_iter().flat_map(|kind| KERAS.records(kind)) {
        let (geometry, batch, x) = (window(&record), record.shape("in0")[0], record.floats("in0"));
        for backend in Backend::available() {
            let mut y = vec![f32::NAN; record.floats("out").len()];
            backend.average_pool(&geometry, batch, &x, &mut y);
            check(&record, backend, "out", &y);
            let mut dx = vec![f32::NAN; x.len()];
            backend.average_pool_gradient(&geometry, batch, &record.floats("dout"), &mut dx);
            check(&record, backend, "din0", &dx);
        }
    }
}

#[test]
fn depthwise_convolutions() {
    for record in KERAS.records("DepthwiseConv2D") {
        let [batch, height, width, channels] = record.shape("in0")[..].try_into().unwrap();
        let settings: Vec<usize> = record.floats("settings").iter().map(|&size| size as usize).collect();
        let [tall, wide, stride, valid, multiplier] = settings[..].try_into().unwrap();
        let padding = if valid == 1 { Padding::Valid } else { Padding::Same };
        let input = Shape::new(height, width, channels);
        let g = Geometry::new(input, channels * multiplier, [tall, wide], [stride; 2], padding).unwrap();
        let (x, dy) = (record.floats("in0"), record.floats("dout"));
        let (kernel, bias) = (record.floats("weight0"), record.floats("weight1"));
        for backend in Backend::available() {
            let mut y = vec![f32::NAN; dy.len()];
            backend.depthwise_conv2d(&g, batch, &x, &kernel, Some(&bias), false, &mut y);
            check(&record, backend, "out", &y);
            let mut dx = vec![f32::NAN; x.len()];
            backend.depthwise_conv2d_input_gradient(&g, batch, &dy, &kernel, &mut dx);
            check(&record, backend, "din0", &dx);
            let (mut dkernel, mut dbias) = (vec![f32::NAN; kernel.len()], vec![f32::NAN; bias.len()]);
            backend.depthwise_conv2d_kernel_gradient(&g, batch, &x, &dy, &mut dkernel, Some(&mut dbias));
            check(&record, backend, "dweight0", &dkernel);
            check(&record, backend, "dweight1", &dbias);
        }
    }
}
