use crate::support::{Random, backends, refusal};
use crate::values::{Fenced, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Shape};

fn run(backend: Backend, geometry: &Geometry, input: &[i8]) -> Vec<i8> {
    let mut output = Fenced::new(input.len() / geometry.input.len() * geometry.output.len(), 0x55);
    backend.max_pool_s8(geometry, input, output.inside());
    output.checked().to_vec()
}

/// Sizes whose product wraps round to that of a short sample must not be believed.
#[test]
fn refuses_sizes_that_wrap() {
    let input = Shape::new(usize::MAX / 3 * 2 + 1, 3, 1);
    let g = Geometry { input, output: Shape::new(1, 1, 1), kernel: [2, 2], strides: [1, 1], padding: [0, 0] };
    for backend in backends() {
        let said = refusal(|| backend.max_pool_s8(&g, &[0], &mut [0]));
        assert!(said.contains("sizes that no slice has"), "{}: {said}", backend.name());
    }
}

#[test]
pub(crate) fn random_windows() {
    let mut random = Random(1);
    for _ in 0..cases(1000) {
        let channels = random.between(1, 80);
        let geometry = random.geometry(channels, channels);
        let samples = random.between(1, 3);
        let input = bytes(&mut random, samples * geometry.input.len());
        let expected = run(Backend::SCALAR, &geometry, &input);
        for backend in backends() {
            assert!(run(backend, &geometry, &input) == expected, "{} differs for {geometry:?}", backend.name());
        }
    }
}
