//! What the library is built from.

use std::process::Command;

/// The crates that the library needs with the given features, without itself.
fn dependencies(features: &str) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--package", "thumbnet", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = cargo.args(["--no-default-features", "--features", features]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn only_what_writes_files_needs_serde_and_postcard() {
    let writes_files = |name: &String| name.starts_with("serde") || name == "postcard";
    let (device, pc) = (dependencies(""), dependencies("alloc"));
    assert!(!device.iter().any(writes_files), "{device:?}");
    assert!(device.iter().any(|name| name == "bytemuck") && pc.iter().any(writes_files), "{device:?} {pc:?}");
}
