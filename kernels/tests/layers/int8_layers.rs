//! The int8 kernels of every back end against TFLite's reference kernels, byte for byte.

use crate::record::{Record, TFLITE};
use thumbnet::arch::Backend;
use thumbnet::geometry::Geometry;
use thumbnet::int8::{
    AddS8, Affine, ConvS8, DenseS8, DepthwiseConvS8, MeanS8, MulS8, Packing, Requantize, RescaleS8, SoftmaxS8,
    fold_zero_point, quantize_multiplier,
};

/// Weights and what belongs to them, of a record with one scale or one a filter.
struct Weighted {
    weights: Vec<i8>,
    bias: Vec<i32>,
    multiplier: Vec<i32>,
    shift: Vec<i8>,
    input_zero_point: i8,
    zero_point: i8,
    activation: [i8; 2],
}

impl Weighted {
    /// The weights of a row for each channel, whichever way the record has them.
    fn read(record: &Record) -> Self {
        let [input, output] = record.quantization();
        let (mut weights, bias, scales) = (record.bytes("in1"), record.words("in2"), record.floats("in1.scale"));
        if record.shape("in1")[0] != bias.len() {
            let channels = bias.len();
            weights =
                (0..channels).flat_map(|channel| weights.iter().skip(channel).step_by(channels).copied()).collect();
        }
        let rows = weights.chunks_exact(weights.len() / bias.len());
        let bias: Vec<_> = bias.iter().zip(rows).map(|(&b, row)| fold_zero_point(b, input.zero_point, row)).collect();
        let real = |scale: f32| f64::from(input.scale) * f64::from(scale) / f64::from(output.scale);
        let factors = scales.iter().cycle().take(bias.len()).map(|&scale| quantize_multiplier(real(scale)));
        let (multiplier, shift) = factors.map(|factor| (factor.multiplier, factor.shift)).unzip();
        let (input_zero_point, zero_point) = (input.zero_point, output.zero_point);
        let activation = record.activation(output);
        Self { weights, bias, multiplier, shift, input_zero_point, zero_point, activation }
    }

    fn requantize(&self) -> Requantize<'_> {
        let Self { multiplier, shift, zero_point, activation, .. } = self;
        Requantize { multiplier, shift, zero_point: *zero_point, activation: *activation }
    }
}

fn max_pool(backend: Backend, geometry: &Geometry, input: &[i8]) -> Vec<i8> {
    let mut output = vec![99; input.len() / geometry.input().len() * geometry.output().len()];
    backend.max_pool_s8(geometry, input, &mut output);
    output
}

