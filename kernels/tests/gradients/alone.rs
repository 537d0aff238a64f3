//! Every kind of layer by itself against central differences.
//!
//! A dense layer makes each value that the layer reads from the one value of a sample, by a weight and a bias of its
//! own: their gradients are those of the layer's input. What the layer makes is the network's output.

use crate::kinds::{ACTIVATIONS, OPS, activation_kind, op_kind};
use crate::{BATCH, KeepGradient};
use rand_core::RngCore;
use rand_pcg::Pcg64Mcg;
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::graph::{Activation, Graph, Node, Op};
use thumbnet::plan::GradientPlanBuf;
use thumbnet::train::{Buffers, Loss, Settings, Trainer};

/// A layer with the shapes of what it reads and makes.
struct Row {
    op: Op,
    inputs: Vec<Shape>,
    output: Shape,
    /// How large its weights are, or what it reads if it has none.
    scale: f32,
}

impl Row {
    fn new(op: Op, inputs: &[Shape], output: Shape) -> Self {
        Self { op, inputs: inputs.to_vec(), output, scale: 1.0 }
    }

    /// The layer over a window, which it takes with what it is besides.
    fn over(of: impl Fn(Geometry) -> Op, input: Shape, outputs: usize, window: Window) -> Self {
        let (kernel, strides, padding) = window;
        let geometry = Geometry::new(input, outputs, kernel, strides, padding).unwrap();
        Self::new(of(geometry), &[input], geometry.output())
    }

    /// An activation by itself, and behind the layers with weights, of values as large as make them bend.
    fn activations(activation: Activation, scale: f32) -> [Self; 5] {
        let (plane, vector) = (Shape::new(2, 3, 4), Shape::vector(8));
        let window = ([2, 2], [1, 1], Padding::Same);
        let convolution = |geometry| Op::Conv2D { geometry, use_bias: true, activation };
        let depthwise = |geometry| Op::DepthwiseConv2D { geometry, use_bias: true, activation };
        let normalization = Op::BatchNormalization { momentum: 0.9, epsilon: 1e-3, activation };
        [
            Self::new(Op::Activation { activation }, &[plane], plane),
            Self::over(convolution, plane, 3, window),
            Self::over(depthwise, plane, 4, window),
            Self::new(Op::Dense { inputs: 8, use_bias: true, activation }, &[vector], Shape::vector(5)),
            Self::new(normalization, &[plane], plane),
        ]
        .map(|row| Self { scale, ..row })
    }
}

type Window = ([usize; 2], [usize; 2], Padding);

