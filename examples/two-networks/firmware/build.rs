//! Passes the linker the scripts of cortex-m-rt and defmt. `memory.x` comes from the board, in the crate `firmware`.

fn main() {
    for argument in ["-Tlink.x", "-Tdefmt.x", "--nmagic"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
