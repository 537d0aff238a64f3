//! Gives the linker the memory of the chosen board, and the scripts of cortex-m-rt and defmt.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let memory = PathBuf::from("boards").join(board()).join("memory.x");
    println!("cargo::rerun-if-changed={}", memory.display());
    fs::copy(&memory, out.join("memory.x")).unwrap_or_else(|error| panic!("{}: {error}", memory.display()));
    println!("cargo::rustc-link-search={}", out.display());
    for argument in ["-Tlink.x", "-Tdefmt.x", "--nmagic"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}

/// The folder of the one board whose feature is on.
fn board() -> String {
    let boards = fs::read_dir("boards").expect("the boards folder is part of the package");
    let mut chosen: Vec<String> = boards
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase())).is_some())
        .collect();
    match (chosen.pop(), chosen.pop()) {
        (Some(board), None) => board,
        (None, _) => panic!("no board: give one as a feature, as in --features mps2-an386"),
        (Some(a), Some(b)) => panic!("two boards, {a} and {b}: give --no-default-features with the one you mean"),
    }
}