fn rows() -> Vec<Row> {
    use Padding::{Same, Valid};
    let (plane, vector, activation) = (Shape::new(4, 3, 2), Shape::vector(12), Activation::Linear);
    let mut rows = vec![
        Row::new(Op::Flatten, &[plane], Shape::vector(24)),
        Row::new(Op::Reshape, &[plane], Shape::new(2, 2, 6)),
        Row::new(Op::Dropout { rate: 0.4 }, &[plane], plane),
        Row::new(Op::ZeroPadding2D { padding: [[1, 2], [0, 3]] }, &[plane], Shape::new(7, 6, 2)),
        Row::new(Op::Concatenate, &[plane, Shape::new(4, 3, 5)], Shape::new(4, 3, 7)),
        Row::new(Op::Concatenate, &[vector, Shape::vector(1)], Shape::vector(13)),
        Row::new(Op::Multiply { activation }, &[plane, plane], plane),
        Row::new(Op::Multiply { activation }, &[plane, Shape::vector(2)], plane),
        Row::new(Op::Dense { inputs: 12, use_bias: false, activation }, &[vector], Shape::vector(17)),
        Row::new(
            Op::BatchNormalization { momentum: 0.99, epsilon: 0.1, activation },
            &[Shape::vector(9)],
            Shape::vector(9),
        ),
    ];
    for clamp in [Activation::Linear, Activation::Relu, Activation::Relu6] {
        let [add, multiply] = [Op::Add { activation: clamp }, Op::Multiply { activation: clamp }];
        rows.extend([add, multiply].map(|op| Row { scale: 3.0, ..Row::new(op, &[plane, plane], plane) }));
    }
    for (activation, scale) in [
        (Activation::Linear, 1.0),
        (Activation::Relu, 1.0),
        (Activation::Relu6, 8.0),
        (Activation::LeakyRelu { negative_slope: 0.3 }, 1.0),
        (Activation::Sigmoid, 2.0),
        (Activation::Tanh, 2.0),
        (Activation::Softmax, 2.0),
    ] {
        rows.extend(Row::activations(activation, scale));
    }
    let convolution = |geometry| Op::Conv2D { geometry, use_bias: true, activation };
    for (input, filters, window) in [
        (Shape::new(5, 4, 2), 3, ([3, 3], [1, 1], Same)),
        (Shape::new(5, 4, 2), 3, ([3, 2], [1, 1], Valid)),
        (Shape::new(6, 5, 3), 2, ([3, 3], [2, 2], Same)),
        (Shape::new(7, 5, 1), 4, ([2, 3], [3, 1], Valid)),
        (Shape::new(4, 3, 5), 3, ([1, 1], [1, 1], Same)),
        (Shape::new(2, 2, 2), 2, ([5, 5], [1, 1], Same)),
        // As many channels as Winograd's algorithm takes.
        (Shape::new(6, 6, 16), 16, ([3, 3], [1, 1], Same)),
    ] {
        rows.push(Row::over(convolution, input, filters, window));
    }
    let depthwise = |geometry| Op::DepthwiseConv2D { geometry, use_bias: true, activation };
    for (multiplier, strides, padding) in
        [(1, [1, 1], Same), (1, [2, 2], Valid), (2, [1, 1], Valid), (2, [2, 1], Same), (8, [1, 1], Same)]
    {
        rows.push(Row::over(depthwise, Shape::new(5, 4, 3), 3 * multiplier, ([3, 3], strides, padding)));
    }
    for (kernel, strides, padding) in
        [([2, 2], [2, 2], Valid), ([2, 2], [2, 2], Same), ([3, 3], [1, 1], Same), ([3, 2], [1, 2], Valid)]
    {
        let window = (kernel, strides, padding);
        let largest = |geometry| Op::MaxPooling2D { geometry };
        let average = |geometry| Op::AveragePooling2D { geometry };
        rows.push(Row::over(largest, Shape::new(5, 5, 3), 3, window));
        rows.push(Row::over(average, Shape::new(5, 5, 3), 3, window));
    }
    let whole = ([4, 3], [1, 1], Valid);
    rows.push(Row::over(|geometry| Op::GlobalMaxPooling2D { geometry }, plane, 2, whole));
    rows.push(Row::over(|geometry| Op::GlobalAveragePooling2D { geometry }, plane, 2, whole));
    rows
}

/// The network of a row.
fn network(row: &Row) -> Vec<Node<'static>> {
    let (one, activation) = (Shape::vector(1), Activation::Linear);
    let mut nodes = vec![Node { name: "input", op: Op::Input, inputs: [0; 2], output: one, weights: 0 }];
    let mut push = |name, op, inputs, output| {
        let last = nodes.last().unwrap();
        nodes.push(Node { name, op, inputs, output, weights: last.weights + last.parameters() });
        nodes.len() as u16 - 1
    };
    let mut inputs = [0; 2];
    for ((names, &shape), input) in [["dense0", "in0"], ["dense1", "in1"]].into_iter().zip(&row.inputs).zip(&mut inputs)
    {
        let dense = Op::Dense { inputs: 1, use_bias: true, activation };
        let values = push(names[0], dense, [0; 2], Shape::vector(shape.len()));
        // An activation would become the dense layer's.
        *input = push(names[1], Op::Reshape, [values, 0], shape);
    }
    push("layer", row.op, inputs, row.output);
    nodes
}

