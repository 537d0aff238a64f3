use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::{Affine, MeanS8};

fn run(backend: Backend, geometry: &Geometry, input: &[i8]) -> Vec<i8> {
    let mut output = Fenced::new(input.len() / geometry.input().len() * geometry.output().len(), 0x55);
    backend.max_pool_s8(geometry, input, output.inside());
    output.checked().to_vec()
}

/// Lengths whose product with a sample's wraps round to zero are not believed to be none, and others are refused by
/// name, too.
#[test]
fn refuses_what_are_no_samples() {
    let new =
        |height, channels| Geometry::new(Shape::new(height, 1, 1), channels, [2, 1], [1, 1], Padding::Same).unwrap();
    let (huge, three, other) = (new(1 << (usize::BITS - 24), 1), new(3, 1), new(3, 2));
    let inputs = vec![0; 1 << 24];
    for backend in backends() {
        for (g, inputs, outputs) in
            [(huge, &inputs[..], 0), (three, &[0; 3], 6), (three, &[0; 4], 4), (three, &[0; 6], 3)]
        {
            let said = refusal(|| backend.max_pool_s8(&g, inputs, &mut vec![0; outputs]));
            assert!(said.contains("same samples") && said.contains(&g.to_string()), "{}: {said}", backend.name());
        }
        let said = refusal(|| backend.max_pool_s8(&other, &[0; 3], &mut [0; 6]));
        assert!(said.contains("keeps the channels") && said.contains(&other.to_string()), "{}: {said}", backend.name());
        backend.max_pool_s8(&huge, &[], &mut []);
    }
}

#[test]
pub(crate) fn random_windows() {
    let mut random = Random(1);
    for _ in 0..cases(1000) {
        let channels = random.between(1, 80);
        let geometry = random.geometry(channels, channels);
        let samples = random.between(1, 3);
        let input = bytes(&mut random, samples * geometry.input().len());
        let expected = run(Backend::SCALAR, &geometry, &input);
        for backend in backends() {
            assert!(run(backend, &geometry, &input) == expected, "{} differs for {geometry:?}", backend.name());
        }
    }
}

/// TFLite's bytes are in `layers`; here every back end, and every size.
#[test]
pub(crate) fn random_averages() {
    let mut random = Random(2);
    for _ in 0..cases(1000) {
        let channels = random.between(1, 80);
        let geometry = random.geometry(channels, channels);
        let samples = random.between(1, 3);
        let input = bytes(&mut random, samples * geometry.input().len());
        let activation = if random.next().is_multiple_of(2) { [-128, 127] } else { [-5, 90] };
        let average = |backend: Backend| {
            let mut output = Fenced::new(samples * geometry.output().len(), 0x55);
            backend.average_pool_s8(&geometry, activation, &input, output.inside());
            output.checked().to_vec()
        };
        let whole = geometry.input();
        let scale = |random: &mut Random| random.between(1, 1000) as f32 / 1000.0;
        let ends = [Affine { scale: scale(&mut random), zero_point: 127 }, Affine { scale: 0.3, zero_point: -128 }];
        let mean = MeanS8::new(ends[0], ends[1], whole.height * whole.width);
        let of_channels = |backend: Backend| {
            let mut output = Fenced::new(channels, 0x55);
            backend.mean_s8(&mean, &input[..whole.len()], output.inside());
            output.checked().to_vec()
        };
        let expected = (average(Backend::SCALAR), of_channels(Backend::SCALAR));
        for backend in backends() {
            let found = (average(backend), of_channels(backend));
            assert!(found == expected, "{} differs for {geometry:?}", backend.name());
        }
    }
}

#[test]
fn refuses_what_has_no_mean() {
    let g = Geometry::new(Shape::new(3, 1, 2), 2, [3, 1], [1, 1], Padding::Valid).unwrap();
    let mean = MeanS8::new(Affine::PROBABILITY, Affine::PROBABILITY, 3);
    let mut output = [0; 2];
    let huge = Geometry::new(Shape::new(1 << 12, 1 << 12, 1), 1, [1 << 12, 1 << 12], [1, 1], Padding::Valid).unwrap();
    for backend in backends() {
        let said = refusal(|| backend.average_pool_s8(&g, [1, 0], &[0; 6], &mut output));
        assert!(said.contains("[1, 0]"), "{said}");
        let said = refusal(|| backend.average_pool_s8(&huge, [-128, 127], &[], &mut []));
        assert!(said.contains("at most 8388608 values"), "{said}");
        let said = refusal(|| backend.mean_s8(&mean, &[0; 5], &mut output));
        assert!(said.starts_with("5 values are not"), "{said}");
        refusal(|| backend.mean_s8(&mean, &[], &mut []));
        let undefined = MeanS8 { factor: thumbnet::int8::QuantizedMultiplier { multiplier: -1, shift: 0 }, ..mean };
        let said = refusal(|| backend.mean_s8(&undefined, &[0; 6], &mut output));
        assert!(said.contains("not defined"), "{said}");
    }
}
