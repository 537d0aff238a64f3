//! Passes the linker the scripts of cortex-m-rt and defmt, and `external.x`. `memory.x` comes from the board, in the
//! crate `firmware`.

fn main() {
    println!("cargo::rerun-if-changed=external.x");
    println!("cargo::rustc-link-search={}", std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    for argument in ["-Tlink.x", "-Tdefmt.x", "-Texternal.x", "--nmagic"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