/// With these values no relu and no maximum changes its mind within the shortest step: the worst difference is off by
/// 3.1e-4.
const SEED: u128 = 27;
/// How far off a difference may be, beside the largest gradient of a network.
const BOUND: f32 = 2e-3;
/// Steps of differences. Most layers are linear or bend only here and there, so that a wide step is right and what the
/// loss is rounded by is little beside it.
const STEPS: [f32; 4] = [0.1, 0.02, 4e-3, 1e-3];
/// A network has more weights than are worth trying where a layer has many channels.
const TRIED: usize = 100;

fn check(row: &Row, backend: Backend) {
    let nodes = network(row);
    let graph = Graph { name: "Alone", nodes: &nodes };
    graph.check().unwrap();
    let plan = GradientPlanBuf::new(&graph);
    let mut random = Pcg64Mcg::new(SEED);
    let mut uniform = || (random.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0;
    let layer = nodes.last().unwrap();
    let (first, trained) = (layer.weights, graph.parameters() - layer.statistics_len());
    let mut weights: Vec<f32> = (0..graph.parameters()).map(|_| uniform()).collect();
    let scaled = if trained > first { first..trained } else { 0..first };
    weights[scaled].iter_mut().for_each(|weight| *weight *= row.scale);
    let x: [f32; BATCH] = [-0.7, 0.4, 1.0];
    let targets: Vec<f32> = (0..BATCH * row.output.len()).map(|_| uniform()).collect();
    let what = format!("{:?} of {:?} on {}", row.op, row.inputs, backend.name());

    let mut memory = vec![f32::NAN; plan.plan().memory_len(&graph, BATCH)];
    let mut loss = |weights: &mut [f32], gradient: &mut [f32]| {
        let settings = Settings { backend, optimizer: KeepGradient(1.0), loss: Loss::MeanSquaredError, seed: 5 };
        let buffers = Buffers { weights, slots: gradient, memory: &mut memory };
        let mut trainer = Trainer::new(graph, plan.plan(), settings, buffers).unwrap();
        f64::from(trainer.step(&x, &targets).unwrap().loss) / BATCH as f64
    };
    let mut gradient = vec![0.0; weights.len()];
    loss(&mut weights, &mut gradient);
    let largest = gradient.iter().fold(0.0, |largest: f32, gradient| largest.max(gradient.abs()));
    let mut unused = gradient.clone();
    for i in (0..trained).step_by(trained.div_ceil(TRIED) | 1) {
        let differences = STEPS.map(|h| {
            let at = weights[i];
            let [above, below] = [at + h, at - h].map(|value| {
                weights[i] = value;
                loss(&mut weights, &mut unused)
            });
            weights[i] = at;
            ((above - below) / (2.0 * f64::from(h))) as f32
        });
        let near = |difference: &f32| (difference - gradient[i]).abs() < BOUND * largest;
        assert!(
            differences.iter().any(near),
            "{what}: weight {i} of {first} before it and {} of its own: backward {}, differences {differences:?}",
            trained - first,
            gradient[i]
        );
    }
    let counts = gradient.iter().filter(|gradient| gradient.abs() > 10.0 * BOUND * largest).count();
    assert!(counts * 8 > trained, "{what}: only {counts} gradients of {trained} are not about 0");
}

#[test]
fn every_layer_alone() {
    for backend in Backend::available() {
        rows().iter().for_each(|row| check(row, backend));
    }
}

#[test]
fn every_kind_of_layer_and_activation_has_a_row() {
    let rows = rows();
    let layers: Vec<_> = rows.iter().map(|row| op_kind(&row.op)).collect();
    let missing: Vec<_> = OPS.iter().filter(|kind| !layers.contains(kind)).collect();
    assert_eq!(missing, [&"Input"], "which reads nothing");
    let by_itself = rows.iter().filter(|row| op_kind(&row.op) == "Activation");
    let activations: Vec<_> = by_itself.map(|row| activation_kind(&row.op.activation())).collect();
    let missing: Vec<_> = ACTIVATIONS.iter().filter(|kind| !activations.contains(kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
