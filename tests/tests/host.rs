//! The cases on the host.

#[test]
fn every_case() {
    // Cases keep their buffers on the stack, and those of the host's f32 kernels have megabytes.
    let cases = std::thread::Builder::new().stack_size(64 << 20).spawn(|| {
        let mut count = 0;
        for case in device_tests::all() {
            println!("{}", case.name);
            (case.run)();
            count += 1;
        }
        count
    });
    let count = cases.expect("a thread can be started").join().expect("every case passes");
    assert!(count >= 7, "only {count} cases: a list was forgotten");
}
