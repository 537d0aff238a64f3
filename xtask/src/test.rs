//! `cargo xtask test`: every test there is.

use anyhow::Result;

use crate::backends::{self, How};
use crate::board::Board;
use crate::report::{Counts, Report};
use crate::shell::{cargo, root, run, run_lines};
use crate::{build, device_bench, device_test, firmware_test, identity, setup, training_test};

/// Runs everything, each step whatever becomes of the others; or the steps with one of the texts in their names.
pub(crate) fn run_all(only: Vec<String>) -> Result<()> {
    let mut report = Report::only(only);
    report.step("set-up", setup::all);
    report.step("formatting", || run(cargo().args(["fmt", "--all", "--check"])));
    lints(&mut report);
    host(&mut report);
    device_test::add_steps(&mut report, &Board::emulated().collect::<Vec<_>>());
    firmware_test::add_steps(&mut report);
    training_test::add_steps(&mut report);
    identity::add_steps(&mut report);
    report.step("instructions on every core", device_bench::check_all);
    report.finish()
}

/// Clippy on the host and for every board, and rustdoc.
fn lints(report: &mut Report) {
    report.step("clippy on the host", || {
        run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    });
    for &board in Board::all() {
        let name = board.name();
        report.step(format!("clippy for {name}"), || {
            let mut clippy = cargo();
            clippy.args(["clippy", "-p", "thumbnet", "-p", "thumbnet-models", "-p", "firmware", "-p", "device-tests"]);
            clippy.args(["--no-default-features", "--features"]);
            build::helium(board, &mut clippy);
            clippy.arg(format!("thumbnet/defmt,firmware/{name},device-tests/{name}"));
            run(clippy.args(["--target", board.target(), "--", "-D", "warnings"]))
        });
    }
    // Alone: among other packages, or with its tests, std comes in through a dependency of theirs.
    for features in ["", "alloc"] {
        report.step(format!("the library alone, features {features:?}"), || {
            run(cargo().args(["check", "--package", "thumbnet", "--no-default-features", "--features", features]))
        });
    }
    report.step("documentation", || run(cargo().args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings")));
    report.step("documentation of the firmware", || {
        let mut doc = cargo();
        doc.args(["doc", "--no-deps", "--package", "firmware", "--target", Board::Mps2An386.target()]);
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
}

/// The tests that cargo runs on the host.
fn host(report: &mut Report) {
    x86_64(report);
    report.counted("tests on the host", |counts| {
        let native = backends::all()?.into_iter().filter(|&(_, how)| how == How::Native);
        let native: Vec<_> = native.map(|(name, _)| name).collect();
        cargo_test(&["--workspace", "--exclude", "xtask"], &[("THUMBNET_REQUIRE_BACKENDS", &native.join(","))], counts)
    });
    report.counted("tests of xtask", |counts| cargo_test(&["--package", "xtask", "--profile", "xtask"], &[], counts));
    report.counted("tests of the library without std", |counts| {
        cargo_test(&["--package", "thumbnet", "--no-default-features"], &[], counts)
    });
    report.counted("tests of the library, scalar back end only", |counts| {
        // A folder of its own: other flags would make cargo build everything anew, and then again.
        let folder = root().join("target").join("scalar");
        let flags =
            [("RUSTFLAGS", r#"--cfg thumbnet_backend="scalar""#), ("CARGO_TARGET_DIR", &folder.to_string_lossy())];
        cargo_test(&["--package", "thumbnet", "--features", "std"], &flags, counts)
    });
    report.counted("int8 kernels on 64-bit ARM", |counts| {
        let tests = ["--package", "thumbnet", "--features", "std", "--target", setup::AARCH64];
        let tests = [tests.as_slice(), &["--test", "int8", "--test", "tflite_golden"]].concat();
        cargo_test(&tests, &[("THUMBNET_REQUIRE_BACKENDS", "neon")], counts)
    });
}

/// One step that tests, or fails for, each back end of x86-64 that this CPU lacks.
fn x86_64(report: &mut Report) {
    let all = match backends::all() {
        Ok(all) => all,
        Err(error) => return report.step("back ends of x86-64", || Err(error)),
    };
    for (name, how) in all {
        match how {
            How::Native => {}
            How::Qemu => report.counted(format!("kernels with {name} by QEMU"), |counts| {
                let tests = ["--package", "thumbnet", "--features", "std"];
                let tests =
                    [tests.as_slice(), &["--test", "f32", "--test", "int8", "--test", "tflite_golden"]].concat();
                // A CPU with all that QEMU can play.
                let runner = ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "qemu-x86_64 -cpu max");
                cargo_test(&tests, &[runner, ("THUMBNET_REQUIRE_BACKENDS", name)], counts)
            }),
            How::Waived => println!("\nnot tested, as was asked for: kernels with {name}"),
            How::Missing => report.step(format!("kernels with {name}"), || backends::missing(name)),
        }
    }
}

/// `cargo test`, with its tests counted.
fn cargo_test(arguments: &[&str], variables: &[(&str, &str)], counts: &mut Counts) -> Result<()> {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]).args(arguments).envs(variables.iter().copied());
    run_lines(&mut command, |line| {
        println!("{line}");
        counts.add_line(line);
        Ok(())
    })
}
