//! int8 outputs of trained networks: the same bytes from every back end, over every test image.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::backends::{self, How};
use crate::host_train::{HostTrain, text};
use crate::network::Network;
use crate::report::Report;
use crate::shell::{root, run};
use crate::{build, training_test};

/// Test images of MNIST.
const ALL: usize = 10_000;

/// Bytes of an image's outputs.
const CLASSES: usize = 10;

/// One step for each network on the host's back ends, and one on 64-bit ARM. They come after the training that makes
/// the blob of MnistConvNet.
pub(crate) fn add_steps(report: &mut Report) {
    // What QEMU does in some seconds.
    for (network, images) in [(Network::SMALL, 2000), (Network::CONVNET, 200)] {
        let name = network.name;
        report.step(format!("int8 outputs of {name} over {ALL} images on every back end"), || on_host(network));
        report.step(format!("int8 outputs of {name} over {images} images on 64-bit ARM"), || on_arm(network, images));
    }
}

/// A blob of the trained network.
fn blob(network: Network) -> PathBuf {
    if network == Network::SMALL {
        root().join("models/blobs/mnist_small.plain.tnb")
    } else {
        training_test::file("plain.tnb")
    }
}

fn file(network: Network, name: &str) -> Result<PathBuf> {
    let folder = root().join("target").join("identity").join(network.short);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.join(name))
}

/// Compares every vector back end of this CPU with the scalar one.
fn on_host(network: Network) -> Result<()> {
    let (blob, host) = (blob(network), HostTrain::Lean);
    let outputs = |backend: &str| -> Result<Vec<u8>> {
        let scores = file(network, backend)?;
        host.ask(&["evaluate", text(&blob), "--backend", backend, "--scores", text(&scores)])?;
        let scores = fs::read(&scores).with_context(|| format!("cannot read {}", scores.display()))?;
        ensure!(scores.len() == CLASSES * ALL, "{} output bytes with {backend}", scores.len());
        Ok(scores)
    };
    let expected = outputs("scalar")?;
    let mut others = vec!["neon"];
    if cfg!(not(target_arch = "aarch64")) {
        // Reduced precision is of f32: its int8 kernels are AVX-512's.
        let has_kernels = |&(name, how): &(&str, How)| how == How::Native && !name.ends_with("-bf16");
        others = backends::all()?.into_iter().filter(has_kernels).map(|(name, _)| name).collect();
    }
    for backend in others {
        same(backend, &outputs(backend)?, &expected)?;
    }
    Ok(())
}

/// Compares the back end of 64-bit ARM, in QEMU's user mode, with the host's fastest.
fn on_arm(network: Network, images: usize) -> Result<()> {
    let blob = blob(network);
    let [records, expected, outputs] = ["images.bin", "expected", "neon"].map(|name| file(network, name));
    let (records, expected, outputs) = (records?, expected?, outputs?);
    let (count, host) = (images.to_string(), HostTrain::Lean);
    host.ask(&["sample", text(&blob), "--images", &count, "--out", text(&records), "--scores", text(&expected)])?;
    let example = build::example("int8_outputs", &build::AARCH64)?;
    let mut qemu = Command::new("qemu-aarch64");
    qemu.args(["-cpu", "max"]).arg(example).arg(network.name).args([&blob, &records]);
    run(qemu.arg("neon").arg(&outputs))?;
    let (outputs, expected) = (fs::read(outputs)?, fs::read(expected)?);
    ensure!(outputs.len() == CLASSES * images, "{} output bytes for {images} images", outputs.len());
    same("neon", &outputs, &expected)
}

/// Fails unless the bytes are equal; else says how many were compared.
fn same(backend: &str, outputs: &[u8], expected: &[u8]) -> Result<()> {
    ensure!(outputs.len() == expected.len(), "{} output bytes, but {}", outputs.len(), expected.len());
    let differing = outputs.iter().zip(expected).filter(|(a, b)| a != b).count();
    ensure!(differing == 0, "{differing} of {} output bytes differ with {backend}", outputs.len());
    println!("{backend}: 0 of {} output bytes differ", outputs.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_differing_byte_and_a_missing_one_are_found() {
        same("avx2", &[1, 2, 255], &[1, 2, 255]).unwrap();
        let error = same("avx2", &[1, 2, 255], &[1, 2, 254]).unwrap_err().to_string();
        assert_eq!(error, "1 of 3 output bytes differ with avx2");
        assert!(same("avx2", &[1, 2], &[1, 2, 255]).is_err());
    }
}
