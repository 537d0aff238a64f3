//! `cargo xtask cycles`: what one round of each inner loop costs on the cores whose pipelines are known, beside the
//! count of its instructions, which is all that QEMU can tell.
//!
//! The loops are found in the linked program: in the assembly functions, each stretch between a branch back and its
//! target that holds no other such stretch.

mod loops;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use object::{Object, ObjectSymbol};
use serde_json::Value;

use crate::board::Board;
use crate::build::{self, Contents};
use crate::network::{self, Kind, Network};
use crate::setup;
use crate::shell::{ask, root};
use loops::{Loop, loops};

/// The oldest LLVM that has a model of Cortex-M55, and passes over what a model has no timing of.
const OLDEST: u32 = 19;

/// The model of Cortex-M7 has no timing of `it`.
const SKIP: &str = "--skip-unsupported-instructions=lack-sched";

/// Rounds that the model runs, so that start and end do not show.
const ROUNDS: u32 = 1000;

/// The cores that LLVM has a model of: the board, and LLVM's names of core and architecture.
const CORES: [(Board, &str, &str); 3] = [
    (Board::Mps2An386, "cortex-m4", "thumbv7em"),
    (Board::Mps2An500, "cortex-m7", "thumbv7em"),
    (Board::Mps3An547, "cortex-m55", "thumbv8.1m.main"),
];

/// What to print.
#[derive(Args)]
pub(crate) struct Cycles {
    /// The core: m4, m7 or m55; all three by default.
    #[arg(long)]
    core: Option<String>,
    /// Write the tables to benches/cycles.md too.
    #[arg(long, conflicts_with = "core")]
    write: bool,
}

impl Cycles {
    /// Builds, disassembles, asks the model, prints.
    ///
    /// # Errors
    /// LLVM's tools are missing, a build failed, or a loop cannot be modelled.
    pub(crate) fn run(&self) -> Result<()> {
        let tools = Tools::find()?;
        setup::targets()?;
        let wanted = |board: Board| self.core.as_deref().is_none_or(|core| core == board.core());
        let cores: Vec<_> = CORES.into_iter().filter(|&(board, ..)| wanted(board)).collect();
        ensure!(!cores.is_empty(), "LLVM has a model of m4, m7 and m55 only");
        let mut text = String::from(HEAD);
        for (board, cpu, architecture) in cores {
            text += &table(&tools, board, cpu, architecture)?;
        }
        print!("{text}");
        if self.write {
            let path = root().join("benches/cycles.md");
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

const HEAD: &str = "\
# Cycles of the inner loops

Written by `cargo xtask cycles --write`. One round of each innermost loop of the assembly: its instructions, as QEMU
counts them; the cycles that `llvm-mca` has the core's model take for it; on Cortex-M4 also the cycles by the timings in
its Technical Reference Manual.

Where counts mislead: a load of several registers counts as one instruction, and takes a cycle more than it loads
registers on Cortex-M4. LLVM's model of that core leaves this out: there the manual's column is the one to believe, and
cycles a MAC are taken from it. A branch that is taken takes three cycles by the manual (two to four, by its target),
and one by the model. No manual gives timings of Cortex-M7, which can do two instructions in a cycle, or of Cortex-M55,
on which a vector instruction takes two cycles and the next may start after the first: the models are all there is. `le`
and `letp` count as instructions and take no cycles after the first round, as `it` in the model of the M7. No column
knows waits for flash or for a bus.
";

/// One core's table.
fn table(tools: &Tools, board: Board, cpu: &str, architecture: &str) -> Result<String> {
    // Layers of every kind bring every loop along.
    let mut networks = Network::on(board);
    networks.retain(|network| network.kind == Kind::Layers);
    let (names, blobs) = network::together(board, &networks)?;
    let contents = Contents { network: Some(&names), blob: Some(&blobs), images: None };
    let elf = build::image("firmware", "bench", board, contents)?;
    let manual = board == Board::Mps2An386;
    let mut text = format!("\n## Cortex-{}\n\n", board.core().to_uppercase());
    text += "| function, loop | MACs | instructions | cycles |";
    text += if manual { " cycles by the manual |" } else { "" };
    text += " cycles a MAC |\n|---|---|---|---|---|";
    text += if manual { "---|\n" } else { "\n" };
    let ends = ends(&elf)?;
    for body in loops(&tools.disassemble(&elf, cpu)?, |symbol| ends.get(symbol).copied()) {
        let cycles = tools.cycles(&body, cpu, architecture)?;
        text += &format!("| {} | {} | {} | {cycles:.1} |", body.name, body.macs(), body.instructions.len());
        let mut best = cycles;
        if manual {
            best = body.manual_cycles().into();
            text += &format!(" {best} |");
        }
        text += &match body.macs() {
            0 => " - |\n".into(),
            macs => format!(" {:.3} |\n", best / f64::from(macs)),
        };
    }
    Ok(text)
}

/// Where each function ends.
fn ends(elf: &Path) -> Result<HashMap<String, u64>> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes)?;
    // The lowest bit of an address says that the function is Thumb code.
    let end = |symbol: object::Symbol<'_, '_>| {
        Some((symbol.name().ok()?.to_owned(), (symbol.address() & !1) + symbol.size()))
    };
    Ok(file.symbols().filter_map(end).collect())
}

/// LLVM's tools of one version.
struct Tools {
    /// What their names end in.
    suffix: String,
}

impl Tools {
    /// # Errors
    /// There are none that are new enough.
    fn find() -> Result<Self> {
        let suffixes = (OLDEST..40).rev().map(|version| format!("-{version}")).chain([String::new()]);
        for suffix in suffixes {
            let is_there = |name: &str| ask(&format!("{name}{suffix}"), &["--version"]).and_then(|text| version(&text));
            if is_there("llvm-mca") >= Some(OLDEST) && is_there("llvm-objdump").is_some() {
                return Ok(Self { suffix });
            }
        }
        bail!(
            "llvm-mca and llvm-objdump of LLVM {OLDEST} or later are missing: type `sudo apt-get install llvm-19` (or \
             what your system calls LLVM's tools), then run this again"
        )
    }

