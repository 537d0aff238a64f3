//! The int8 arithmetic of one output against TFLite's reference kernels, byte for byte.

use crate::record::{Record, TFLITE, ends, options};
use thumbnet::int8::{Affine, MeanS8, MulS8, RescaleS8, average, logistic, tanh};

/// Compares the outputs of a function of one value with a record's.
fn check(record: &Record, output: impl Fn(i8) -> i8) {
    let outputs: Vec<i8> = record.bytes("in0").into_iter().map(output).collect();
    assert_eq!(outputs, record.bytes("out"), "{record}");
}

#[test]
fn mul() {
    for record in TFLITE.records("mul") {
        let [a, b, output] = record.quantization();
        let layer = MulS8 {
            input_zero_points: [a.zero_point, b.zero_point],
            factor: MulS8::factor([a.scale, b.scale], output.scale),
            zero_point: output.zero_point,
            activation: record.activation(output),
        };
        assert!(layer.is_consistent(), "{record}");
        let pairs = record.bytes("in0").into_iter().zip(record.bytes("in1"));
        assert_eq!(pairs.map(|(a, b)| layer.apply([a, b])).collect::<Vec<_>>(), record.bytes("out"), "{record}");
    }
}

#[test]
fn what_is_linear_on_both_sides_of_zero() {
    let layer = |record: &Record, kind: &str, input: Affine, output: Affine| match kind {
        "quantize" => RescaleS8::quantize(input, output),
        "relu" => RescaleS8::relu(input, output, ends(output, [0.0, f32::INFINITY])),
        "relu6" => RescaleS8::relu(input, output, ends(output, [0.0, 6.0])),
        _ => RescaleS8::leaky_relu(input, output, record.option(options::ALPHA)),
    };
    for kind in ["quantize", "relu", "relu6", "leaky_relu"] {
        for record in TFLITE.records(kind) {
            let [input, output] = record.quantization();
            let layer = layer(&record, kind, input, output);
            assert!(layer.is_consistent(), "{record}");
            check(&record, |value| layer.apply(value));
        }
    }
}

#[test]
fn sigmoid_and_tanh() {
    for (operator, function) in [("logistic", logistic as fn(Affine, i8) -> i8), ("tanh", tanh)] {
        for record in TFLITE.records(operator) {
            let [input, _] = record.quantization();
            check(&record, |value| function(input, value));
        }
    }
}

/// Sums are i32 of any size: the ends, and what rounds away from zero.
#[test]
fn averages_round_halves_away_from_zero() {
    const ANY: [i8; 2] = [-128, 127];
    let averages = [(3, 2), (-3, 2), (1, 2), (-1, 2), (1, 3), (-1, 3), (5, 3), (0, 9), (-128 * 9, 9), (127 * 9, 9)];
    let outputs = averages.map(|(sum, count)| average(sum, count, ANY));
    assert_eq!(outputs, [2, -2, 1, -1, 0, 0, 2, 0, -128, 127]);
    assert_eq!([average(-9, 2, [-3, 3]), average(9, 2, [-3, 3])], [-3, 3]);
}

/// Whatever the scales, and whatever a file says of them, the arithmetic is defined.
#[test]
fn any_scale_is_consistent() {
    let scales = [f32::MIN_POSITIVE, 1e-30, 1e-9, 1.0, 1e9, f32::MAX];
    let affines = || scales.into_iter().flat_map(|scale| [-128, 127].map(|zero_point| Affine { scale, zero_point }));
    for (input, output) in affines().flat_map(|input| affines().map(move |output| (input, output))) {
        for count in [1, 3, MeanS8::MAX_COUNT] {
            let layer = MeanS8::new(input, output, count);
            assert!(layer.is_consistent(), "{layer:?}");
            for sum in [i32::MIN, -1, 0, i32::MAX] {
                layer.apply(sum);
            }
        }
        let mul = MulS8 {
            input_zero_points: [-128, 127],
            factor: MulS8::factor([input.scale; 2], output.scale),
            zero_point: output.zero_point,
            activation: [-128, 127],
        };
        let rescale = [RescaleS8::quantize(input, output), RescaleS8::leaky_relu(input, output, 1e30)];
        assert!(mul.is_consistent() && rescale.iter().all(RescaleS8::is_consistent), "{mul:?} {rescale:?}");
        for value in [-128, -1, 0, 127] {
            mul.apply([value, !value]);
            rescale.iter().for_each(|layer| _ = layer.apply(value));
            logistic(input, value);
            tanh(input, value);
        }
    }
}