/// The kernels have no fused activation: it is a clamp behind them.
#[test]
fn max_pool_2d() {
    for record in ["max_pool_2d", "reduce_max"].into_iter().flat_map(|kind| TFLITE.records(kind)) {
        let [_, output] = record.quantization();
        let [least, largest] = record.activation(output);
        for backend in Backend::available() {
            let mut pooled = max_pool(backend, &record.pooling(), &record.bytes("in0"));
            pooled.iter_mut().for_each(|value| *value = (*value).clamp(least, largest));
            assert_eq!(pooled, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}

#[test]
fn average_pool_2d() {
    for record in TFLITE.records("average_pool_2d") {
        let ([_, output], geometry) = (record.quantization(), record.pooling());
        for backend in Backend::available() {
            let mut pooled = vec![99; record.bytes("out").len()];
            backend.average_pool_s8(&geometry, record.activation(output), &record.bytes("in0"), &mut pooled);
            assert_eq!(pooled, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}

#[test]
fn mean() {
    for record in TFLITE.records("mean") {
        let ([input, output], [samples, height, width, _]) =
            (record.quantization(), record.shape("in0")[..].try_into().unwrap());
        let (mean, values, expected) =
            (MeanS8::new(input, output, height * width), record.bytes("in0"), record.bytes("out"));
        for backend in Backend::available() {
            let mut means = vec![99; expected.len()];
            for (x, y) in values.chunks(values.len() / samples).zip(means.chunks_mut(expected.len() / samples)) {
                backend.mean_s8(&mean, x, y);
            }
            assert_eq!(means, expected, "{record} on {}", backend.name());
        }
    }
}

/// A padding that nothing behind it can take over, and a reshape, which passes bytes on: a whole network, since neither
/// is a kernel by itself.
#[cfg(feature = "alloc")]
#[test]
fn pad_and_reshape() {
    use thumbnet::blob::{About, Family, Loaded, write};
    use thumbnet::geometry::Shape;
    use thumbnet::graph::{AllOps, Graph, Node, Op};
    use thumbnet::infer::run;
    use thumbnet::int8::QuantizedMultiplier;
    use thumbnet::quantize::{OwnedAfter, QuantizedNetwork, QuantizedStep};

    for record in TFLITE.records("pad") {
        let [input, output] = record.quantization();
        let [_, height, width, channels] = record.shape("in0")[..].try_into().unwrap();
        let pads: Vec<usize> = record.words("in1").into_iter().map(|pad| pad as usize).collect();
        let [0, 0, above, below, left, right, 0, 0] = pads[..] else { panic!("{record} pads {pads:?}") };
        let shape = Shape::new(height, width, channels);
        let padded = Shape::new(above + height + below, left + width + right, channels);
        let padding = Op::ZeroPadding2D { padding: [[above, below], [left, right]] };
        let node = |name, op, reads, output| Node { name, op, inputs: [reads, 0], output, weights: 0 };
        let nodes = [
            node("input", Op::Input, 0, shape),
            node("pad", padding, 0, padded),
            node("row", Op::Reshape, 1, Shape::vector(padded.len())),
        ];
        let step = QuantizedStep {
            weights: Vec::new(),
            bias: Vec::new(),
            multiplier: Vec::new(),
            shift: Vec::new(),
            zero_point: input.zero_point,
            activation: [-128, 127],
            factors: [QuantizedMultiplier::ZERO; 3],
            after: OwnedAfter::Nothing,
            output,
        };
        let network = QuantizedNetwork { input, steps: vec![step] };
        let graph = Graph { name: "Padding", nodes: &nodes };
        let blob = write(&graph, &network, Family::Plain, &About::default()).unwrap();
        let mut aligned = vec![0u128; blob.len().div_ceil(16)];
        bytemuck::cast_slice_mut(&mut aligned)[..blob.len()].copy_from_slice(&blob);
        let loaded = Loaded::read(bytemuck::cast_slice(&aligned)).unwrap();
        let (plan, steps) = (loaded.plan(), loaded.steps());
        let (mut activations, mut scratch) = (vec![0; plan.values], vec![0; plan.scratch_bytes(&graph) / 4]);
        let (images, expected) = (record.bytes("in0"), record.bytes("out"));
        for backend in Backend::available() {
            for (image, expected) in images.chunks(shape.len()).zip(expected.chunks(padded.len())) {
                activations.fill(99);
                let found = run::<AllOps>(backend, &loaded.parts(), &steps, image, &mut activations, &mut scratch);
                assert_eq!(found, expected, "{record} on {}", backend.name());
            }
        }
    }
    for record in TFLITE.records("reshape") {
        assert_eq!(record.bytes("in0"), record.bytes("out"), "{record}");
    }
}

#[test]
fn add() {
    for record in TFLITE.records("add") {
        let [a, b, output] = record.quantization();
        let [of_a, of_b, of_output] = AddS8::factors([a.scale, b.scale], output.scale);
        let layer = AddS8 {
            input_zero_points: [a.zero_point, b.zero_point],
            inputs: [of_a, of_b],
            output: of_output,
            zero_point: output.zero_point,
            activation: record.activation(output),
        };
        for backend in Backend::available() {
            let mut sum = record.bytes("in0");
            backend.add_s8(&layer, &record.bytes("in1"), &mut sum);
            assert_eq!(sum, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
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
        for backend in Backend::available() {
            let mut product = record.bytes("in0");
            backend.multiply_s8(&layer, &record.bytes("in1"), &mut product);
            assert_eq!(product, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}

/// Along the channels. What has another scale goes through `QUANTIZE` in TFLite.
#[test]
fn concatenation() {
    let mut last_axis = 0;
    for record in TFLITE.records("concatenation") {
        let quantization: Vec<Affine> = record.quantizations();
        let (output, inputs) = quantization.split_last().unwrap();
        let widths: Vec<usize> = (0..inputs.len()).map(|i| *record.shape(&format!("in{i}")).last().unwrap()).collect();
        let width = *record.shape("out").last().unwrap();
        if widths.iter().sum::<usize>() != width {
            continue;
        }
        last_axis += 1;
        for backend in Backend::available() {
            let mut y = vec![99; record.bytes("out").len()];
            let mut first = 0;
            for (i, input) in inputs.iter().enumerate() {
                let layer = RescaleS8::quantize(*input, *output);
                backend.concatenate_s8(&layer, widths[i], &record.bytes(&format!("in{i}")), [first, width], &mut y);
                first += widths[i];
            }
            assert_eq!(y, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
    assert!(last_axis >= 3, "{last_axis} records");
}

#[test]
fn conv_2d() {
    for record in TFLITE.records("conv_2d") {
        let [_, height, width, _] = record.shape("in1")[..].try_into().unwrap();
        let (weighted, geometry) = (Weighted::read(&record), record.geometry([height, width]));
        let layer = ConvS8 {
            geometry: &geometry,
            pool: None,
            input_zero_point: weighted.input_zero_point,
            weights: &weighted.weights,
            packing: Packing::Plain,
            bias: &weighted.bias,
            requantize: weighted.requantize(),
        };
        for backend in Backend::available() {
            let mut output = vec![99; record.bytes("out").len()];
            let mut scratch = vec![-1; Backend::conv_s8_scratch_len(&geometry, None)];
            backend.conv_s8(&layer, &record.bytes("in0"), &mut output, &mut scratch);
            assert_eq!(output, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}

/// Multipliers 1, 2 and 8, strides, windows that are no squares.
#[test]
fn depthwise_conv_2d() {
    for record in TFLITE.records("depthwise_conv_2d") {
        let [_, height, width, channels] = record.shape("in1")[..].try_into().unwrap();
        let (weighted, geometry) = (Weighted::read(&record), record.geometry([height, width]));
        let by_tap: Vec<i8> = (0..height * width)
            .flat_map(|tap| weighted.weights.iter().skip(tap).step_by(height * width).copied())
            .collect();
        assert_eq!(by_tap.len(), height * width * channels);
        let layer = DepthwiseConvS8 {
            geometry: &geometry,
            input_zero_point: weighted.input_zero_point,
            weights: &by_tap,
            bias: &weighted.bias,
            requantize: weighted.requantize(),
        };
        for backend in Backend::available() {
            let mut output = vec![99; record.bytes("out").len()];
            let mut scratch = vec![99; Backend::depthwise_conv_s8_scratch_len(&geometry)];
            backend.depthwise_conv_s8(&layer, &record.bytes("in0"), &mut output, &mut scratch);
            assert_eq!(output, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}

/// Weights of one scale, as most public networks have them. One record has several rows a sample.
#[test]
fn fully_connected() {
    for record in TFLITE.records("fully_connected") {
        let weighted = Weighted::read(&record);
        let [units, inputs] = record.shape("in1")[..].try_into().unwrap();
        let layer = DenseS8 {
            inputs,
            units,
            weights: &weighted.weights,
            packing: Packing::Plain,
            bias: &weighted.bias,
            requantize: weighted.requantize(),
        };
        for backend in Backend::available() {
            let mut output = vec![99; record.bytes("out").len()];
            let mut scratch = vec![-1; Backend::dense_s8_scratch_len(inputs, units)];
            backend.dense_s8(&layer, &record.bytes("in0"), &mut output, &mut scratch);
            assert_eq!(output, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}

/// Over the last axis, of a matrix and at each position of a plane.
#[test]
fn softmax() {
    for record in TFLITE.records("softmax") {
        let [input, _] = record.quantization();
        let layer = SoftmaxS8::new(f64::from(input.scale));
        for backend in Backend::available() {
            let mut values = record.bytes("in0");
            backend.softmax_s8(&layer, *record.shape("in0").last().unwrap(), &mut values);
            assert_eq!(values, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}
