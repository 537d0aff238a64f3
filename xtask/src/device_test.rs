//! The device tests on emulated cores.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::board::Board;
use crate::build::{self, Contents};
use crate::report::Report;
use crate::{executed, image};

/// Longer than any core needs on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs every case on the boards, one after the other.
pub(crate) fn run(boards: &[Board]) -> Result<ExitCode> {
    let mut report = Report::only(Vec::new());
    add_steps(&mut report, boards);
    report.finish()
}

/// One step for each board.
pub(crate) fn add_steps(report: &mut Report, boards: &[Board]) {
    report.in_pairs(boards.iter().map(|&board| {
        let name = format!("device tests on {} (Cortex-{})", board.name(), board.core().to_uppercase());
        (name, move || build::image("device-tests", "device-tests", board, Contents::default()), run_cases)
    }));
}

/// Runs the cases of an image and returns how many there are.
fn run_cases(elf: PathBuf, shown: &mut Vec<u8>) -> Result<usize> {
    let trace = elf.with_extension("trace");
    let log = image::boot_traced(&elf, LIMIT, shown, &trace)?.success()?;
    let last = log.last().context("the program logged nothing")?;
    let Some(passed) = last.strip_suffix(" passed, 0 failed") else { bail!("the last line was {last:?}") };
    let missed = executed::missed(&elf, &trace)?;
    ensure!(missed.is_empty(), "no case runs these instructions of kernels: {}", executed::list(&missed));
    Ok(passed.parse()?)
}
