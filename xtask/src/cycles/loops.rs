//! The innermost loops of a disassembled program.

/// An instruction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instruction {
    address: u64,
    name: String,
    operands: String,
}

/// One round of an innermost loop, its branch included.
#[derive(Debug)]
pub(super) struct Loop {
    /// The function, and which of its loops.
    pub(super) name: String,
    pub(super) instructions: Vec<Instruction>,
}

/// The innermost loops of the assembly functions, in the order of their addresses, from what `llvm-objdump` prints.
/// `end` is where a function ends: what fills the space behind it looks like instructions too.
pub(super) fn loops(disassembly: &str, end: impl Fn(&str) -> Option<u64>) -> Vec<Loop> {
    let mut loops = Vec::new();
    let mut lines = disassembly.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(symbol) = line.split_once(" <").and_then(|(_, rest)| rest.strip_suffix(">:")) else { continue };
        let (Some(function), Some(end)) = (symbol.strip_prefix("thumbnet_"), end(symbol)) else { continue };
        let mut instructions = Vec::new();
        while let Some(instruction) = lines.peek().and_then(|line| Instruction::read(line)).filter(|i| i.address < end)
        {
            instructions.push(instruction);
            lines.next();
        }
        for (number, (first, last)) in innermost(&instructions).into_iter().enumerate() {
            let instructions = instructions[first..=last].to_vec();
            loops.push(Loop { name: format!("{function}, {}", number + 1), instructions });
        }
    }
    loops
}

/// First and last instruction of each branch back that has no other within.
fn innermost(instructions: &[Instruction]) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    for (last, instruction) in instructions.iter().enumerate() {
        let first = instruction.target().and_then(|target| instructions.iter().position(|i| i.address == target));
        spans.extend(first.filter(|&first| first <= last).map(|first| (first, last)));
    }
    let holds =
        |outer: (usize, usize), inner: (usize, usize)| outer != inner && outer.0 <= inner.0 && inner.1 <= outer.1;
    let mut inner: Vec<_> = spans.iter().copied().filter(|&a| !spans.iter().any(|&b| holds(a, b))).collect();
    inner.sort_unstable();
    inner
}

impl Instruction {
    /// Reads an address and a colon, then a name and operands with a tab before each.
    fn read(line: &str) -> Option<Self> {
        let (address, rest) = line.split_once(':')?;
        let address = u64::from_str_radix(address.trim(), 16).ok()?;
        let mut words = rest.trim().splitn(2, '\t');
        let name = words.next().filter(|name| !name.is_empty())?.trim().to_owned();
        let operands = words.next().unwrap_or_default();
        let operands = operands.split(" @ ").next().unwrap_or_default().trim().to_owned();
        Some(Self { address, name, operands })
    }

    /// The name without what says how wide it is encoded.
    fn base(&self) -> &str {
        self.name.trim_end_matches(".w").trim_end_matches(".n")
    }

    fn is_low_overhead(&self) -> bool {
        matches!(self.base(), "le" | "letp")
    }

    fn is_branch(&self) -> bool {
        const CONDITIONS: [&str; 15] =
            ["", "eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"];
        self.base().strip_prefix('b').is_some_and(|condition| CONDITIONS.contains(&condition))
    }

    /// Where a conditional branch goes: other branches back end no loop here, but return from a rare case.
    fn target(&self) -> Option<u64> {
        if self.base() == "b" || !self.is_branch() && !self.is_low_overhead() {
            return None;
        }
        let (address, _) = self.operands.split_once(" <")?;
        u64::from_str_radix(address.rsplit_once("0x")?.1, 16).ok()
    }

    /// Products that it adds.
    fn macs(&self) -> u32 {
        match self.base() {
            "vmlav.s8" | "vmladav.s8" | "vmlava.s8" | "vmladava.s8" => 16,
            "vmullb.s8" | "vmullt.s8" => 8,
            "smlad" => 2,
            "mla" | "smlabb" | "smlabt" | "smlatb" | "smlatt" | "smlal" => 1,
            _ => 0,
        }
    }

