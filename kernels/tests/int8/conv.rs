use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, Tensors, byte, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::quant::ConvS8;

fn run(backend: Backend, layer: &ConvS8<'_>, input: &[i8]) -> Vec<i8> {
    let samples = input.len() / layer.geometry.input.len();
    let mut output = Fenced::new(samples * layer.output_len(), 0x55);
    let mut scratch = Fenced::new(Backend::conv_s8_scratch_len(layer.geometry, layer.pool), 0x1234_5678);
    backend.conv_s8(layer, input, output.inside(), scratch.inside());
    scratch.checked();
    output.checked().to_vec()
}

fn check(random: &mut Random, geometry: Geometry, pool: Option<Geometry>, samples: usize) {
    let tensors = Tensors::random(random, geometry.output.channels, geometry.patch());
    let layer = ConvS8 {
        geometry: &geometry,
        pool: pool.as_ref(),
        input_zero_point: byte(random),
        weights: &tensors.weights,
        packing: tensors.packing,
        bias: &tensors.bias,
        requantize: tensors.requantize(),
    };
    let input = bytes(random, samples * geometry.input.len());
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

/// Sizes whose product wraps round to that of a short sample must not be believed.
#[test]
fn refuses_sizes_that_wrap() {
    let mut random = Random(1);
    let tensors = Tensors::random(&mut random, 1, 4);
    let third = usize::MAX / 3 * 2 + 1;
    let (wraps, one) = (Shape::new(third, 3, 1), Shape::new(1, 1, 1));
    let [two, kernel] = [[2, 2], [third, 3]];
    let pools = Geometry { input: one, output: wraps, kernel: two, strides: [1, 1], padding: [0, 0] };
    for (input, output, kernel, pool) in
        [(wraps, one, two, None), (one, wraps, two, None), (one, one, kernel, None), (one, one, two, Some(&pools))]
    {
        let geometry = Geometry { input, output, kernel, strides: [1, 1], padding: [0, 0] };
        let layer = ConvS8 {
            geometry: &geometry,
            pool,
            input_zero_point: 0,
            weights: &tensors.weights[..kernel[0].wrapping_mul(kernel[1])],
            packing: tensors.packing,
            bias: &tensors.bias,
            requantize: tensors.requantize(),
        };
        for backend in backends() {
            let said = refusal(|| backend.conv_s8(&layer, &[0], &mut [0], &mut [0; 1024]));
            assert!(said.contains("do not fit"), "{}: {said}", backend.name());
        }
    }
}

#[test]
pub(crate) fn random_convolutions() {
    let mut random = Random(1);
    for _ in 0..cases(1500) {
        let (channels, filters) = (random.between(1, 9), random.between(1, 70));
        let geometry = random.geometry(channels, filters);
        let pool = pool(&mut random, geometry.output);
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
        let pool = pool(&mut random, geometry.output);
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
        let pool = pool(&mut random, geometry.output);
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
        let pool = Geometry::new(geometry.output, filters, [2, 2], [2, 2], Padding::Same).unwrap();
        check(&mut random, geometry, Some(pool), 2);
        check(&mut random, geometry, None, 1);
    }
}
