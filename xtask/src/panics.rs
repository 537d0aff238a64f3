//! Whether a linked program can panic: what is reachable from its `main` by branches, read from the ELF file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use rustc_demangle::demangle;

/// The function that every panic ends in: what `#[panic_handler]` becomes.
const PANIC: &str = "rust_begin_unwind";

/// The program's `main`, as cortex-m-rt calls it.
const MAIN: &str = "main";

/// A function: its name, and the addresses that its instructions branch to.
struct Function {
    name: String,
    targets: Vec<u64>,
}

/// The functions that call each other from `main` to a panic, in this order; `None` if there is no such way.
///
/// # Errors
/// The file cannot be read, or has no `main`.
pub(crate) fn way_to_a_panic(elf: &Path) -> Result<Option<Vec<String>>> {
    let functions = functions(elf)?;
    let main = functions.iter().find(|(_, function)| function.name == MAIN).map(|(&start, _)| start);
    let main = main.with_context(|| format!("{}: there is no function {MAIN}", elf.display()))?;
    // Breadth first, so that the way is a shortest one.
    let mut from = BTreeMap::from([(main, main)]);
    let mut next = vec![main];
    while let Some(&start) = next.first() {
        next.remove(0);
        let function = &functions[&start];
        if function.name.contains(PANIC) {
            let mut way = vec![start];
            while let Some(&caller) =
                way.last().and_then(|at| from.get(at)).filter(|&&caller| caller != way[way.len() - 1])
            {
                way.push(caller);
            }
            way.reverse();
            return Ok(Some(way.iter().map(|at| format!("{:#}", demangle(&functions[at].name))).collect()));
        }
        for target in &function.targets {
            // A branch into the middle of a function counts as a call of it.
            let Some((&called, _)) = functions.range(..=target).next_back() else { continue };
            from.entry(called).or_insert_with(|| {
                next.push(called);
                start
            });
        }
    }
    ensure!(from.len() > 3, "{}: {MAIN} calls nothing", elf.display());
    Ok(None)
}

/// The functions by their addresses.
fn functions(elf: &Path) -> Result<BTreeMap<u64, Function>> {
    let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes)?;
    // Arm's mapping symbols: where instructions and where constants begin.
    let mapping = |name: &str| {
        let symbols = file
            .symbols()
            .filter(move |symbol| symbol.name().is_ok_and(|symbol| symbol.split('.').next() == Some(name)));
        symbols.map(|symbol| symbol.address()).collect::<BTreeSet<_>>()
    };
    let (code, data) = (mapping("$t"), mapping("$d"));
    let is_data = |at: u64| data.range(..=at).next_back() > code.range(..=at).next_back();
    let mut functions = BTreeMap::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0) {
        let (Ok(name), Some(section)) = (symbol.name(), symbol.section_index()) else { continue };
        // The lowest bit of an address says that the function is Thumb code.
        let start = symbol.address() & !1;
        let section = file.section_by_index(section)?;
        let Some(code) = section.data_range(start, symbol.size())? else { continue };
        let instructions = instructions(code).map(|(offset, halves)| (start + offset, halves));
        let targets = instructions.filter(|(at, _)| !is_data(*at)).filter_map(|(at, halves)| target(at, halves));
        functions.insert(start, Function { name: name.to_owned(), targets: targets.collect() });
    }
    Ok(functions)
}

/// Offsets of Thumb instructions, and their one or two halfwords.
fn instructions(code: &[u8]) -> impl Iterator<Item = (u64, [u16; 2])> {
    let half = |at: usize| code.get(at..at + 2).map(|half| u16::from_le_bytes([half[0], half[1]]));
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = half(at)?;
        let start = at as u64;
        // 0b11101, 0b11110 and 0b11111 are the first halves of instructions of 32 bits.
        let second = if first >> 11 >= 0b11101 { half(at + 2).unwrap_or_default() } else { 0 };
        at += if first >> 11 >= 0b11101 { 4 } else { 2 };
        Some((start, [first, second]))
    })
}

/// Where a branch goes, with a link or without: `B` and `BL` of the "Armv8-M Architecture Reference Manual", C2.4.
fn target(at: u64, [first, second]: [u16; 2]) -> Option<u64> {
    let bits = |value: u16, low: u32, count: u32| i64::from(value >> low & ((1 << count) - 1));
    let sign = bits(first, 10, 1);
    let [j1, j2] = [bits(second, 13, 1), bits(second, 11, 1)];
    let offset = match (first >> 11, second >> 12 & 0b1101) {
        // B T4 and BL T1: the sign is turned into two more bits.
        (0b11110, 0b1001 | 0b1101) => {
            let [i1, i2] = [1 ^ j1 ^ sign, 1 ^ j2 ^ sign];
            -sign << 24 | i1 << 23 | i2 << 22 | bits(first, 0, 10) << 12 | bits(second, 0, 11) << 1
        }
        // B T3, on a condition.
        (0b11110, 0b1000) if bits(first, 6, 4) < 14 => {
            -sign << 20 | j2 << 19 | j1 << 18 | bits(first, 0, 6) << 12 | bits(second, 0, 11) << 1
        }
        // B T2, and B T1 on a condition, of 16 bits.
        (0b11100, _) => (bits(first, 0, 11) << 53) >> 52,
        (0b11010 | 0b11011, _) if bits(first, 8, 4) < 14 => (bits(first, 0, 8) << 56) >> 55,
        _ => return None,
    };
    Some(at.wrapping_add(4).wrapping_add_signed(offset))
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn branches_are_read() {
        // As LLVM assembles them at 0x100: bl 0x1234, b.w 0x80, beq.w 0x400, b 0x10a, bne 0xfe; mov r0, r0 is none.
        assert_eq!(target(0x100, [0xf001, 0xf898]), Some(0x1234));
        assert_eq!(target(0x100, [0xf7ff, 0xbfbe]), Some(0x80));
        assert_eq!(target(0x100, [0xf000, 0x817e]), Some(0x400));
        assert_eq!(target(0x100, [0xe003, 0]), Some(0x10a));
        assert_eq!(target(0x100, [0xd1fd, 0]), Some(0xfe));
        assert_eq!(target(0x100, [0x4600, 0]), None);
    }
}
