//! The f32 kernels of every back end against Keras, forward and backward, within 1e-5.

use crate::record::{KERAS, Record};
use thumbnet::arch::{Backend, Trainable};
use thumbnet::geometry::{Geometry, Padding, Shape};
#[cfg(feature = "alloc")]
use thumbnet::graph::{Activation, Graph, Node, Op};
#[cfg(feature = "alloc")]
use thumbnet::plan::GradientPlanBuf;
#[cfg(feature = "alloc")]
use thumbnet::train::{Buffers, Loss, Optimizer, Settings, Sgd, Trainer};

/// Relative where a value is larger than 1.
fn check(record: &Record, backend: Backend, field: &str, values: &[f32]) {
    check_beside(record, backend, field, values, 1.0);
}

/// Relative to the tensor's largest value: in a sum whose terms cancel out, what they were rounded by stays, and how
/// much that is depends on the order in which a back end adds them.
pub(crate) fn check_sums(record: &Record, backend: Backend, field: &str, values: &[f32]) {
    let largest = record.floats(field).iter().fold(1.0, |largest: f32, value| largest.max(value.abs()));
    check_beside(record, backend, field, values, largest);
}

/// Relative to a value or to `scale`, whichever is larger.
fn check_beside(record: &Record, backend: Backend, field: &str, values: &[f32], scale: f32) {
    let expected = record.floats(field);
    assert_eq!(values.len(), expected.len(), "{record}.{field}");
    for (at, (&value, &expected)) in values.iter().zip(&expected).enumerate() {
        let error = (value - expected).abs() / expected.abs().max(scale);
        assert!(error < 1e-5, "{record}.{field}[{at}] on {}: {value}, not {expected}", backend.name());
    }
}

