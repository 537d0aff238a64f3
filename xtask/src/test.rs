//! `cargo xtask test`: every test there is.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::backends::{self, How};
use crate::board::Board;
use crate::build::{AARCH64, HOST};
use crate::report::{Counts, Report};
use crate::shell::{cargo, run, run_lines};
use crate::{
    build, deny, device_bench, device_test, examples, firmware_test, identity, packages, setup, training_test,
};

/// The steps for everyday work: the host, and one core.
pub(crate) const QUICK: [&str; 7] = [
    "set-up",
    "formatting",
    "clippy on the host",
    "tests on the host",
    "tests of xtask",
    "device tests on mps2-an386",
    "firmware on mps2-an386",
];

/// The library's tests with its scalar kernels alone. Named, the host's own target keeps the flag from what takes part
/// in the build, such as macros.
const SCALAR: [&str; 6] = [
    "--package",
    "thumbnet",
    "--target",
    "host-tuple",
    "--config",
    r#"target."cfg(all())".rustflags=["--cfg", "thumbnet_backend=\"scalar\""]"#,
];

/// Runs everything, each step whatever becomes of the others; or the steps with one of the texts in their names.
///
/// The steps for devices and with the trained network run in a process of their own beside the others: they build with
/// other profiles, in other folders, and in all of them a processor is idle part of the time.
pub(crate) fn run_all(only: Vec<String>) -> Result<ExitCode> {
    let backends = backends::all()?;
    let mut report = Report::only(only);
    report.step("set-up", setup::all);
    let mut devices = Command::new(env::current_exe()?);
    devices.args(["test", "--devices"]);
    report.beside(devices)?;
    report.step("formatting", || run(cargo().args(["fmt", "--all", "--check"])));
    deny::add_steps(&mut report);
    packages::add_steps(&mut report);
    lints(&mut report);
    host(&mut report, &backends);
    examples::add_steps(&mut report);
    report.finish()
}

/// Runs the steps for devices and with the trained network, as a process beside [`run_all`]'s.
pub(crate) fn run_devices(only: Vec<String>) -> ExitCode {
    let mut report = Report::only(only);
    board_lints(&mut report);
    device_test::add_steps(&mut report, &Board::emulated().collect::<Vec<_>>());
    firmware_test::add_steps(&mut report);
    training_test::add_steps(&mut report);
    identity::add_steps(&mut report);
    report.step("instructions on every core", device_bench::check_all);
    report.hand_over()
}

/// Clippy on the host, and rustdoc.
fn lints(report: &mut Report) {
    report.step("clippy on the host", || {
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
    // Alone: among other packages, or with its tests, std comes in through a dependency of theirs.
    for features in ["", "alloc"] {
        report.step(format!("the library alone, features {features:?}"), || {
            run(cargo().args(["check", "--package", "thumbnet", "--no-default-features", "--features", features]))
        });
    }
    report.step("documentation", || {
        // Of what others use. Nobody reads the pages of this repository's own tests and jobs.
        let packages = ["thumbnet", "thumbnet-macros", "thumbnet-models", "host-train", "thumbnet-pictures"];
        let packages = packages.iter().flat_map(|package| ["--package", package]);
        run(cargo().args(["doc", "--no-deps"]).args(packages).env("RUSTDOCFLAGS", "-D warnings"))
    });
}

/// The same for every board.
fn board_lints(report: &mut Report) {
    for &board in Board::all() {
        let name = board.name();
        report.step(format!("clippy for {name}"), || {
            let mut clippy = cargo();
            clippy.args(["clippy", "-p", "thumbnet", "-p", "thumbnet-models", "-p", "firmware", "-p", "device-tests"]);
            clippy.args(["--no-default-features", "--features"]);
            clippy.arg(format!("thumbnet/defmt,firmware/{name},device-tests/{name}"));
            build::target(board, &mut clippy);
            run(clippy.args(["--", "-D", "warnings"]))
        });
    }
    report.step("documentation of the firmware", || {
        let mut doc = cargo();
        doc.args(["doc", "--no-deps", "--package", "firmware"]);
        build::target(Board::Mps2An386, &mut doc);
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
}

/// The tests that cargo runs on the host.
fn host(report: &mut Report, backends: &[(&str, How)]) {
    x86_64(report, backends);
    report.counted("tests on the host", |counts| {
        let native = backends.iter().filter(|(_, how)| *how == How::Native);
        let native: Vec<_> = native.map(|(name, _)| *name).collect();
        cargo_test(&HOST, &[(backends::REQUIRE, &native.join(","))], counts)
    });
    report.counted("tests of xtask", |counts| cargo_test(&["--package", "xtask", "--profile", "xtask"], &[], counts));
    // Without std no vector extension is asked for, so that only scalar kernels would run in any case.
    report.counted("tests of the library without std", |counts| {
        cargo_test(&[SCALAR.as_slice(), &["--no-default-features"]].concat(), &[], counts)
    });
    report.counted("tests of the library, scalar back end only", |counts| {
        cargo_test(&[SCALAR.as_slice(), &["--features", "std"]].concat(), &[], counts)
    });
    report.counted("int8 kernels on 64-bit ARM", |counts| {
        let tests = [AARCH64.as_slice(), &["--test", "int8", "--test", "tflite_golden"]].concat();
        cargo_test(&tests, &[(backends::REQUIRE, "neon")], counts)
    });
}

/// One step for each back end of x86-64 that this CPU lacks: it is tested by QEMU, skipped, or a failure where it is
/// required.
fn x86_64(report: &mut Report, backends: &[(&str, How)]) {
    let mut skipped = Vec::new();
    for &(name, how) in backends {
        // Part of the tests on the host, whose name picks it too.
        let step = format!("tests on the host, kernels with {name}");
        match how {
            How::Native => {}
            How::Qemu => report.counted(step + " by QEMU", |counts| {
                let tests = ["--package", "thumbnet", "--features", "std"];
                let tests =
                    [tests.as_slice(), &["--test", "f32", "--test", "int8", "--test", "tflite_golden"]].concat();
                // A CPU with all that QEMU can play.
                let runner = ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "qemu-x86_64 -cpu max");
                cargo_test(&tests, &[runner, (backends::REQUIRE, name)], counts)
            }),
            How::Skipped => {
                if report.skip(step) {
                    skipped.push(name);
                }
            }
            How::Missing => report.step(step, || backends::missing(name)),
        }
    }
    if let Some(note) = backends::note(&skipped) {
        report.note(note);
    }
}

/// `cargo test`, with its tests counted. Which back ends it requires is said by `variables` alone: not every run has
/// those that the user requires.
fn cargo_test(arguments: &[&str], variables: &[(&str, &str)], counts: &mut Counts) -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]).args(arguments);
    command.env_remove(backends::REQUIRE).envs(variables.iter().copied());
    run_lines(&mut command, |line| {
        println!("{line}");
        counts.add_line(line);
        Ok(())
    })
}
