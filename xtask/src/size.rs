//! How much flash inference takes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::{Object, ObjectSection};

use crate::board::Board;
use crate::build::{self, Contents};
use crate::network::{Kind, Network};

/// Prints a table: bytes of code for each board.
pub(crate) fn run(boards: &[Board]) -> Result<()> {
    let mut rows = Vec::new();
    for &board in boards {
        for network in Network::on(board).into_iter().filter(|network| network.kind != Kind::Layers) {
            let blob = network.blob(board)?;
            rows.push((board, network, code(board, network, &blob)?));
        }
    }
    println!("\n{:12}  {:8}  code", "board", "network");
    for (board, network, code) in rows {
        println!("{:12}  {:8}  {code} bytes", board.name(), network.short);
    }
    Ok(())
}

/// Bytes of code and constants that inference takes, with the reading of the blob and without the weights: the size of
/// a program that infers less that of one that does the same without inferring. In both, a panic ends the run and says
/// nothing: its message would be logging, which each application chooses for itself.
pub(crate) fn code(board: Board, network: Network, blob: &Path) -> Result<u64> {
    let contents = Contents { network: Some(network.name), blob: Some(blob), images: None };
    difference(build::images("firmware", PROGRAMS, board, contents)?)
}

/// The program that infers, and the one that does not.
pub(crate) const PROGRAMS: [&str; 2] = ["inference", "baseline"];

/// Bytes of flash of the first more than of the second.
pub(crate) fn difference([inference, baseline]: [PathBuf; 2]) -> Result<u64> {
    Ok(flash(&inference)?.saturating_sub(flash(&baseline)?))
}

/// Bytes of an image's sections that lie in flash.
pub(crate) fn flash(elf: &Path) -> Result<u64> {
    sections(elf, &[".vector_table", ".text", ".rodata", ".data", ".blob"])
}

/// Bytes of an image's static variables.
pub(crate) fn ram(elf: &Path) -> Result<u64> {
    sections(elf, &[".data", ".bss", ".uninit"])
}

/// Bytes of an image's sections of these names.
fn sections(elf: &Path, names: &[&str]) -> Result<u64> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes)?;
    let sections = file.sections().filter(|section| section.name().is_ok_and(|name| names.contains(&name)));
    Ok(sections.map(|section| section.size()).sum())
}
