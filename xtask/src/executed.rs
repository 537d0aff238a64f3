//! Which instructions of the assembly kernels a run has executed, by what QEMU translated: it translates a stretch of
//! code when it comes to it, and never otherwise.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol};

/// What the names of the assembly kernels begin with.
const PREFIX: &str = "thumbnet_";

/// An instruction that no run has come to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// The kernel.
    pub(crate) kernel: String,
    /// Bytes from its start.
    pub(crate) offset: u64,
}

/// The instructions of kernels in `elf` that are not in `trace`, QEMU's log of what it translated, but for padding.
///
/// # Errors
/// A file cannot be read, or the trace has nothing.
pub(crate) fn missed(elf: &Path, trace: &Path) -> Result<Vec<Missed>> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes)?;
    let text = fs::read_to_string(trace).with_context(|| format!("cannot read {}", trace.display()))?;
    let executed = executed(&text);
    ensure!(!executed.is_empty(), "QEMU logged no instructions to {}", trace.display());

    let mut missed = Vec::new();
    for symbol in file.symbols().filter(|symbol| symbol.size() > 0) {
        let (Ok(name), Some(section)) = (symbol.name(), symbol.section_index()) else { continue };
        if !name.starts_with(PREFIX) {
            continue;
        }
        // The lowest bit of an address says that the function is Thumb code.
        let start = symbol.address() & !1;
        let section = file.section_by_index(section)?;
        let code = section.data_range(start, symbol.size())?.context("a kernel beyond its section")?;
        for (offset, instruction) in instructions(code) {
            if !executed.contains(&(start + offset)) && !is_padding(instruction) {
                missed.push(Missed { kernel: name.to_owned(), offset });
            }
        }
    }
    Ok(missed)
}

/// As text: `kernel+0x12, ...`.
pub(crate) fn list(missed: &[Missed]) -> String {
    let places: Vec<_> = missed.iter().map(|Missed { kernel, offset }| format!("{kernel}+{offset:#x}")).collect();
    places.join(", ")
}

/// The addresses of the halfwords in lines such as `0x00001234:  e92d 4ff0  push.w {...}`.
fn executed(trace: &str) -> BTreeSet<u64> {
    let mut addresses = BTreeSet::new();
    for line in trace.lines() {
        let Some((address, rest)) = line.strip_prefix("0x").and_then(|line| line.split_once(':')) else { continue };
        let Ok(address) = u64::from_str_radix(address, 16) else { continue };
        let is_half = |word: &&str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        // A mnemonic may look like a halfword (`adcs` does not, `dead` would), but none stands before the second one's
        // place.
        let halves = rest.split_whitespace().take(2).take_while(is_half).count() as u64;
        addresses.extend((0..halves).map(|half| address + 2 * half));
    }
    addresses
}

/// Offsets and values of Thumb instructions.
fn instructions(code: &[u8]) -> Vec<(u64, u32)> {
    let half = |at: usize| code.get(at..at + 2).map(|half| u32::from(u16::from_le_bytes([half[0], half[1]])));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = half(at) {
        // 0b11101, 0b11110 and 0b11111 are the first halves of instructions of 32 bits.
        let wide = first >> 11 >= 0b11101;
        let value = if wide { first << 16 | half(at + 2).unwrap_or_default() } else { first };
        found.push((at as u64, value));
        at += if wide { 4 } else { 2 };
    }
    found
}

/// Whether it is a `nop`, or the zeros that the assembler may fill up with.
fn is_padding(instruction: u32) -> bool {
    matches!(instruction, 0xbf00 | 0x46c0 | 0xf3af_8000 | 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read() {
        let trace = "----------------\nIN: thumbnet_fill\n0x00000100:  b510       push     {r4, lr}\n\
                     0x00000102:  eea0 1b10  vdup\n\nOBJD-T: 00\n";
        assert_eq!(executed(trace), BTreeSet::from([0x100, 0x102, 0x104]));
    }

    #[test]
    fn wide_instructions_are_one() {
        let code = [0x10, 0xb5, 0xe0, 0xee, 0x10, 0x1b, 0x00, 0xbf];
        assert_eq!(instructions(&code), [(0, 0xb510), (2, 0xeee0_1b10), (6, 0xbf00)]);
        assert!(is_padding(0xbf00) && !is_padding(0xb510));
    }
}
