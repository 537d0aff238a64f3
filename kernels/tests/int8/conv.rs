use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, Tensors, byte, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
#[cfg(feature = "alloc")]
use thumbnet::graph::{Activation, Graph, Node, Op};
#[cfg(feature = "alloc")]
use thumbnet::infer::OpS8;
use thumbnet::int8::{ConvS8, Requantize};
#[cfg(feature = "alloc")]
use thumbnet::plan::{Fusion, PlanBuf};

fn run(backend: Backend, layer: &ConvS8<'_>, input: &[i8]) -> Vec<i8> {
    let samples = input.len() / layer.geometry.input().len();
    let mut output = Fenced::new(samples * layer.output_len(), 0x55);
    let mut scratch = Fenced::new(Backend::conv_s8_scratch_len(layer.geometry, layer.pool), 0x1234_5678);
    backend.conv_s8(layer, input, output.inside(), scratch.inside());
    scratch.checked();
    output.checked().to_vec()
}

fn check(random: &mut Random, geometry: Geometry, pool: Option<Geometry>, samples: usize) {
    let tensors = Tensors::random(random, geometry.output().channels, geometry.patch());
    let layer = ConvS8 {
        geometry: &geometry,
        pool: pool.as_ref(),
        input_zero_point: byte(random),
        weights: &tensors.weights,
        packing: tensors.packing,
        bias: &tensors.bias,
        requantize: tensors.requantize(),
    };
    let input = bytes(random, samples * geometry.input().len());
    let expected = run(Backend::SCALAR, &layer, &input);
    for backend in backends() {
        let found = run(backend, &layer, &input);
        assert!(found == expected, "{} differs for {layer:?}", backend.name());
    }
}

fn pool(random: &mut Random, input: Shape) -> Option<Geometry> {
    if random.next().is_multiple_of(3) {
        return None;
    }
    let kernel = [random.between(1, 4), random.between(1, 4)];
    let strides = if random.next().is_multiple_of(2) { kernel } else { [random.between(1, 5), random.between(1, 5)] };
    let padding = if random.next().is_multiple_of(2) { Padding::Same } else { Padding::Valid };
    Geometry::new(input, input.channels, kernel, strides, padding).ok()
}

/// What does not fit together is refused by name: a pooling of something else, slices that are too short or too long,
/// and parameters out of range.
#[test]
fn refuses_what_does_not_fit() {
    let mut random = Random(1);
    let tensors = Tensors::random(&mut random, 3, 4);
    let new = |input, channels| Geometry::new(input, channels, [2, 2], [2, 2], Padding::Same).unwrap();
    let g = new(Shape::new(8, 6, 1), 3);
    let pool = new(g.output(), 3);
    let layer = ConvS8 {
        geometry: &g,
        pool: Some(&pool),
        input_zero_point: 0,
        weights: &tensors.weights,
        packing: tensors.packing,
        bias: &tensors.bias,
        requantize: tensors.requantize(),
    };
    let (higher, wider, deeper) = (new(Shape::new(80, 3, 3), 3), new(Shape::new(4, 30, 3), 3), new(g.output(), 4));
    let [longer, negative, shift] = [[0; 13].map(|_: i32| 0i8), [-1; 13], [31; 13]];
    let requantize = layer.requantize;
    let layers = [
        ConvS8 { pool: Some(&higher), ..layer },
        ConvS8 { pool: Some(&wider), ..layer },
        ConvS8 { pool: Some(&deeper), ..layer },
        ConvS8 { weights: &layer.weights[1..], ..layer },
        ConvS8 { weights: &longer, ..layer },
        ConvS8 { bias: &layer.bias[1..], ..layer },
        ConvS8 { requantize: Requantize { multiplier: &requantize.multiplier[1..], ..requantize }, ..layer },
        ConvS8 { requantize: Requantize { shift: &requantize.shift[1..], ..requantize }, ..layer },
        ConvS8 { requantize: Requantize { multiplier: &negative.map(i32::from)[..3], ..requantize }, ..layer },
        ConvS8 { requantize: Requantize { shift: &shift[..3], ..requantize }, ..layer },
        ConvS8 { requantize: Requantize { activation: [1, 0], ..requantize }, ..layer },
    ];
    let scratch = &mut [0; 1 << 16];
    for backend in backends() {
        for layer in &layers {
            let said = refusal(|| backend.conv_s8(layer, &[0; 48], &mut [0; 12], scratch));
            assert!(said.contains("do not fit") && said.contains(&g.to_string()), "{}: {said}", backend.name());
        }
        for (inputs, outputs) in [(47, 12), (48, 13), (48, 0), (0, 12), (96, 12), (48, 24)] {
            let said = refusal(|| backend.conv_s8(&layer, &vec![0; inputs], &mut vec![0; outputs], scratch));
            assert!(said.contains("same samples") && said.contains(&g.to_string()), "{}: {said}", backend.name());
        }
        if let Some(short) = Backend::conv_s8_scratch_len(&g, Some(&pool)).checked_sub(1) {
            let said = refusal(|| backend.conv_s8(&layer, &[0; 48], &mut [0; 12], &mut scratch[..short]));
            assert!(said.contains("scratch") && said.contains(&g.to_string()), "{}: {said}", backend.name());
        }
        backend.conv_s8(&layer, &[], &mut [], scratch);
    }
}

