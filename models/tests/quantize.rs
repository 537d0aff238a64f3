//! Quantisation at the ends of what numbers hold: weights of any size beside any bias, sums that outgrow 32 bits,
//! calibrations and quantised networks that nobody would make on purpose.

use thumbnet::arch::Backend;
use thumbnet::blob::{About, Family, write};
use thumbnet::geometry::Shape;
use thumbnet::graph::{Activation, Graph, Node, Op};
use thumbnet::network::{Memory, forward};
use thumbnet::quantize::{Calibration, Calibrator, QuantizeError, QuantizedNetwork, Range, quantize};
use thumbnet::{Network, sequential};

sequential! {
    struct Units: [1, 1, 2] {
        units: Dense { units: 3 },
    }
}

sequential! {
    struct Relus: [1, 1, 2] {
        units: Dense { units: 3, activation: Relu },
    }
}

sequential! {
    struct Hidden: [1, 1, 2] {
        hidden: Dense { units: 2, activation: Relu },
        units: Dense { units: 2 },
    }
}

sequential! {
    struct Filters: [4, 4, 1] {
        conv: Conv2D { filters: 2, kernel_size: 3, padding: Same, activation: Relu },
    }
}

sequential! {
    /// All kinds of layers.
    struct Every: [4, 4, 1] {
        conv: Conv2D { filters: 3, kernel_size: 2, activation: Tanh },
        pool: MaxPooling2D { pool_size: 2, strides: 1 },
        free: MaxPooling2D { pool_size: 1 },
        flatten: Flatten,
        drop: Dropout { rate: 0.5 },
        hidden: Dense { units: 2, activation: Relu6, use_bias: false },
        scores: Dense { units: 3, activation: Softmax },
    }
}

sequential! {
    /// One unit that 32 bits are enough for, where all weights are equal, and one that they are not.
    struct Wide: [1, 1, 60_000] {
        units: Dense { units: 1 },
    }
}

sequential! {
    struct Wider: [1, 1, 70_000] {
        units: Dense { units: 2 },
    }
}

sequential! {
    struct WiderFilter: [1, 2, 70_000] {
        conv: Conv2D { filters: 1, kernel_size: 1 },
        pool: MaxPooling2D { pool_size: (1, 2) },
    }
}

/// 64 images whose pixels are multiples of 1/255 and reach from 0 to 1, so that int8 holds each exactly.
fn images<N: Network>() -> Vec<f32> {
    let pixel = |at: usize| ((at / N::INPUT.len() * 85 + at % N::INPUT.len() * 37) % 256) as f32 / 255.0;
    (0..64 * N::INPUT.len()).map(pixel).collect()
}

fn calibrated<N: Network>(weights: &[f32], x: &[f32], range: Range) -> Calibration {
    let mut calibrator = Calibrator::new(N::GRAPH, range);
    let mut memory = vec![0.0; calibrator.memory_len(x.len() / N::INPUT.len())];
    calibrator.observe(Backend::SCALAR, weights, x, &mut memory).unwrap();
    calibrator.finish()
}

/// A copy that lies where a blob may; `u128` is aligned to 16.
fn aligned(bytes: &[u8]) -> Vec<u128> {
    let mut copy = vec![0; bytes.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut copy)[..bytes.len()].copy_from_slice(bytes);
    copy
}

/// How far the int8 network of these weights is from the f32 one over [`images`], at most, in steps of the output.
fn worst_steps<N: Network>(weights: &[f32]) -> Result<f32, QuantizeError> {
    let x = images::<N>();
    let quantized = quantize(&N::GRAPH, weights, &calibrated::<N>(weights, &x, Range::MinMax))?;
    let copy = aligned(&write(&N::GRAPH, &quantized, Family::Plain, &About::default()).unwrap());
    let network = N::from_blob(bytemuck::cast_slice(&copy)).unwrap();
    let mut memory = vec![0.0; N::inference_len(64)];
    let expected = forward::<N>(Backend::SCALAR, weights, &x, &mut memory).unwrap();
    let mut worst = 0.0f32;
    for (x, expected) in x.chunks(N::INPUT.len()).zip(expected.chunks(N::OUTPUT.len())) {
        let mut image = N::ZERO_IMAGE;
        for (q, x) in image.as_mut().iter_mut().zip(x) {
            *q = network.input().quantize(*x);
        }
        let mut memory = N::ZERO_MEMORY;
        let scores = network.predict(&image, &mut memory);
        for (score, expected) in scores.as_ref().iter().zip(expected) {
            worst = worst.max((network.output().dequantize(*score) - expected).abs() / network.output().scale);
        }
    }
    Ok(worst)
}

/// Of any size down to nothing, the least number that is not subnormal and the least of all among them.
const SIZES: [f32; 19] = [
    1.0, 1e-3, 1e-5, 1e-6, 1e-7, 3e-8, 1e-8, 3e-9, 1e-9, 1e-10, 1e-12, 1e-20, 1e-30, 1.2e-38, 1e-40, 1e-42, 1e-44,
    1e-45, 0.0,
];

