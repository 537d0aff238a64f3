use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, Tensors, byte, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::{ConvS8, DepthwiseConvS8, Packing};

fn run(backend: Backend, layer: &DepthwiseConvS8<'_>, input: &[i8]) -> Vec<i8> {
    let g = layer.geometry;
    let mut output = Fenced::new(input.len() / g.input().len() * g.output().len(), 0x55);
    let mut scratch = vec![99; Backend::depthwise_conv_s8_scratch_len(g)];
    backend.depthwise_conv_s8(layer, input, output.inside(), &mut scratch);
    output.checked().to_vec()
}

fn layer<'a>(geometry: &'a Geometry, tensors: &'a Tensors, input_zero_point: i8) -> DepthwiseConvS8<'a> {
    DepthwiseConvS8 {
        geometry,
        input_zero_point,
        weights: &tensors.weights,
        bias: &tensors.bias,
        requantize: tensors.requantize(),
    }
}

/// TFLite's bytes are in `layers`; here every back end, and every size.
#[test]
pub(crate) fn random_depthwise_convolutions() {
    let mut random = Random(1);
    let (mut multipliers, mut remainders) = ([0; 9], [0; 16]);
    for _ in 0..cases(1000) {
        let (multiplier, samples) = (random.between(1, 8), random.between(1, 3));
        let channels = random.between(1, 100 / multiplier);
        let g = random.geometry(channels, channels * multiplier);
        let tensors = Tensors::random(&mut random, channels * multiplier, g.kernel()[0] * g.kernel()[1]);
        let input = bytes(&mut random, samples * g.input().len());
        let layer = layer(&g, &tensors, bytes(&mut random, 1)[0]);
        let expected = run(Backend::SCALAR, &layer, &input);
        for backend in backends() {
            assert!(run(backend, &layer, &input) == expected, "{} differs for {layer:?}", backend.name());
        }
        multipliers[multiplier] += 1;
        remainders[channels * multiplier % 16] += 1;
    }
    assert!(!multipliers[1..].contains(&0) && !remainders.contains(&0), "{multipliers:?}, {remainders:?}");
}

/// The scalar kernel is that of a convolution whose weights are 0 between other channels.
#[test]
fn is_a_convolution_of_each_channel() {
    let mut random = Random(2);
    for multiplier in 1..=8 {
        for channels in [1, 2, 3, 5, 9] {
            let outputs = channels * multiplier;
            let g = random.geometry(channels, outputs);
            let taps = g.kernel()[0] * g.kernel()[1];
            let tensors = Tensors::random(&mut random, outputs, taps);
            let (input, zero_point) = (bytes(&mut random, g.input().len()), byte(&mut random));
            let mut weights = vec![0; outputs * taps * channels];
            for (i, weight) in tensors.weights.iter().enumerate() {
                let (tap, output) = (i / outputs, i % outputs);
                weights[(output * taps + tap) * channels + output / multiplier] = *weight;
            }
            let convolution = ConvS8 {
                geometry: &g,
                pool: None,
                input_zero_point: zero_point,
                weights: &weights,
                packing: Packing::Plain,
                bias: &tensors.bias,
                requantize: tensors.requantize(),
            };
            let mut expected = vec![99; g.output().len()];
            let mut scratch = vec![99; Backend::conv_s8_scratch_len(&g, None)];
            Backend::SCALAR.conv_s8(&convolution, &input, &mut expected, &mut scratch);
            let layer = layer(&g, &tensors, zero_point);
            for backend in backends() {
                assert!(run(backend, &layer, &input) == expected, "{} differs for {layer:?}", backend.name());
            }
        }
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let g = Geometry::new(Shape::new(3, 3, 2), 3, [2, 2], [1, 1], Padding::Valid).unwrap();
    let tensors = Tensors::random(&mut Random(3), 3, 4);
    for backend in backends() {
        let said = refusal(|| backend.depthwise_conv_s8(&layer(&g, &tensors, 0), &[0; 18], &mut [0; 12], &mut []));
        assert!(said.contains("do not fit"), "{said}");
        let fits = Geometry::new(Shape::new(3, 3, 3), 3, [2, 2], [1, 1], Padding::Valid).unwrap();
        let said = refusal(|| backend.depthwise_conv_s8(&layer(&fits, &tensors, 0), &[0; 26], &mut [0; 12], &mut []));
        assert!(said.contains("same samples"), "{said}");
    }
}
