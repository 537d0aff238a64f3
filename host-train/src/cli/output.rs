//! What goes to standard output.

use std::{
    io::{self, Write},
    path::Path,
};

use anyhow::Context;
use serde::Serialize;

/// Standard output, for people or for programs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// A line for people.
    pub(super) fn note(self, text: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { line(text) }
    }

    /// A result: one JSON object in one line, or text.
    pub(super) fn result(self, object: &impl Serialize, text: &str) -> anyhow::Result<()> {
        if self.json { line(&serde_json::to_string(object)?) } else { line(text) }
    }
}

/// Printed, with the error that `println!` would panic on. Where nobody reads any more there is nothing to say, but the
/// work goes on: it may write files, and its status must be that of all of it.
fn line(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("standard output"),
    }
}

/// An error, in one line.
pub(super) fn error(text: &str) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // There is nobody to tell where this fails.
    let _ = writeln!(io::stderr(), "error: {line}");
}

/// A path in JSON, whose strings are Unicode where a path need not be: as it is shown to people.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
