//! A built image: an ELF file, the board it was linked for, and the format strings of its log.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use defmt_decoder::{DecodeError, Locations, Table};
use object::{Object, ObjectSymbol};

use crate::board::{Board, Start};
use crate::shell;

/// How the run of an image ended and what it logged.
pub(crate) struct Run {
    /// The exit status of the program on the board; `None` if its time ran out or QEMU died of a signal.
    pub(crate) status: Option<i32>,
    /// The lines of the log, without level and location.
    pub(crate) log: Vec<String>,
}

impl Run {
    /// # Errors
    /// The program's exit status is not 0.
    pub(crate) fn success(self) -> Result<Vec<String>> {
        match self.status {
            Some(0) => Ok(self.log),
            Some(status) => bail!("the program on the board ended with status {status}"),
            None => bail!("the program on the board did not end"),
        }
    }
}

/// Boots the image on the board it was linked for, shows its log on standard error and returns it with the exit status.
///
/// # Errors
/// The file is no image of this project, the emulator or probe-rs cannot be started, or the time limit has passed.
pub(crate) fn boot(path: &Path, limit: Duration) -> Result<Run> {
    boot_to(path, limit, &mut io::stderr())
}

/// As [`boot_to`], with QEMU's log of the code that it came to written to `trace`.
///
/// # Errors
/// As [`boot_to`].
pub(crate) fn boot_traced(path: &Path, limit: Duration, shown: &mut dyn Write, trace: &Path) -> Result<Run> {
    start(path, limit, shown, Some(trace))
}

/// As [`boot`], with the log going to `shown`.
///
/// # Errors
/// As [`boot`], or the log cannot be written.
pub(crate) fn boot_to(path: &Path, limit: Duration, shown: &mut dyn Write) -> Result<Run> {
    start(path, limit, shown, None)
}

fn start(path: &Path, limit: Duration, shown: &mut dyn Write, trace: Option<&Path>) -> Result<Run> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let board = board(&bytes).with_context(|| format!("{}", path.display()))?;
    match board.start() {
        Start::Qemu(machine) => {
            let mut qemu = qemu(machine, path);
            if let Some(trace) = trace {
                qemu.args(["-d", "in_asm", "-D"]).arg(trace);
            }
            emulate(&mut qemu, &bytes, limit, shown)
        }
        Start::ProbeRs(chip) => {
            let mut probe = Command::new("probe-rs");
            probe.args(["run", "--chip", chip]).arg(path);
            // probe-rs decodes the log itself.
            let status = shell::stream(&mut probe, limit, |bytes| Ok(shown.write_all(bytes)?));
            let status = status.context("probe-rs, which `cargo install probe-rs-tools --locked` installs")?;
            Ok(Run { status, log: Vec::new() })
        }
    }
}

fn board(elf: &[u8]) -> Result<Board> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let board = file.symbols().find_map(|symbol| Board::from_symbol(symbol.name().ok()?));
    board.context("no symbol _BOARD_... of a board's memory.x: the image was not linked by this project")
}

/// The emulator with an image.
fn qemu(machine: &str, path: &Path) -> Command {
    let mut qemu = Command::new("qemu-system-arm");
    qemu.args(["-machine", machine, "-display", "none", "-monitor", "none", "-serial", "none", "-net", "none"])
        .args(["-semihosting-config", "enable=on,target=native"])
        // One instruction takes one nanosecond of the board's time, whatever this machine does beside: counts of two
        // runs differ by a tick of the board's counter at most.
        .args(["-icount", "shift=0"])
        .arg("-kernel")
        .arg(path)
        .stderr(Stdio::piped());
    qemu
}

/// Runs the emulator and decodes what comes out by the image's table.
fn emulate(qemu: &mut Command, elf: &[u8], limit: Duration, shown: &mut dyn Write) -> Result<Run> {
    let table = Table::parse(elf)?.context("the image has no .defmt section")?;
    let locations = table.get_locations(elf)?;
    let mut decoder = table.new_stream_decoder();
    let mut log = Vec::new();
    let status = shell::stream(qemu, limit, |bytes| {
        decoder.received(bytes);
        loop {
            match decoder.decode() {
                Ok(frame) => {
                    let message = frame.display_message().to_string();
                    let level = frame.level().map_or("", |level| level.as_str()).to_uppercase();
                    writeln!(shown, "{level:5} {message}{}", place(&level, &locations, frame.index()))?;
                    log.push(message);
                }
                Err(DecodeError::UnexpectedEof) => return Ok(()),
                Err(DecodeError::Malformed) if table.encoding().can_recover() => {
                    writeln!(shown, "(malformed log frame)")?;
                }
                Err(DecodeError::Malformed) => bail!("the log is malformed"),
            }
        }
    })?;
    Ok(Run { status, log })
}

/// Where in the source an error was logged.
fn place(level: &str, locations: &Locations, index: u64) -> String {
    match locations.get(&index) {
        Some(location) if level == "ERROR" => format!(" ({}:{})", location.file.display(), location.line),
        _ => String::new(),
    }
}
