//! What goes to standard output.

use std::io::{self, Write};

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
    pub(super) fn note(self, text: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { line(text) }
    }

    /// A result: one JSON object in one line, or text.
    pub(super) fn result(self, object: &impl Serialize, text: &str) -> io::Result<()> {
        if self.json { line(&serde_json::to_string(object)?) } else { line(text) }
    }
}

/// Printed with the error that `println!` would panic on: a reader may have gone.
fn line(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}
