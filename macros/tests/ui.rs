//! What `sequential!` refuses, and what it says then.

#[test]
fn errors_name_the_layer() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
