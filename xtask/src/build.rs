//! Builds images for boards.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::board::Board;
use crate::setup;
use crate::shell::{cargo, run_lines};

/// What the tests on the host are built from. The benchmarks have none, and a framework of their own: clippy looks at
/// them.
pub(crate) const HOST: [&str; 5] = ["--workspace", "--exclude", "xtask", "--exclude", "benches"];

/// The same on 64-bit ARM.
pub(crate) const AARCH64: [&str; 8] =
    ["--package", "thumbnet", "--package", "thumbnet-models", "--features", "thumbnet/std", "--target", setup::AARCH64];

/// What firmware is built with in place of the defaults. See `firmware/build.rs`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Contents<'a> {
    /// The network, as `host-train --network` names it.
    pub(crate) network: Option<&'a str>,
    /// The blob's file.
    pub(crate) blob: Option<&'a Path>,
    /// The file of test images.
    pub(crate) images: Option<&'a Path>,
}

/// Builds a program for the host or another PC's target that is one of the examples of `thumbnet-models`, and returns
/// it. `packages` are those that the same target's tests are built from: the library is then built once for both.
///
/// # Errors
/// What cargo says.
pub(crate) fn example(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--quiet"]).args(packages).args(["--example", name]);
    executables(command.arg("--message-format=json-render-diagnostics"), [name]).map(|[program]| program)
}

/// Builds the program `bin` of `package` for a board, as small and fast as it gets, and returns the ELF file. It is the
/// board's own: while it runs, the program may be built for another board of the same target.
///
/// # Errors
/// What cargo says, or the file cannot be written.
pub(crate) fn image(package: &str, bin: &str, board: Board, contents: Contents<'_>) -> Result<PathBuf> {
    let [elf] = images(package, [bin], board, contents)?;
    let own = elf.with_file_name(format!("{bin}-{}", board.name()));
    fs::copy(&elf, &own).with_context(|| format!("cannot write {}", own.display()))?;
    Ok(own)
}

/// Builds several programs of `package` at once: each is optimised as a whole, which uses one processor. The files are
/// there until the programs are built for another board.
///
/// # Errors
/// As [`image`].
pub(crate) fn images<const N: usize>(
    package: &str,
    bins: [&str; N],
    board: Board,
    contents: Contents<'_>,
) -> Result<[PathBuf; N]> {
    let mut command = cargo();
    command.args(["build", "--quiet", "--package", package]);
    command
        .args(bins.iter().flat_map(|bin| ["--bin", bin]))
        .args(["--no-default-features", "--features", board.name()])
        .arg("--message-format=json-render-diagnostics");
    target(board, &mut command);
    let variables = [
        ("THUMBNET_NETWORK", contents.network.map(Path::new)),
        ("THUMBNET_BLOB", contents.blob),
        ("THUMBNET_IMAGES", contents.images),
    ];
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            // What the user has set is for `cargo run`, not for jobs with contents of their own.
            None => command.env_remove(name),
        };
    }
    executables(&mut command, bins)
}

/// Runs cargo and returns the programs of these names that it has built or found built.
pub(crate) fn executables<const N: usize>(command: &mut Command, names: [&str; N]) -> Result<[PathBuf; N]> {
    let mut executables = HashMap::new();
    run_lines(command, |line| {
        let message: Value = serde_json::from_str(line)?;
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str()) {
            executables.insert(name.to_owned(), PathBuf::from(path));
        }
        Ok(())
    })?;
    let found: Option<Vec<_>> = names.iter().map(|&name| executables.remove(name)).collect();
    let found = found.and_then(|paths| <[PathBuf; N]>::try_from(paths).ok());
    found.context("cargo did not name every executable")
}

/// Has cargo work for a board, in the profile of its programs: what takes part in the build on the host, such as
/// macros, is then built once for all boards, whatever is done.
///
/// The library is told that the core has Helium, which its target does not tell. A flag that nothing reads has cargo
/// keep what is built for such a core beside what is built for others of the same target.
pub(crate) fn target(board: Board, command: &mut Command) {
    command.args(["--profile", "firmware", "--target", board.target()]);
    if board == Board::Mps3An547 {
        command.env("THUMBNET_HELIUM", "1");
        command.args(["--config", &format!(r#"target.{}.rustflags=["--cfg", "helium"]"#, board.target())]);
    }
}
