//! Makes what the cases compare with, on the host, and passes the linker the scripts of cortex-m-rt and defmt.

use std::path::{Path, PathBuf};
use std::{env, fs};

use safetensors::SafeTensors;
use thumbnet::blob::{Family, write};
use thumbnet_models::MnistSmall;

#[path = "src/bars.rs"]
mod bars;
#[path = "../models/tests/tflite/mod.rs"]
mod tflite;

fn main() {
    for input in ["build.rs", "src/bars.rs", "../models/tests/tflite/mod.rs", "../kernels/tests/data"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    let network = tflite::network();
    for (name, family) in [("plain", Family::Plain), ("dsp", Family::Dsp)] {
        save(&out, &format!("{name}.tnb"), write::<MnistSmall>(&network, family).expect("MnistSmall as TFLite has it"));
    }
    save(&out, "images.i8", signed(tflite::bytes("input")));
    save(&out, "outputs.i8", signed(tflite::bytes("op7_softmax.activation")));

    let file = fs::read("../kernels/tests/data/small_f32.safetensors").expect("Keras's weights are part of the tests");
    let file = SafeTensors::deserialize(&file).expect("a safetensors file");
    let tensor = |name: &str| file.tensor(name).expect("make_golden.py writes it").data().to_vec();
    let layers = ["conv2d", "conv2d_1", "dense", "dense_1"];
    let weights = layers.map(|layer| [tensor(&format!("{layer}.kernel")), tensor(&format!("{layer}.bias"))].concat());
    save(&out, "keras.f32", weights.concat());
    save(&out, "softmax.f32", tensor("softmax"));

    let mut weights = [0.0; bars::PARAMETERS];
    // On a PC the f32 kernels' scratch is too large for the stack.
    bars::train(&mut weights, &mut vec![0.0; bars::MEMORY]);
    save(&out, "bars.f32", weights.iter().flat_map(|weight| weight.to_le_bytes()).collect());

    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        for argument in ["-Tlink.x", "-Tdefmt.x", "--nmagic"] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}

fn signed(values: Vec<i8>) -> Vec<u8> {
    values.into_iter().map(i8::cast_unsigned).collect()
}

fn save(folder: &Path, name: &str, bytes: Vec<u8>) {
    fs::write(folder.join(name), bytes).expect("OUT_DIR can be written");
}
