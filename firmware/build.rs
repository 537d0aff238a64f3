//! Gives the linker the memory of the chosen board and the scripts of cortex-m-rt and defmt, and the application its
//! network, blob and test images. These come from the environment:
//!
//! | variable | default |
//! |---|---|
//! | `THUMBNET_NETWORK` | `mnist-small`; of several, separated by commas, the program `bench` alone takes all |
//! | `THUMBNET_BLOB` | as many: `models/blobs/mnist_small.dsp.tnb`, or `.plain.tnb` for Cortex-M0 and Helium |
//! | `THUMBNET_IMAGES` | `firmware/digits.bin`: for each image its label, then its pixels, a byte each |
//!
//! A relative path starts at the root of the workspace.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The networks by the names of `host-train --network`, and those that measure layers.
const NETWORKS: [(&str, &str); 18] = [
    ("mnist-small", "MnistSmall"),
    ("mnist-convnet", "MnistConvNet"),
    ("mnist-tiny", "MnistTiny"),
    ("mnist-resnet", "MnistResNet"),
    ("resnet8", "ResNet8"),
    ("ds-cnn", "DsCnn"),
    ("mobilenet-v1", "MobileNetV1"),
    ("auto-encoder", "AutoEncoder"),
    ("pooled", "layers::Pooled"),
    ("strided", "layers::Strided"),
    ("pointwise", "layers::Pointwise"),
    ("unpooled", "layers::Unpooled"),
    ("sequence", "layers::Sequence"),
    ("spectrum", "layers::Spectrum"),
    ("camera", "layers::Camera"),
    ("depthwise", "layers::Depthwise"),
    ("pooling", "layers::Pooling"),
    ("merging", "layers::Merging"),
];

/// The boards, as cargo spells their features in the environment, and the targets of their cores.
const TARGETS: [(&str, &str); 8] = [
    ("microbit", "thumbv6m-none-eabi"),
    ("mps2_an385", "thumbv7m-none-eabi"),
    ("mps2_an385_m0", "thumbv6m-none-eabi"),
    ("mps2_an386", "thumbv7em-none-eabihf"),
    ("mps2_an500", "thumbv7em-none-eabihf"),
    ("mps2_an505", "thumbv8m.main-none-eabihf"),
    ("mps3_an547", "thumbv8m.main-none-eabihf"),
    ("nrf52840_dk", "thumbv7em-none-eabihf"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let models = models();
    fs::write(out.join("model.rs"), &models[0]).expect("OUT_DIR can be written");
    fs::write(out.join("models.rs"), all(&models)).expect("OUT_DIR can be written");
    fs::write(out.join("images.rs"), images()).expect("OUT_DIR can be written");

    let board = board();
    let target = env::var("TARGET").unwrap_or_default();
    let of = TARGETS.iter().find(|(other, _)| *other == board).map_or("", |(_, target)| target);
    assert!(target == of, "board {board} is of target {of}, not of {target}: give --target {of}");
    let memory = PathBuf::from("boards").join(board).join("memory.x");
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

/// The networks and their blobs: a module each, named after its place in the list.
fn models() -> Vec<String> {
    let blob = format!("models/blobs/mnist_small.{}.tnb", if reads_plain_weights() { "plain" } else { "dsp" });
    let (names, blobs) = (variable("THUMBNET_NETWORK", "mnist-small"), variable("THUMBNET_BLOB", &blob));
    let (names, blobs): (Vec<_>, Vec<_>) = (names.split(',').collect(), blobs.split(',').collect());
    let [of, files] = [names.len(), blobs.len()];
    assert!(of == files, "THUMBNET_NETWORK has {of} networks, but THUMBNET_BLOB {files} files");
    names.into_iter().zip(blobs).map(|(name, blob)| model(name, blob)).collect()
}

/// The source of what holds a network.
fn model(name: &str, blob: &str) -> String {
    let Some((_, network)) = NETWORKS.iter().find(|(known, _)| *known == name) else {
        panic!("THUMBNET_NETWORK is {name}; known are {}", NETWORKS.map(|(known, _)| known).join(", "));
    };
    let (blob, blob_len) = file("THUMBNET_BLOB", blob);
    format!(
        r#"
/// The network.
pub(crate) type Model = thumbnet_models::{network};

const _: () = thumbnet::blob::check_included(include_bytes!({blob:?}));

// The section's name lets a board's `memory.x` put the blob into a memory of its own; elsewhere it is flash.
#[unsafe(link_section = ".rodata.blob")]
static ALIGNED: thumbnet::blob::Aligned<[u8; {blob_len}]> = thumbnet::blob::Aligned(*include_bytes!({blob:?}));

/// Its blob.
pub(crate) static BLOB: &[u8] = &ALIGNED.0;
"#
    )
}

/// The source of modules that hold a network each, and of the macro `for_each_model!`, which gives them to a macro.
fn all(models: &[String]) -> String {
    let modules: String =
        models.iter().enumerate().map(|(k, model)| format!("pub(crate) mod model{k} {{ {model} }}\n")).collect();
    let calls: String = (0..models.len()).map(|k| format!("$call!(model{k}); ")).collect();
    format!("{modules}macro_rules! for_each_model {{ ($call:ident) => {{ {calls} }} }}\npub(crate) use for_each_model;")
}

/// Whether plain weights are what the core reads, or reads best: `build.rs` of the library says which kernels it has.
fn reads_plain_weights() -> bool {
    println!("cargo::rerun-if-env-changed=THUMBNET_HELIUM");
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let helium = env::var("THUMBNET_HELIUM").is_ok_and(|value| value == "1")
        || ["cortex-m52", "cortex-m55", "cortex-m85"].into_iter().any(|core| flags.contains(core));
    target.starts_with("thumbv6m")
        || target.starts_with("thumbv8m.base")
        || (target.starts_with("thumbv8m.main") && helium)
}

/// The source of the module that holds the images.
fn images() -> String {
    // The application checks its length, since it knows the network's input.
    let (images, _) = file("THUMBNET_IMAGES", &variable("THUMBNET_IMAGES", "firmware/digits.bin"));
    format!("pub(crate) static IMAGES: &[u8] = include_bytes!({images:?});")
}

fn variable(name: &str, default: &str) -> String {
    println!("cargo::rerun-if-env-changed={name}");
    env::var(name).unwrap_or_else(|_| default.into())
}

/// The absolute path of a file that the variable `name` names, and its length.
fn file(name: &str, path: &str) -> (PathBuf, u64) {
    let path = Path::new("..").join(path);
    let path = path.canonicalize().unwrap_or_else(|error| panic!("{name}, {}: {error}", path.display()));
    println!("cargo::rerun-if-changed={}", path.display());
    let length = fs::metadata(&path).unwrap_or_else(|error| panic!("{name}, {}: {error}", path.display())).len();
    (path, length)
}
