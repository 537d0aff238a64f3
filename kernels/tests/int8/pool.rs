use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};

fn run(backend: Backend, geometry: &Geometry, input: &[i8]) -> Vec<i8> {
    let mut output = Fenced::new(input.len() / geometry.input().len() * geometry.output().len(), 0x55);
    backend.max_pool_s8(geometry, input, output.inside());
    output.checked().to_vec()
}

/// Lengths whose product with a sample's wraps round to zero are not believed to be none, and others are refused by name, too.
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