    /// Registers that a load or a store of several moves.
    fn registers(&self) -> Option<u32> {
        match self.base() {
            "ldrd" | "strd" => Some(2),
            name if name.starts_with("ldm") || name.starts_with("stm") => {
                Some(self.operands.split_once('{')?.1.matches(',').count() as u32 + 1)
            }
            _ => None,
        }
    }
}

impl Loop {
    /// Multiply-accumulates of the network, which are the products.
    pub(super) fn macs(&self) -> u32 {
        self.instructions.iter().map(Instruction::macs).sum()
    }

    /// The cycles on Cortex-M4 by table 3-1 of its Technical Reference Manual: one, but for a single load or store two,
    /// unless another is before it; for those of several registers one more than registers; for a branch that is taken
    /// three, the middle of what the manual gives.
    pub(super) fn manual_cycles(&self) -> u32 {
        let mut cycles = 0;
        let mut after_single = false;
        for (at, instruction) in self.instructions.iter().enumerate() {
            let single = ["ldr", "str"].iter().any(|start| instruction.base().starts_with(start));
            let single = single && instruction.registers().is_none();
            cycles += match instruction.registers() {
                Some(registers) => 1 + registers,
                None if single && !after_single => 2,
                None if at + 1 == self.instructions.len() => 3,
                None => 1,
            };
            after_single = single;
        }
        cycles
    }

    /// The loop's body for `llvm-mca`.
    pub(super) fn assembly(&self) -> String {
        let mut text = String::from(".syntax unified\n.thumb\n");
        for instruction in self.instructions.iter().filter(|instruction| !instruction.is_low_overhead()) {
            // A branch to anywhere will do: `cbz` and `cbnz` go forward alone.
            let (before, anywhere) = match instruction.operands.split_once("0x").filter(|(_, to)| to.contains(" <")) {
                Some((before, _)) if instruction.base().starts_with("cb") => (before, "#8"),
                Some((before, _)) => (before, "#-256"),
                None => (instruction.operands.as_str(), ""),
            };
            text += &format!("{}\t{before}{anywhere}\n", instruction.name);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
00000b74 <thumbnet_dense>:
     b74:      \tpush.w\t{r3, r4, r5}
     b76:      \tldr\tr2, [r0], #4
     b78:      \tldr\tr3, [r1], #4
     b7a:      \tldm.w\tr1!, {r10, r11}
     b7e:      \tsmlad\tr4, r10, r2, r4
     b82:      \tbne\t0xb76 <thumbnet_dense+0x2> @ imm = #-0x10
     b84:      \tldrd\tr10, r11, [r1], #8
     b88:      \tvmlava.s8\tr0, q4, q0
     b8c:      \tle\tlr, 0xb84 <thumbnet_dense+0x10> @ imm = #-0xc
     b90:      \tb\t0xb74 <thumbnet_dense> @ imm = #-0x20
     b92:      \tbmi\t0xb90 <thumbnet_dense+0x1c> @ imm = #-0x58

00000b94 <other>:
     b94:      \tb\t0xb94 <other> @ imm = #-0x4
";

    fn dense() -> Vec<Loop> {
        loops(TEXT, |symbol| (symbol == "thumbnet_dense").then_some(0xb92))
    }

    #[test]
    fn innermost_loops_are_found() {
        let loops = dense();
        let found: Vec<_> =
            loops.iter().map(|body| (body.name.as_str(), body.instructions.len(), body.macs())).collect();
        assert_eq!(found, [("dense, 1", 5, 2), ("dense, 2", 3, 16)]);
    }

    #[test]
    fn the_manuals_timings_are_added() {
        // Two loads, one of two registers, a multiplication, a branch.
        assert_eq!(dense()[0].manual_cycles(), 2 + 1 + 3 + 1 + 3);
    }

    #[test]
    fn the_model_gets_no_loop_ends_that_it_lacks() {
        let body = &dense()[1];
        assert_eq!(body.assembly(), ".syntax unified\n.thumb\nldrd\tr10, r11, [r1], #8\nvmlava.s8\tr0, q4, q0\n");
        assert!(dense()[0].assembly().ends_with("bne\t#-256\n"));
    }
}
