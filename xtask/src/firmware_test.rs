//! The firmware as a user runs it: built for every board, booted on those that QEMU plays, and with a damaged blob.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::board::{Board, Start};
use crate::build::{self, Contents};
use crate::image;
use crate::outputs::Outputs;
use crate::report::Report;
use crate::shell::root;

const LIMIT: Duration = Duration::from_secs(120);

/// Digits of `firmware/digits.bin`.
const IMAGES: usize = 20;

/// One step for each board, and one with a damaged blob.
pub(crate) fn add_steps(report: &mut Report) {
    // The outputs of the first board that ran: those of the others must be the same.
    let first = &OnceLock::new();
    report.in_pairs(Board::all().iter().map(|&board| {
        let build = move || build::image("firmware", "firmware", board, Contents::default());
        (format!("firmware on {}", board.name()), build, move |elf, shown: &mut _| run(board, elf, shown, first))
    }));
    report.step("firmware with a damaged blob", damaged_blob);
}

/// Runs the firmware, if QEMU plays the board, and holds its outputs to those of the first board.
fn run(board: Board, elf: PathBuf, shown: &mut Vec<u8>, first: &OnceLock<Vec<Vec<i8>>>) -> Result<usize> {
    if let Start::ProbeRs(_) = board.start() {
        writeln!(shown, "built; to run it takes the real board")?;
        return Ok(1);
    }
    let outputs = Outputs::from_log(&image::boot_to(&elf, LIMIT, shown)?.success()?)?;
    ensure!(outputs.scores.len() == IMAGES, "{} images, not {IMAGES}", outputs.scores.len());
    ensure!(outputs.right + 1 >= IMAGES, "only {} of {IMAGES} digits are right", outputs.right);
    let same = first.get_or_init(|| outputs.scores.clone()) == &outputs.scores;
    ensure!(same, "the outputs differ from those of the first board");
    outputs.check_stack()?;
    Ok(1)
}

/// The firmware must say what is wrong, and end with a status that is not 0.
fn damaged_blob() -> Result<()> {
    let path = root().join("target").join("damaged.tnb");
    let mut blob = fs::read(root().join("models/blobs/mnist_small.dsp.tnb"))?;
    let middle = blob.len() / 2;
    blob[middle] ^= 1;
    fs::write(&path, blob).with_context(|| format!("cannot write {}", path.display()))?;
    let contents = Contents { blob: Some(&path), ..Contents::default() };
    let elf = build::image("firmware", "firmware", Board::Mps2An386, contents)?;
    let run = image::boot(&elf, LIMIT)?;
    ensure!(run.status == Some(1), "the status is {:?}, not 1", run.status);
    let said = run.log.last().is_some_and(|line| line.starts_with("the blob is corrupt"));
    ensure!(said, "the last line is {:?}", run.log.last());
    Ok(())
}