    fn run(&self, name: &str, arguments: &[&str], file: &Path) -> Result<String> {
        let output = Command::new(format!("{name}{}", self.suffix)).args(arguments).arg(file).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name} {}: {}", file.display(), errors.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn disassemble(&self, elf: &Path, cpu: &str) -> Result<String> {
        self.run("llvm-objdump", &["--disassemble", "--no-show-raw-insn", &format!("--mcpu={cpu}")], elf)
    }

    /// Cycles of one round, by the model.
    fn cycles(&self, body: &Loop, cpu: &str, architecture: &str) -> Result<f64> {
        let path = scratch_file()?;
        fs::write(&path, body.assembly())?;
        let (triple, cpu) = (format!("--mtriple={architecture}-none-eabi"), format!("--mcpu={cpu}"));
        let rounds = format!("--iterations={ROUNDS}");
        let answer = self.run("llvm-mca", &[&triple, &cpu, &rounds, SKIP, "--json"], &path);
        let answer: Value = serde_json::from_str(&answer.with_context(|| body.name.clone())?)?;
        let cycles = answer["CodeRegions"][0]["SummaryView"]["TotalCycles"].as_f64();
        Ok(cycles.context("llvm-mca gave no cycles")? / f64::from(ROUNDS))
    }
}

fn scratch_file() -> Result<PathBuf> {
    let folder = root().join("target").join("cycles");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.join("loop.s"))
}

/// The main number in `LLVM version 19.1.7`.
fn version(text: &str) -> Option<u32> {
    text.split("version ").nth(1)?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read() {
        assert_eq!(version("Debian LLVM version 19.1.7\n  Optimized build."), Some(19));
        assert_eq!(version("command not found"), None);
    }
}
