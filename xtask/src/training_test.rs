//! A short training on the real MNIST, and its network on every core.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::board::Board;
use crate::build::{self, Contents};
use crate::host_train::{HostTrain, text};
use crate::image;
use crate::network::Network;
use crate::outputs::Outputs;
use crate::report::Report;
use crate::shell::root;

const LIMIT: Duration = Duration::from_secs(600);
/// With a learning rate that falls to 0, one reaches 98.5 to 98.7 % (seeds 1 to 3); at a constant rate it takes two.
const EPOCHS: &str = "1";
/// Share of the test images that must be recognised after it.
const ACCURACY: f64 = 0.98;
/// Points of accuracy that int8 may lose.
const INT8_LOSS: f64 = 0.0010;
/// Test images to classify on each core.
const IMAGES: &str = "20";

/// A file that the training leaves.
pub(crate) fn file(name: &str) -> PathBuf {
    root().join("target").join("training-test").join(name)
}

/// One step that trains and quantises, and one for each core that the network fits.
pub(crate) fn add_steps(report: &mut Report) {
    report.step("an epoch of MnistConvNet on MNIST", train);
    let boards = Board::emulated().filter(|&board| Network::on(board).contains(&Network::CONVNET));
    report.in_pairs(boards.map(|board| {
        (format!("MnistConvNet on {}: bytes as on the host", board.name()), move || build(board), compare)
    }));
}

fn train() -> Result<()> {
    let folder = file("");
    fs::create_dir_all(&folder)?;
    let host = HostTrain::Lean;
    let train = ["train", "--network", "mnist-convnet", "--epochs", EPOCHS, "--schedule", "cosine", "--seed", "1"];
    host.ask(&[train.as_slice(), &["--out", text(&folder)]].concat())?;
    let f32 = host.ask(&["evaluate", text(&folder)])?.number("accuracy")?;
    for family in ["plain", "dsp"] {
        let blob = file(&format!("{family}.tnb"));
        host.ask(&["quantize", text(&folder), "--family", family, "--out", text(&blob)])?;
    }
    let blob = file("plain.tnb");
    let int8 = host.ask(&["evaluate", text(&blob)])?.number("accuracy")?;
    let (images, scores) = (file("images.bin"), file("scores.bin"));
    host.ask(&["sample", text(&blob), "--images", IMAGES, "--out", text(&images), "--scores", text(&scores)])?;
    ensure!(f32 >= ACCURACY, "f32 accuracy {f32}, not {ACCURACY}");
    ensure!(f32 - int8 <= INT8_LOSS + 1e-9, "int8 accuracy {int8}, but f32 {f32}");
    Ok(())
}

/// Builds the firmware with the trained network.
fn build(board: Board) -> Result<PathBuf> {
    let (blob, images) = (file(&format!("{}.tnb", Network::family(board))), file("images.bin"));
    let contents = Contents { network: Some(Network::CONVNET.name), blob: Some(&blob), images: Some(&images) };
    build::image("firmware", "firmware", board, contents)
}

/// Runs it and compares its outputs with the host's.
fn compare(elf: PathBuf, shown: &mut Vec<u8>) -> Result<usize> {
    let outputs = Outputs::from_log(&image::boot_to(&elf, LIMIT, shown)?.success()?)?;
    let differing = outputs.differing(&file("scores.bin"))?;
    ensure!(differing.count == 0, "{} of {} output bytes differ from the host's", differing.count, differing.of);
    outputs.check_stack()?;
    Ok(1)
}