/// No step of a network fuses one, though any graph can be made into steps.
#[cfg(feature = "alloc")]
#[test]
fn no_step_has_the_pooling_of_another() {
    let conv = Geometry::new(Shape::new(8, 6, 1), 3, [2, 2], [1, 1], Padding::Valid).unwrap();
    let other = Geometry::new(Shape::new(1, 1 << 20, 3), 3, [1, 4], [1, 4], Padding::Same).unwrap();
    let node = |name, op, inputs, output| Node { name, op, inputs, output, weights: 0 };
    let activation = Activation::Linear;
    let nodes = [
        node("input", Op::Input, [0; 2], conv.input()),
        node("conv", Op::Conv2D { geometry: conv, use_bias: true, activation }, [0; 2], conv.output()),
        node("pool", Op::MaxPooling2D { geometry: other }, [1, 0], other.output()),
    ];
    let graph = Graph { name: "two", nodes: &nodes };
    let plan = PlanBuf::new(&graph, Fusion::Int8);
    let windows = thumbnet::infer::windows(&graph, &plan.plan());
    let steps = thumbnet::infer::steps(&graph, &plan.plan(), &windows);
    let ops: Vec<_> = steps.iter().map(|step| step.op()).collect();
    assert_eq!(ops, [OpS8::Conv2D { geometry: &conv, pool: None }, OpS8::MaxPooling2D { geometry: &other }]);
}

#[test]
pub(crate) fn random_convolutions() {
    let mut random = Random(1);
    for _ in 0..cases(1500) {
        let (channels, filters) = (random.between(1, 9), random.between(1, 70));
        let geometry = random.geometry(channels, filters);
        let pool = pool(&mut random, geometry.output());
        let samples = random.between(1, 3);
        check(&mut random, geometry, pool, samples);
    }
}

#[test]
pub(crate) fn many_channels() {
    let mut random = Random(2);
    for _ in 0..cases(100) {
        let (channels, filters) = (random.between(10, 70), random.between(1, 40));
        let geometry = random.geometry(channels, filters);
        let pool = pool(&mut random, geometry.output());
        check(&mut random, geometry, pool, 1);
    }
}

/// More rows than are computed at a time, with pooling windows that overlap from one band to the next.
#[test]
pub(crate) fn high_images() {
    let mut random = Random(3);
    for _ in 0..cases(40) {
        let input = Shape::new(random.between(40, 90), random.between(5, 30), random.between(1, 3));
        let padding = if random.next().is_multiple_of(2) { Padding::Same } else { Padding::Valid };
        let geometry = Geometry::new(input, random.between(1, 35), [3, 2], [1, 1], padding).unwrap();
        let pool = pool(&mut random, geometry.output());
        check(&mut random, geometry, pool, 1);
    }
}

/// The convolutions of MnistConvNet and MnistSmall.
#[test]
fn tutorial_sizes() {
    let mut random = Random(4);
    for (size, channels, filters, kernel) in [(28, 1, 32, 5), (14, 32, 64, 5), (28, 1, 8, 3), (14, 8, 16, 3)] {
        let input = Shape::new(size, size, channels);
        let geometry = Geometry::new(input, filters, [kernel; 2], [1, 1], Padding::Same).unwrap();
        let pool = Geometry::new(geometry.output(), filters, [2, 2], [2, 2], Padding::Same).unwrap();
        check(&mut random, geometry, Some(pool), 2);
        check(&mut random, geometry, None, 1);
    }
}