#[test]
fn weights_of_any_size_beside_any_bias_are_within_a_step() {
    for size in SIZES {
        for bias in [0.0, 1.0, -1.0, 1e-3, -0.15, 100.0, 1e-20, 1e-40] {
            let weights = [1.27, size, -1.27, -0.64, -size, 0.63, 0.1, bias, -0.1];
            let worst = [worst_steps::<Units>(&weights).unwrap(), worst_steps::<Relus>(&weights).unwrap()];
            assert!(worst.iter().all(|&worst| worst <= 1.0), "{size:e} beside {bias:e}: {worst:?} steps");
        }
        let all = [1.27, 1.27, -1.27, -0.64, -1.27, 0.63, 0.1, 0.3, -0.1].map(|weight| weight * size);
        let worst = worst_steps::<Units>(&all).unwrap();
        assert!(worst <= 1.0, "all of them times {size:e}: {worst} steps");
    }
}

#[test]
fn filters_of_any_size_are_within_a_step() {
    for size in SIZES {
        let kernel = (0..9).flat_map(|k| [0.1 * (k as f32 - 4.0), if k % 2 == 0 { size } else { -size }]);
        let worst = worst_steps::<Filters>(&kernel.chain([0.05, 1.0]).collect::<Vec<_>>()).unwrap();
        assert!(worst <= 1.0, "{size:e}: {worst} steps");
    }
}

#[test]
fn a_bias_shows_beside_any_hidden_values() {
    // Hidden values up to `large`, which int8 holds exactly, and a unit that knows little of them but its bias.
    for large in [149.0, 1e6, 1e20, 1e36] {
        for size in SIZES {
            let tiny = size * 1e-3 / large;
            let worst =
                worst_steps::<Hidden>(&[large, 0.0, 0.0, large, 0.0, 0.0, 0.1 / large, tiny, 0.0, tiny, 0.0, 0.15]);
            assert!(worst.clone().unwrap() <= 1.0, "{tiny:e} beside {large:e}: {worst:?} steps");
        }
    }
}

#[test]
fn units_that_never_fire_stay_off() {
    for bias in [-1e3, -1e10, -1e20, -1e38] {
        for size in SIZES {
            let worst = worst_steps::<Relus>(&[1.27, size, -1.27, -0.64, -size, 0.63, 0.1, bias, 1e-9]).unwrap();
            assert!(worst <= 1.0, "{size:e} beside {bias:e}: {worst} steps");
        }
    }
    assert_eq!(worst_steps::<Relus>(&[-1.0; 9]), Ok(0.0), "all of them");
    assert_eq!(worst_steps::<Relus>(&[0.0; 9]), Ok(0.0), "no weights at all");
}

#[test]
fn ranges_of_any_size_have_a_scale() {
    // Sums that f32 holds, but not the width of their range.
    let worst = worst_steps::<Units>(&[3e38, -3e38, 1e38, 0.0, 0.0, -2e38, 0.0, 0.0, 0.0]).unwrap();
    assert!(worst <= 1.0, "{worst} steps");
}

/// Images of nothing but 1 and of nothing but 0.
fn bright_and_dark<N: Network>() -> Vec<f32> {
    [vec![1.0; N::INPUT.len()], vec![0.0; N::INPUT.len()]].concat()
}

#[test]
fn sums_that_outgrow_32_bits_are_refused() {
    fn refusal<N: Network>(weights: &[f32]) -> QuantizeError {
        let quantized = quantize(&N::GRAPH, weights, &calibrated::<N>(weights, &bright_and_dark::<N>(), Range::MinMax));
        // Without the network, which `unwrap_err` would print with all its weights.
        quantized.map(drop).unwrap_err()
    }
    // The second unit alone is too much, as the mean of its inputs or as less than nothing.
    for sign in [1.0, -1.0] {
        let mut weights: Vec<f32> =
            (0..140_000).map(|i| [if i % 7 == 0 { 1e-5 } else { 0.0 }, sign / 70_000.0][i % 2]).collect();
        weights.extend([0.0, 0.0]);
        let sum = sign as i64 * 70_000 * 127 * 255;
        assert_eq!(refusal::<Wider>(&weights), QuantizeError::Sum { layer: "units".into(), channel: 1, sum });
    }
    let text = "layer `conv`: the sum of channel 0 can reach 2266950000, but must stay in -2147483648..=2147483647, \
        the range of 32 bits";
    let weights = [vec![1.0 / 70_000.0; 70_000], vec![0.0]].concat();
    assert_eq!(refusal::<WiderFilter>(&weights).to_string(), text);
    // A bias of half of 32 bits, beside weights that take more than the other half.
    let weights = [vec![1e-9; 60_000], vec![3e-5]].concat();
    assert!(matches!(refusal::<Wide>(&weights), QuantizeError::Sum { layer, channel: 0, .. } if layer == "units"));
}

