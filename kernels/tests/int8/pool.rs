use crate::support::{Random, backends};
use crate::values::{Fenced, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::geometry::Geometry;

fn run(backend: Backend, geometry: &Geometry, input: &[i8]) -> Vec<i8> {
    let mut output = Fenced::new(input.len() / geometry.input.len() * geometry.output.len(), 0x55);
    backend.max_pool_s8(geometry, input, output.inside());
    output.checked().to_vec()
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
