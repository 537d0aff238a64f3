//! `cargo deny`: licences, second versions and sources of dependencies, and what is known against them, by `deny.toml`.

use std::process::Stdio;
use std::time::Duration;

use crate::report::Report;
use crate::shell::{cargo, line, run, stream};

/// How long the database of advisories may take to come: a network that is closed may not say so.
const LIMIT: Duration = Duration::from_secs(120);

/// One step for what can be told from the dependencies alone, and one for advisories, which is skipped where their
/// database cannot be had.
pub(crate) fn add_steps(report: &mut Report) {
    report.step("dependencies: licences, versions, sources", || {
        run(cargo().args(["deny", "check", "-D", "warnings", "licenses", "bans", "sources"]))
    });
    let name = "dependencies: advisories";
    if !report.has(name) {
        return;
    }
    if fetch() {
        report.step(name, || run(cargo().args(["deny", "check", "-D", "warnings", "advisories"])));
    } else {
        report.skip(name);
        report.note(
            "not run here: advisories on dependencies; a machine that reaches RustSec's advisory-db on GitHub \
            runs them",
        );
    }
}

/// Fetches the database of advisories, and tells whether that went well.
fn fetch() -> bool {
    let mut fetch = cargo();
    fetch.args(["deny", "fetch", "db"]);
    eprintln!("$ {}", line(&fetch));
    // A git that asks for a password would wait for ever.
    let status = stream(fetch.env("GIT_TERMINAL_PROMPT", "0").stderr(Stdio::piped()), LIMIT, |_| Ok(()));
    matches!(status, Ok(Some(0)))
}