#[test]
fn sums_that_nearly_outgrow_32_bits_are_right() {
    let weights = [vec![1.0 / 60_000.0; 60_000], vec![0.0]].concat();
    let quantized =
        quantize(&Wide::GRAPH, &weights, &calibrated::<Wide>(&weights, &bright_and_dark::<Wide>(), Range::MinMax));
    let copy = aligned(&write(&Wide::GRAPH, &quantized.unwrap(), Family::Plain, &About::default()).unwrap());
    let network = Wide::from_blob(bytemuck::cast_slice(&copy)).unwrap();
    for backend in Backend::available() {
        let network = network.with_backend(backend);
        for (x, y) in [(0.0, -128), (1.0, 127)] {
            let image = [network.input().quantize(x); 60_000];
            assert_eq!(network.predict(&image, &mut Memory::default()), [y], "{x} on {}", backend.name());
        }
    }
}

/// A calibration of [`Every`] that nothing is wrong with.
fn calibration() -> Calibration {
    Calibration { input: [0.0, 1.0], layers: vec![[-1.0, 1.0]; Every::GRAPH.layers().len()] }
}

fn quantize_every(calibration: &Calibration) -> Result<QuantizedNetwork, QuantizeError> {
    quantize(&Every::GRAPH, &[0.1; Every::PARAMETERS], calibration)
}

#[test]
fn calibrations_of_other_networks_are_refused() {
    quantize_every(&calibration()).unwrap();
    for layers in [0, 1, 6, 8, 100] {
        let error = quantize_every(&Calibration { layers: vec![[-1.0, 1.0]; layers], ..calibration() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the calibration has the ranges of {layers} layers, but the network has 7")
        );
    }
}

#[test]
fn ranges_that_are_none_are_refused() {
    const NONE: [[f32; 2]; 6] = [
        [f32::NAN, f32::NAN],
        [f32::NAN, 1.0],
        [0.0, f32::NAN],
        [0.0, f32::INFINITY],
        [f32::NEG_INFINITY, 0.0],
        [1.0, -1.0],
    ];
    for [min, max] in NONE {
        let text = format!("the calibrated range {min:?} to {max:?}, but it must be finite, the least value first");
        let error = quantize_every(&Calibration { input: [min, max], ..calibration() }).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the input has {text}")), "{error}");
        for (i, layer) in Every::GRAPH.layers().iter().enumerate() {
            let mut calibration = calibration();
            calibration.layers[i] = [min, max];
            let error = quantize_every(&calibration).unwrap_err().to_string();
            assert!(error.starts_with(&format!("layer `{}` has {text}", layer.name)), "{error}");
        }
    }
    let error = quantize_every(&Calibration { input: [0.0, -0.0], ..calibration() }).unwrap_err();
    let text = "the input has the calibrated range 0.0 to 0.0, but must hold other values for a scale to follow";
    assert_eq!(error.to_string(), text);
}

#[test]
fn calibrators_that_saw_no_range_are_refused() {
    let weights = vec![0.1; Every::PARAMETERS];
    let x = images::<Every>();
    let refused = |calibration: &Calibration| {
        let error = quantize_every(calibration).unwrap_err();
        assert!(matches!(error, QuantizeError::InputRange { .. }), "{error}");
    };
    for range in [Range::MinMax, Range::Percentile(99.0), Range::Percentile(100.0)] {
        refused(&Calibrator::new(Every::GRAPH, range).finish());
        refused(&calibrated::<Every>(&weights, &[vec![f32::NAN], x[1..].to_vec()].concat(), range));
        refused(&calibrated::<Every>(&weights, &vec![0.0; x.len()], range));
        quantize_every(&calibrated::<Every>(&weights, &x, range)).unwrap();
        // Sums beyond f32, of inputs that are not.
        let error = quantize_every(&calibrated::<Every>(&[3e38; Every::PARAMETERS], &x, range)).unwrap_err();
        assert!(matches!(&error, QuantizeError::Range { layer, .. } if layer == "conv"), "{error}");
        // Dead units have a range.
        quantize_every(&calibrated::<Every>(&[-0.1; Every::PARAMETERS], &x, range)).unwrap();
    }
    for percent in [f32::NAN, -5.0, 0.0, 50.0, 100.1, 1e30, f32::INFINITY] {
        refused(&calibrated::<Every>(&weights, &x, Range::Percentile(percent)));
    }
}

#[test]
fn softmax_of_too_many_classes_is_refused() {
    // More classes than `sequential!` lets pass.
    const CLASSES: usize = 4097;
    let node = |name, op, len| Node { name, op, inputs: [0; 2], output: Shape::vector(len), weights: 0 };
    let dense = Op::Dense { inputs: 2, use_bias: true, activation: Activation::Softmax };
    let graph = Graph { name: "Classes", nodes: &[node("input", Op::Input, 2), node("scores", dense, CLASSES)] };
    let calibration = Calibration { input: [0.0, 1.0], layers: vec![[0.0, 1.0]] };
    let error = quantize(&graph, &vec![0.0; graph.parameters()], &calibration).unwrap_err();
    let text = "layer `scores` has a softmax of 4097 classes, but int8 softmax has at most 4096";
    assert_eq!(error.to_string(), text);
}
