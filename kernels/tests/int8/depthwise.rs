use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, Tensors, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::DepthwiseConvS8;

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
    for _ in 0..cases(1000) {
        let (channels, multiplier, samples) = (random.between(1, 50), random.between(1, 3), random.between(1, 3));
        let g = random.geometry(channels, channels * multiplier);
        let tensors = Tensors::random(&mut random, channels * multiplier, g.kernel()[0] * g.kernel()[1]);
        let input = bytes(&mut random, samples * g.input().len());
        let layer = layer(&g, &tensors, bytes(&mut random, 1)[0]);
        let expected = run(Backend::SCALAR, &layer, &input);
        for backend in backends() {
            assert!(run(backend, &layer, &input) == expected, "{} differs for {layer:?}", backend.name());
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