#[test]
fn activations() {
    type Forward = fn(Backend, &mut [f32]);
    type Backward = fn(Backend, &[f32], &mut [f32]);
    let kinds: [(&str, Forward, Backward); 4] = [
        ("Relu", Backend::relu, Backend::relu_gradient),
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

/// The window of a record, which is the whole input where it has none of its own, over so many channels of output.
fn window(record: &Record, outputs: usize) -> Geometry {
    let [_, height, width, channels] = record.shape("in0")[..].try_into().unwrap();
    let settings = record.floats("settings");
    let sizes: Vec<usize> = settings.iter().map(|&size| size as usize).collect();
    let (kernel, strides, padding) = match sizes[..] {
        [tall, wide, down, right, valid] => {
            ([tall, wide], [down, right], if valid == 1 { Padding::Valid } else { Padding::Same })
        }
        _ => ([height, width], [1, 1], Padding::Valid),
    };
    Geometry::new(Shape::new(height, width, channels), outputs, kernel, strides, padding).unwrap()
}

fn channels(record: &Record) -> usize {
    *record.shape("in0").last().unwrap()
}

#[test]
fn averages() {
    for record in ["AveragePooling2D", "GlobalAveragePooling2D"].into_iter().flat_map(|kind| KERAS.records(kind)) {
        let geometry = window(&record, channels(&record));
        let (batch, x) = (record.shape("in0")[0], record.floats("in0"));
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

/// The weights after a training step of a network that is this layer alone.
#[cfg(feature = "alloc")]
fn train(record: &Record, backend: Backend, shape: Shape, op: Op, mut weights: Vec<f32>) -> Vec<f32> {
    let node = |name, op| Node { name, op, inputs: [0; 2], output: shape, weights: 0 };
    let nodes = [node("input", Op::Input), node("layer", op)];
    let graph = Graph { name: "Net", nodes: &nodes };
    graph.check().unwrap();
    let plan = GradientPlanBuf::new(&graph);
    let (x, optimizer) = (record.floats("in0"), Sgd::default());
    let mut slots = vec![0.0; Sgd::SLOTS * weights.len()];
    let mut memory = vec![f32::NAN; plan.plan().memory_len(&graph, record.shape("in0")[0])];
    let settings = Settings { backend, optimizer, loss: Loss::MeanSquaredError, seed: 1 };
    let buffers = Buffers { weights: &mut weights, slots: &mut slots, memory: &mut memory };
    let mut trainer = Trainer::new(graph, plan.plan(), settings, buffers).unwrap();
    trainer.step(&x, &record.floats("out")).unwrap();
    weights
}

/// A training step with Keras's statistics, and inference with moving ones.
#[test]
fn batch_normalization() {
    for record in KERAS.records("BatchNormalization") {
        let settings = record.floats("settings");
        let (epsilon, is_training) = (settings[1], settings[2] == 1.0);
        let shape = record.shape("in0");
        let (batch, channels) = (shape[0], *shape.last().unwrap());
        let shape = Shape::new(1, shape[1..shape.len() - 1].iter().product(), channels);
        let (x, dy) = (record.floats("in0"), record.floats("dout"));
        let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|i| record.floats(&format!("weight{i}")));
        for backend in Backend::available() {
            let mut scratch = vec![f32::NAN; Backend::batch_normalization_scratch_len(shape, batch)];
            let mut moments = [mean.clone(), variance.clone()].concat();
            if is_training {
                backend.moments(shape, batch, &x, &mut moments, &mut scratch);
            }
            #[cfg(feature = "alloc")]
            if is_training {
                let weights = [&gamma[..], &beta, &mean, &variance].concat();
                let (momentum, activation) = (settings[0], Activation::Linear);
                let layer = Op::BatchNormalization { momentum, epsilon, activation };
                let moved = train(&record, backend, shape, layer, weights);
                check(&record, backend, "new2", &moved[2 * channels..3 * channels]);
                check(&record, backend, "new3", &moved[3 * channels..]);
            }
            let mut y = vec![f32::NAN; x.len()];
            let parameters = [&gamma[..], &beta];
            backend.batch_normalization(shape, batch, &x, parameters, epsilon, &moments, false, &mut y, &mut scratch);
            check(&record, backend, "out", &y);
            if is_training {
                let (mut dx, mut dparameters) = (vec![f32::NAN; x.len()], vec![f32::NAN; 2 * channels]);
                let gradients = &mut dparameters;
                backend.batch_normalization_gradient(
                    shape,
                    batch,
                    [&x, &dy],
                    &gamma,
                    epsilon,
                    &moments,
                    gradients,
                    Some(&mut dx),
                    &mut scratch,
                );
                check(&record, backend, "din0", &dx);
                check(&record, backend, "dweight0", &dparameters[..channels]);
                check(&record, backend, "dweight1", &dparameters[channels..]);
            }
        }
    }
}

#[test]
fn leaky_relu() {
    for record in KERAS.records("LeakyReLU") {
        let slope = record.floats("settings")[0];
        for backend in Backend::available() {
            let (mut y, mut dy) = (record.floats("in0"), record.floats("dout"));
            backend.leaky_relu(slope, &mut y);
            check(&record, backend, "out", &y);
            backend.leaky_relu_gradient(slope, &y, &mut dy);
            check(&record, backend, "din0", &dy);
        }
    }
}

#[test]
fn products() {
    for record in KERAS.records("Multiply") {
        let (batch, factors, dy) =
            (record.shape("in0")[0], ["in0", "in1"].map(|i| record.floats(i)), record.floats("dout"));
        for backend in Backend::available() {
            let mut y = factors[0].clone();
            backend.multiply(batch, &factors[1], &mut y);
            check(&record, backend, "out", &y);
            for (i, field) in ["din0", "din1"].into_iter().enumerate() {
                let mut dx = vec![0.0; factors[i].len()];
                backend.multiply_gradient(batch, &dy, &factors[1 - i], &mut dx);
                check(&record, backend, field, &dx);
            }
        }
    }
}

/// Of two tensors or three.
#[test]
fn concatenations() {
    for record in KERAS.records("Concatenate") {
        let last = |field: &str| *record.shape(field).last().unwrap();
        let (all, dy) = (last("out"), record.floats("dout"));
        for backend in Backend::available() {
            let mut y = vec![f32::NAN; dy.len()];
            let mut first = 0;
            for i in 0.. {
                if first == all {
                    break;
                }
                let (field, width) = (format!("in{i}"), last(&format!("in{i}")));
                backend.concatenate(width, &record.floats(&field), [first, all], &mut y);
                let mut dx = vec![0.0; record.floats(&field).len()];
                backend.concatenate_gradient(width, &dy, [first, all], &mut dx);
                check(&record, backend, &format!("d{field}"), &dx);
                first += width;
            }
            check(&record, backend, "out", &y);
        }
    }
}

#[test]
fn maxima() {
    for record in ["MaxPooling2D", "GlobalMaxPooling2D"].into_iter().flat_map(|kind| KERAS.records(kind)) {
        let (g, batch, x) = (window(&record, channels(&record)), record.shape("in0")[0], record.floats("in0"));
        for backend in Backend::available() {
            let mut y = vec![f32::NAN; record.floats("out").len()];
            backend.max_pool(&g, batch, &x, &mut y);
            check(&record, backend, "out", &y);
            let mut dx = vec![f32::NAN; x.len()];
            backend.max_pool_gradient(&g, batch, &x, &y, &record.floats("dout"), &mut dx);
            check(&record, backend, "din0", &dx);
        }
    }
}

#[test]
fn convolutions() {
    for record in KERAS.records("Conv2D") {
        let (x, dy) = (record.floats("in0"), record.floats("dout"));
        let (kernel, bias) = (record.floats("weight0"), record.floats("weight1"));
        let (g, batch) = (window(&record, bias.len()), record.shape("in0")[0]);
        let mut scratch = vec![f32::NAN; Backend::conv2d_scratch_len(&g, batch)];
        for backend in Backend::available() {
            let mut y = vec![f32::NAN; dy.len()];
            backend.conv2d(&g, batch, &x, &kernel, Some(&bias), false, &mut y, &mut scratch);
            check_sums(&record, backend, "out", &y);
            let mut dx = vec![f32::NAN; x.len()];
            backend.conv2d_input_gradient(&g, batch, &dy, &kernel, &mut dx, &mut scratch);
            check_sums(&record, backend, "din0", &dx);
            let (mut dkernel, mut dbias) = (vec![f32::NAN; kernel.len()], vec![f32::NAN; bias.len()]);
            backend.conv2d_kernel_gradient(&g, batch, &x, &dy, &mut dkernel, Some(&mut dbias), &mut scratch);
            check_sums(&record, backend, "dweight0", &dkernel);
            check_sums(&record, backend, "dweight1", &dbias);
        }
    }
}

#[test]
fn dense() {
    for record in KERAS.records("Dense") {
        let (x, dy) = (record.floats("in0"), record.floats("dout"));
        let (kernel, bias) = (record.floats("weight0"), record.floats("weight1"));
        let (batch, inputs, units) = (record.shape("in0")[0], channels(&record), bias.len());
        let mut scratch = vec![f32::NAN; Backend::dense_scratch_len(inputs, units, batch)];
        for backend in Backend::available() {
            let mut y = vec![f32::NAN; dy.len()];
            backend.dense(inputs, units, batch, &x, &kernel, Some(&bias), false, &mut y, &mut scratch);
            check_sums(&record, backend, "out", &y);
            let mut dx = vec![f32::NAN; x.len()];
            backend.dense_input_gradient(inputs, units, batch, &dy, &kernel, &mut dx, &mut scratch);
            check_sums(&record, backend, "din0", &dx);
            // The gradient is handed over in pieces, each with the piece of the state that it belongs to.
            let (mut weights, mut dkernel) = (kernel.clone(), vec![f32::NAN; kernel.len()]);
            let update = |_: usize, block: Trainable<'_>, gradient: &[f32]| block.state[0].copy_from_slice(gradient);
            let parameters = Trainable { weights: &mut weights, state: [&mut dkernel, &mut []] };
            backend.dense_kernel_gradient(inputs, units, batch, &x, &dy, parameters, &update, &mut scratch);
            check_sums(&record, backend, "dweight0", &dkernel);
            let mut dbias = vec![f32::NAN; bias.len()];
            backend.bias_gradient(units, batch, &dy, &mut dbias);
            check_sums(&record, backend, "dweight1", &dbias);
        }
    }
}
