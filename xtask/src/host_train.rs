//! The program `host-train`, called as a user calls it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::{cargo, run, run_lines};

/// `host-train` with some arguments.
fn command(arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "--package", "host-train", "--"]).args(arguments);
    command
}

/// Runs it for a person to watch.
pub(crate) fn watch(arguments: &[&str]) -> Result<()> {
    run(&mut command(arguments))
}

/// Runs it with `--json` and returns the last line.
pub(crate) fn ask(arguments: &[&str]) -> Result<Answer> {
    let mut answer = Value::Null;
    run_lines(command(arguments).arg("--json"), |line| {
        answer = serde_json::from_str(line).with_context(|| format!("{line:?} is not JSON"))?;
        Ok(())
    })?;
    println!("{answer}");
    Ok(Answer(answer))
}

/// One line of JSON.
pub(crate) struct Answer(Value);

impl Answer {
    /// A number of the answer.
    pub(crate) fn number(&self, field: &str) -> Result<f64> {
        self.0[field].as_f64().with_context(|| format!("host-train answered without `{field}`: {}", self.0))
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the workspace's path is UTF-8: cargo's own messages are")
}
