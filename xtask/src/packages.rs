//! What others build on: the two libraries as crates.io would have them, and the host program as a library.

use anyhow::{Context, Result, ensure};

use crate::report::Report;
use crate::shell::{ask, cargo, run};

/// In the order in which they depend on each other.
const LIBRARIES: [&str; 2] = ["thumbnet-macros", "thumbnet"];

/// Crates in the build of a trainer outside of this workspace, itself among them, at most.
const MOST_CRATES: usize = 70;

/// One step that packs the libraries and builds what was packed, and one that counts what a trainer of one's own pulls:
/// the host program without its features, which new projects build.
pub(crate) fn add_steps(report: &mut Report) {
    report.step("packages of the libraries", || {
        LIBRARIES.iter().try_for_each(|library| check_files(library))?;
        // What it needs is there or fetched; then it packs where crates.io is not reached, too.
        run(cargo().args(["fetch", "--locked"]))?;
        run(cargo()
            .args(["package", "--offline", "--allow-dirty"])
            .args(LIBRARIES.map(|name| ["-p", name]).as_flattened()))
    });
    report.step("crates of a trainer", check_crates);
}

/// What must be in a package is, and what is of this repository alone is not.
fn check_files(library: &str) -> Result<()> {
    let list = ask("cargo", &["package", "--list", "--allow-dirty", "-p", library]).context("cargo package --list")?;
    let files: Vec<&str> = list.lines().collect();
    for needed in ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
        ensure!(files.contains(&needed), "{library}: no {needed} in the package");
    }
    let extra = files.iter().find(|file| file.starts_with("tests") || file.contains("data"));
    ensure!(extra.is_none(), "{library}: {} is of no use to others, but in the package", extra.unwrap_or(&""));
    Ok(())
}

/// No more crates than [`MOST_CRATES`], and none that needs a C compiler or does cryptography.
fn check_crates() -> Result<()> {
    let options = ["tree", "-p", "host-train", "--no-default-features", "-e", "normal,build", "--prefix", "none"];
    let tree = ask("cargo", &[options.as_slice(), &["--format", "{p}"]].concat()).context("cargo tree")?;
    let mut crates: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    crates.sort_unstable();
    crates.dedup();
    // The trainer itself.
    let count = crates.len() + 1;
    ensure!(count <= MOST_CRATES, "{count} crates, but at most {MOST_CRATES}: {crates:?}");
    let heavy = |name: &&&str| ["cc ", "ring ", "rustls "].iter().any(|heavy| name.starts_with(heavy));
    ensure!(!crates.iter().any(|name| heavy(&name)), "a C compiler or TLS: {crates:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::shell::{ask, root};

    /// The oldest compiler that is promised is the one that all tests run with.
    #[test]
    fn tests_run_with_the_oldest_compiler() {
        let promised = env!("CARGO_PKG_RUST_VERSION");
        let pinned = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
        assert!(pinned.contains(&format!("channel = \"{promised}.")), "{promised}, but {pinned}");
        let running = ask("rustc", &["--version"]).unwrap();
        assert!(running.starts_with(&format!("rustc {promised}.")), "{promised}, but {running}");
    }
}
