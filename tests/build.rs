//! Makes what the cases compare with, on the host, and passes the linker the scripts of cortex-m-rt and defmt.

use std::path::{Path, PathBuf};
use std::{env, fs};

use residual::{Merged, Residual};
use safetensors::SafeTensors;
use thumbnet::Network;
use thumbnet::arch::Backend;
use thumbnet::blob::{About, Family, write};
use thumbnet::input::Shows;
use thumbnet::network::WorkingMemory;
use thumbnet::quantize::{Calibrator, Range, quantize};
use thumbnet::train::{Initializer, initialize};
use thumbnet_models::{MnistResNet, MnistSmall, ResNet8};

#[path = "src/bars.rs"]
mod bars;
#[path = "src/residual.rs"]
mod residual;
#[path = "src/samples.rs"]
mod samples;
#[path = "../models/tests/tflite/mod.rs"]
mod tflite;

fn main() {
    let sources = ["build.rs", "src/bars.rs", "src/residual.rs", "src/samples.rs"];
    for input in sources.into_iter().chain(["../models/tests/tflite/mod.rs", "../kernels/tests/data"]) {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    let network = tflite::network();
    let labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let about = About { labels: &labels, shows: Shows::Digits, ..About::default() };
    for (name, family) in [("plain", Family::Plain), ("dsp", Family::Dsp)] {
        save(
            &out,
            &format!("{name}.tnb"),
            write(&MnistSmall::GRAPH, &network, family, &about).expect("MnistSmall as TFLite has it"),
        );
    }
    // 256 KB of flash hold fewer images.
    let images = if env::var_os("CARGO_FEATURE_MICROBIT").is_some() { 130 } else { 200 };
    save(&out, "images.i8", signed(tflite::bytes("input")[..784 * images].to_vec()));
    save(&out, "outputs.i8", signed(tflite::bytes("op7_softmax.activation")[..10 * images].to_vec()));

    let raw: [u8; 256] = std::array::from_fn(|raw| raw as u8);
    let scaling = samples::SCALINGS[0];
    let mut inputs: Vec<i8> = raw.iter().map(|&raw| samples::INPUT.quantize(scaling.apply(raw.into()))).collect();
    samples::for_each_input(&samples::samples(), |image| inputs.extend_from_slice(image));
    save(&out, "inputs.i8", signed(inputs));

    save_branches::<Residual>(&out, "residual", 8);
    save_branches::<Merged>(&out, "merged", 8);
    save_branches::<MnistResNet>(&out, "mnist_resnet", 2);
    save_branches::<ResNet8>(&out, "resnet8", 2);

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

/// The blobs of a network with branches, inputs, and the outputs that the scalar kernels give for them.
fn save_branches<N: Network>(out: &Path, name: &str, samples: usize) {
    let len = N::INPUT.len();
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 3);
    let x: Vec<f32> = (0..samples * len).map(|i| ((i * i * 31 + i * 7) % 199) as f32 / 100.0 - 0.5).collect();
    let mut calibrator = Calibrator::new(N::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(samples)];
    calibrator.observe(Backend::SCALAR, &weights, &x, &mut memory).expect("the lengths are the network's");
    let network = quantize(&N::GRAPH, &weights, &calibrator.finish()).expect("weights of middling size");
    let blob = |family| write(&N::GRAPH, &network, family, &About::default()).expect("what was quantised is written");
    save(out, &format!("{name}.dsp.tnb"), blob(Family::Dsp));
    let plain = blob(Family::Plain);

    let mut aligned = vec![0u128; plain.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut aligned)[..plain.len()].copy_from_slice(&plain);
    save(out, &format!("{name}.plain.tnb"), plain);
    let network = N::from_blob(bytemuck::cast_slice(&aligned)).expect("what is written can be read");
    let network = network.with_backend(Backend::SCALAR);
    let images: Vec<i8> = x.iter().map(|&x| network.input().quantize(x)).collect();
    let mut memory = N::Memory::boxed();
    let mut outputs = Vec::new();
    for image in images.chunks(len) {
        let image = N::Image::try_from(image).ok().expect("chunks are images");
        outputs.extend_from_slice(network.predict(&image, &mut memory).as_ref());
    }
    save(out, &format!("{name}.outputs.i8"), signed(outputs));
    save(out, &format!("{name}.images.i8"), signed(images));
}

fn signed(values: Vec<i8>) -> Vec<u8> {
    values.into_iter().map(i8::cast_unsigned).collect()
}

fn save(folder: &Path, name: &str, bytes: Vec<u8>) {
    fs::write(folder.join(name), bytes).expect("OUT_DIR can be written");
}
