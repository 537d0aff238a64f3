//! Set-up: what the machine still lacks is installed, and what may not be installed is said.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::board;
use crate::shell::{ask, run};

/// Installs everything. Does nothing, and says so, where all is there.
pub(crate) fn all() -> Result<()> {
    components()?;
    targets()?;
    qemu()
}

/// The parts of the toolchain that the tests need.
pub(crate) fn components() -> Result<()> {
    rustup("component", &["clippy", "rustfmt"])
}

/// The standard library for every board.
pub(crate) fn targets() -> Result<()> {
    rustup("target", &board::targets())
}

/// `rustup <kind> add` of what `rustup <kind> list` does not show as installed.
fn rustup(kind: &str, wanted: &[&str]) -> Result<()> {
    let Some(installed) = ask("rustup", &[kind, "list", "--installed"]) else {
        bail!("rustup is needed, and does not answer: see https://rustup.rs");
    };
    // Components are listed with the host's name behind them.
    let lacks = |name: &&&str| !installed.lines().any(|line| line == **name || line.starts_with(&format!("{name}-")));
    let missing: Vec<_> = wanted.iter().filter(lacks).collect();
    if missing.is_empty() {
        println!("set-up: rustup {kind}s: there ({})", wanted.join(", "));
        return Ok(());
    }
    println!("set-up: rustup {kind}s: adding what is missing");
    run(Command::new("rustup").args([kind, "add"]).args(missing).current_dir(crate::shell::root()))
}

/// QEMU for Arm, by Debian's package manager where this user may install.
pub(crate) fn qemu() -> Result<()> {
    if let Some(version) = ask("qemu-system-arm", &["--version"]) {
        println!("set-up: QEMU: there ({})", version.lines().next().unwrap_or_default());
        return Ok(());
    }
    println!("set-up: QEMU: qemu-system-arm is missing");
    let has = |program: &str| ask(program, &["--version"]).is_some();
    if !has("apt-get") {
        let command = match () {
            () if has("dnf") => "sudo dnf install qemu-system-arm",
            () if has("pacman") => "sudo pacman -S qemu-system-arm",
            () if has("zypper") => "sudo zypper install qemu-arm",
            () if has("brew") => "brew install qemu",
            () => bail!("install QEMU's qemu-system-arm by hand, then run this again"),
        };
        bail!("QEMU is missing: type `{command}`, then run this again");
    }
    let root = ask("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    if !root && ask("sudo", &["-n", "true"]).is_none() {
        bail!("QEMU is missing: type `sudo apt-get install qemu-system-arm`, then run this again");
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["-n", "apt-get"]);
        }
        run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = ["install", "--yes", "--no-install-recommends", "qemu-system-arm"];
    // On a fresh machine the lists of packages are not there yet.
    if apt(&install).is_err() {
        apt(&["update"])?;
        apt(&install)?;
    }
    ask("qemu-system-arm", &["--version"]).map(drop).context("qemu-system-arm was installed, and does not start")
}
