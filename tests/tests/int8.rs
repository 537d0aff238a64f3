//! The int8 cases on the host, in every back end that its CPU has.
use device_tests::int8_cases::{self, Buffers, run};
use thumbnet::arch::Backend;

#[test]
fn every_back_end_equals_the_oracle() {
    let mut buffers = Box::new(Buffers::new());
    for backend in Backend::available() {
        let mut differences = Vec::new();
        let comparisons = run(backend, &mut buffers, &mut |difference| differences.push(difference));
        assert!(differences.is_empty(), "{}: {differences:#?}", backend.name());
        assert_eq!(comparisons, int8_cases::comparisons(3));
    }
}
