use crate::support::backends;

#[test]
pub(crate) fn operations_are_counted_per_round() {
    for backend in backends() {
        let one = backend.multiply_adds(1);
        assert!(one > 0, "{}", backend.name());
        assert_eq!(backend.multiply_adds(0), 0, "{}", backend.name());
        assert_eq!(backend.multiply_adds(1000), 1000 * one, "{}", backend.name());
    }
}
