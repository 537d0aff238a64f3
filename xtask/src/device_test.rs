//! The device tests on emulated cores.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::board::Board;
use crate::build::{self, Contents};
use crate::report::{Counts, Report};
use crate::{executed, image};

/// Longer than any core needs on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs every case on the boards, one after the other.
pub(crate) fn run(boards: &[Board]) -> Result<()> {
    let mut report = Report::default();
    add_steps(&mut report, boards);
    report.finish()
}

/// One step for each board.
pub(crate) fn add_steps(report: &mut Report, boards: &[Board]) {
    for &board in boards {
        let name = format!("device tests on {} (Cortex-{})", board.name(), board.core().to_uppercase());
        report.counted(name, |counts| on(board, counts));
    }
}

fn on(board: Board, counts: &mut Counts) -> Result<()> {
    let elf = build::image("device-tests", "device-tests", board, Contents::default())?;
    let trace = elf.with_extension("trace");
    let log = image::boot_traced(&elf, LIMIT, &trace)?.success()?;
    let last = log.last().context("the program logged nothing")?;
    let Some(passed) = last.strip_suffix(" passed, 0 failed") else { bail!("the last line was {last:?}") };
    counts.passed = passed.parse()?;
    let missed = executed::missed(&elf, &trace)?;
    ensure!(missed.is_empty(), "no case runs these instructions of kernels: {}", executed::list(&missed));
    Ok(())
}
