//! The program `host-train`, called as a user calls it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::build;
use crate::shell::{cargo, run, run_lines};

/// The program, as it is built for some purpose.
pub(crate) enum HostTrain {
    /// As README's commands build it.
    Released,
    /// The same without what only reads pictures and writes reports, and with the library alone optimised: it is built
    /// in half of the time, and trains nearly as fast.
    Lean,
    /// As the tests on the host build it, and of the same parts.
    Tested(PathBuf),
}

impl HostTrain {
    /// Builds it with the tests on the host.
    ///
    /// # Errors
    /// What cargo says.
    pub(crate) fn tested() -> Result<Self> {
        let mut command = cargo();
        // A test for whose sake cargo chooses the features that all tests have.
        command.args(["test", "--no-run", "--quiet"]).args(build::HOST).args(["--test", "cli"]);
        command.arg("--message-format=json-render-diagnostics");
        build::executables(&mut command, ["host-train"]).map(|[program]| Self::Tested(program))
    }

    /// The program with some arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self {
            Self::Released | Self::Lean => {
                let mut command = cargo();
                command.args(["run", "--release", "--quiet", "--package", "host-train"]);
                if matches!(self, Self::Lean) {
                    command.args(["--no-default-features", "--features", "download"]);
                    command.args(["--config", "profile.release.package.host-train.opt-level=0"]);
                }
                command.arg("--");
                command
            }
            Self::Tested(program) => Command::new(program),
        };
        command.args(arguments);
        command
    }

    /// Runs it for a person to watch.
    pub(crate) fn watch(&self, arguments: &[&str]) -> Result<()> {
        run(&mut self.command(arguments))
    }

    /// Runs it with `--json` and returns the last line.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Answer> {
        let mut answer = Value::Null;
        run_lines(self.command(arguments).arg("--json"), |line| {
            answer = serde_json::from_str(line).with_context(|| format!("{line:?} is not JSON"))?;
            Ok(())
        })?;
        println!("{answer}");
        Ok(Answer(answer))
    }
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
