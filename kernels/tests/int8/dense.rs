use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, Tensors, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::int8::DenseS8;

fn run(backend: Backend, layer: &DenseS8<'_>, input: &[i8]) -> Vec<i8> {
    let mut output = Fenced::new(input.len() / layer.inputs * layer.units, 0x55);
    let mut scratch = Fenced::new(Backend::dense_s8_scratch_len(layer.inputs, layer.units), 0x1234_5678);
    backend.dense_s8(layer, input, output.inside(), scratch.inside());
    scratch.checked();
    output.checked().to_vec()
}

fn check(random: &mut Random, inputs: usize, units: usize, samples: usize) {
    let tensors = Tensors::random(random, units, inputs);
    let layer = DenseS8 {
        inputs,
        units,
        weights: &tensors.weights,
        packing: tensors.packing,
        bias: &tensors.bias,
        requantize: tensors.requantize(),
    };
    let input = bytes(random, samples * inputs);
    let expected = run(Backend::SCALAR, &layer, &input);
    for backend in backends() {
        let found = run(backend, &layer, &input);
        assert!(found == expected, "{} differs for {layer:?}", backend.name());
    }
}

/// Sizes whose product wraps round to that of a short slice must not be believed.
#[test]
fn refuses_sizes_that_wrap() {
    let tensors = Tensors::random(&mut Random(1), 3, 1);
    let layer = DenseS8 {
        inputs: usize::MAX / 3 * 2 + 1,
        units: 3,
        weights: &tensors.weights[..1],
        packing: tensors.packing,
        bias: &tensors.bias,
        requantize: tensors.requantize(),
    };
    for backend in backends() {
        let said = refusal(|| backend.dense_s8(&layer, &[0], &mut [0; 3], &mut [0; 1024]));
        assert!(said.contains("do not fit"), "{}: {said}", backend.name());
    }
}

#[test]
pub(crate) fn random_layers() {
    let mut random = Random(1);
    for _ in 0..cases(3000) {
        let (inputs, units, samples) = (random.between(1, 200), random.between(1, 40), random.between(1, 3));
        check(&mut random, inputs, units, samples);
    }
}

/// 140,000 products of -128 and -128 are more than 2^31.
#[test]
pub(crate) fn sums_wrap() {
    let inputs = 140_001;
    let layer = DenseS8 {
        inputs,
        units: 3,
        weights: &vec![-128; 3 * inputs],
        packing: thumbnet::int8::Packing::Plain,
        bias: &[0, -1_000_000, 1_000_000],
        requantize: thumbnet::int8::Requantize {
            multiplier: &[1 << 30; 3],
            shift: &[-22; 3],
            zero_point: 3,
            activation: [-128, 127],
        },
    };
    let input = vec![-128; inputs];
    let expected = run(Backend::SCALAR, &layer, &input);
    for backend in backends() {
        assert_eq!(run(backend, &layer, &input), expected, "{}", backend.name());
    }
}

/// The dense layers of MnistConvNet.
#[test]
fn tutorial_sizes() {
    let mut random = Random(2);
    for (inputs, units) in [(3136, 1024), (1024, 256), (256, 10), (784, 32), (32, 10)] {
        check(&mut random, inputs, units, 1);
    }
}
