//! Builds images for boards.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::board::Board;
use crate::shell::{cargo, root, run_lines};

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

/// Builds the program `bin` of `package` for a board, as small and fast as it gets, and returns the ELF file.
///
/// # Errors
/// What cargo says.
pub(crate) fn image(package: &str, bin: &str, board: Board, contents: Contents<'_>) -> Result<PathBuf> {
    let mut command = cargo();
    command
        .args(["build", "--quiet", "--package", package, "--bin", bin, "--profile", "firmware"])
        .args(["--no-default-features", "--features", board.name(), "--target", board.target()])
        .arg("--message-format=json-render-diagnostics");
    helium(board, &mut command);
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
    let mut executable = None;
    run_lines(&mut command, |line| {
        let message: Value = serde_json::from_str(line)?;
        if message["target"]["name"] == bin {
            executable = message["executable"].as_str().map(PathBuf::from).or(executable.take());
        }
        Ok(())
    })?;
    executable.context("cargo named no executable")
}

/// Tells the library that the core has Helium, which its target does not. In a target folder of its own, or cargo would
/// build the library anew at each change between this board and one with the same target.
pub(crate) fn helium(board: Board, command: &mut Command) {
    if board == Board::Mps3An547 {
        command.env("THUMBNET_HELIUM", "1").env("CARGO_TARGET_DIR", root().join("target").join("helium"));
    }
}
