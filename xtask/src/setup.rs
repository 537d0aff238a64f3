//! Set-up: what the machine still lacks is installed, and what may not be installed is said.

use std::io;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::board;
use crate::shell::{ask, cargo, run};

/// Installs everything. Does nothing, and says so, where all is there.
pub(crate) fn all() -> Result<()> {
    components()?;
    targets()?;
    qemu()?;
    aarch64()?;
    deny()
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
        eprintln!("set-up: rustup {kind}s: there ({})", wanted.join(", "));
        return Ok(());
    }
    eprintln!("set-up: rustup {kind}s: adding what is missing");
    let mut add = Command::new("rustup");
    run(add.args([kind, "add"]).args(missing).current_dir(crate::shell::root()).stdout(io::stderr()))
}

/// QEMU's boards.
pub(crate) fn qemu() -> Result<()> {
    program("qemu-system-arm", ["qemu-system-arm", "qemu-system-arm", "qemu-system-arm", "qemu-arm", "qemu"])
}

/// QEMU's user mode and the target, to run the tests for 64-bit ARM.
pub(crate) fn aarch64() -> Result<()> {
    rustup("target", &[AARCH64])?;
    program("qemu-aarch64", ["qemu-user", "qemu-user", "qemu-user", "qemu-linux-user", "qemu"])
}

/// `cargo deny`, which looks at dependencies. Built without optimisation, which takes longer than all that it will ever
/// do, and without a git of its own.
fn deny() -> Result<()> {
    if let Some(version) = ask("cargo", &["deny", "--version"]) {
        eprintln!("set-up: cargo deny: there ({})", version.trim());
        return Ok(());
    }
    eprintln!("set-up: cargo deny is missing");
    let mut install = cargo();
    install.args(["install", "cargo-deny", "--version", "^0.20", "--locked", "--no-default-features"]);
    run(install.args(["--profile", "dev", "--config", "profile.dev.debug=false"]).stdout(io::stderr()))
}

/// The target that needs no C compiler and no C library.
pub(crate) const AARCH64: &str = "aarch64-unknown-linux-musl";

/// A program of QEMU's, by Debian's package manager where this user may install. Its package is called differently by
/// apt-get, dnf, pacman, zypper and brew.
fn program(name: &str, [apt_name, dnf, pacman, zypper, brew]: [&str; 5]) -> Result<()> {
    if let Some(version) = ask(name, &["--version"]) {
        eprintln!("set-up: {name}: there ({})", version.lines().next().unwrap_or_default());
        return Ok(());
    }
    eprintln!("set-up: {name} is missing");
    let has = |program: &str| ask(program, &["--version"]).is_some();
    if !has("apt-get") {
        let command = match () {
            () if has("dnf") => format!("sudo dnf install {dnf}"),
            () if has("pacman") => format!("sudo pacman -S {pacman}"),
            () if has("zypper") => format!("sudo zypper install {zypper}"),
            () if has("brew") => format!("brew install {brew}"),
            () => bail!("install QEMU's {name} by hand, then run this again"),
        };
        bail!("{name} is missing: type `{command}`, then run this again");
    }
    let root = ask("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    if !root && ask("sudo", &["-n", "true"]).is_none() {
        bail!("{name} is missing: type `sudo apt-get install {apt_name}`, then run this again");
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["-n", "apt-get"]);
        }
        run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(io::stderr()))
    };
    let install = ["install", "--yes", "--no-install-recommends", apt_name];
    // On a fresh machine the lists of packages are not there yet.
    if apt(&install).is_err() {
        apt(&["update"])?;
        apt(&install)?;
    }
    ask(name, &["--version"]).map(drop).with_context(|| format!("{name} was installed, and does not start"))
}
