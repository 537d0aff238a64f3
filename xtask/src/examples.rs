//! Projects outside of this workspace, as a user has them: one that `host-train new` makes, and those in `examples/`.
//! The commands are those that their READMEs tell.

use std::path::PathBuf;
use std::process::{self, Command};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::board::Board;
use crate::host_train::HostTrain;
use crate::report::Report;
use crate::shell::{cargo, root, run, run_lines};
use crate::{build, size};

/// An example, and what must be true of it when its README's commands have run.
type Example = (&'static str, fn(&Project, &Measured) -> Result<()>);

const EXAMPLES: [Example; 6] = [
    ("sine", sine),
    ("gestures", |_, measured| classes(measured, 0.95, 0.005)),
    ("shapes", |_, measured| classes(measured, 0.95, 0.005)),
    ("two-networks", |_, measured| fruits(measured)),
    ("slices", |_, measured| fruits(measured)),
    ("external-flash", |_, measured| fruits(measured)),
];

/// Settings of cargo for all projects: what they have in common is built once, in one place, and in less time than for
/// a long training, with the kernels alone optimised. Nobody shall see a warning in a project of one's own.
const SETTINGS: &str = r#"
[profile.trainer.package]
"*" = { opt-level = 0 }
thumbnet = { opt-level = 2 }

[build]
rustflags = ["-D", "warnings"]
target-dir = "examples"
"#;

/// One step for a new project, and one for each example.
pub(crate) fn add_steps(report: &mut Report) {
    report.step("a new project", new_project);
    for (name, check) in EXAMPLES {
        report.step(format!("example {name}"), || {
            let project = Project { folder: root().join("examples").join(name) };
            let lock = project.folder.join("Cargo.lock");
            if !lock.exists() {
                // The versions that are tested here; a user's cargo takes the newest.
                fs::copy(root().join("Cargo.lock"), lock)?;
            }
            project.check_format()?;
            check(&project, &project.follow_readme()?)
        });
    }
}

/// What `new` makes works at once. How its lines are best broken depends on its name: the template's are looked at.
fn new_project() -> Result<()> {
    Project { folder: root().join("host-train/template") }.check_format()?;
    // Outside of this repository, whose settings cargo would take over.
    let folder = env::temp_dir().join(format!("thumbnet-new-project-{}", process::id()));
    run(HostTrain::tested()?.command(&["new", "--board", Board::Mps2An386.name()]).arg(&folder))?;
    fruits(&Project { folder: folder.clone() }.follow_readme()?)?;
    Ok(fs::remove_dir_all(&folder)?)
}

/// The template's data, whose fruits are much alike, and of which few samples are the test half's.
fn fruits(measured: &Measured) -> Result<()> {
    classes(measured, 0.85, 0.05)
}

/// The share of samples whose class is right: so much at least, and in int8 no more than `loss` less than in f32.
fn classes(measured: &Measured, least: f64, loss: f64) -> Result<()> {
    let [f32, int8] = measured.both("accuracy")?;
    let is_right = f32 >= least && int8 >= f32 - loss;
    ensure!(is_right, "accuracy {f32} in f32, {int8} in int8; at least {least}, and {loss} less than that");
    Ok(())
}

/// A number in place of classes: the mean squared error, and what the firmware takes besides logging.
fn sine(project: &Project, measured: &Measured) -> Result<()> {
    let [f32, int8] = measured.both("loss")?;
    ensure!(int8 <= 0.01 && int8 - f32 <= 0.002, "a mean squared error of {int8} in int8, of {f32} in f32");
    let elf = project.without_log()?;
    let (flash, ram) = (size::flash(&elf)?, size::ram(&elf)?);
    println!("besides logging: {flash} bytes of flash, {ram} of RAM");
    ensure!(flash <= 8192 && ram <= 1024, "{flash} bytes of flash and {ram} of RAM, but at most 8192 and 1024");
    Ok(())
}

/// A folder with a project.
struct Project {
    folder: PathBuf,
}

/// What a README's commands `evaluate` said, in their order: of f32 weights, and of the blob made of them.
struct Measured(Vec<Value>);

impl Measured {
    fn both(&self, field: &str) -> Result<[f64; 2]> {
        let [f32, int8] = self.0.as_slice() else { bail!("README.md has {} times `evaluate`, not 2", self.0.len()) };
        let number = |value: &Value| value[field].as_f64().with_context(|| format!("no `{field}` in {value}"));
        Ok([number(f32)?, number(int8)?])
    }
}

impl Project {
    /// `cargo` in the folder, with the [`SETTINGS`].
    fn cargo(&self) -> Result<Command> {
        let target = root().join("target");
        let settings = target.join("examples.toml");
        fs::write(&settings, SETTINGS.replace("\"examples\"", &format!("{:?}", target.join("examples"))))?;
        let mut command = cargo();
        command.current_dir(&self.folder).arg("--config").arg(settings);
        // This workspace's, where the project has its own.
        command.env_remove("DEFMT_LOG");
        Ok(command)
    }

    /// Holds the sources to rustfmt, with the repository's settings.
    fn check_format(&self) -> Result<()> {
        run(self.cargo()?.args(["fmt", "--check"]))
    }

    /// Runs the commands that README.md tells.
    fn follow_readme(&self) -> Result<Measured> {
        let readme = fs::read_to_string(self.folder.join("README.md"))?;
        let mut measured = Vec::new();
        for words in commands(&readme) {
            let mut command = self.cargo()?;
            command.args(&words);
            if words.starts_with(&["trainer".into(), "evaluate".into()]) {
                run_lines(command.arg("--json"), |line| {
                    println!("{line}");
                    measured.push(serde_json::from_str(line)?);
                    Ok(())
                })?;
            } else {
                run(&mut command)?;
            }
        }
        Ok(Measured(measured))
    }

    /// The firmware built without a line of logging.
    fn without_log(&self) -> Result<PathBuf> {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let program = format!("{name}-firmware");
        let mut command = self.cargo()?;
        build::target(Board::Mps2An386, command.args(["build", "--quiet", "--package", &program]));
        command.arg("--message-format=json-render-diagnostics").env("DEFMT_LOG", "off");
        build::executables(&mut command, [program.as_str()]).map(|[elf]| elf)
    }
}

/// The arguments of `cargo` in each command in a text's blocks of `sh`.
fn commands(text: &str) -> Vec<Vec<String>> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    let lines = blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(String::from).collect::<Vec<_>>());
    let words = |line: String| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    lines.filter_map(|line| line.strip_prefix("cargo ").map(|rest| words(rest.into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_in_blocks_of_sh() {
        let text = "cargo no\n```sh\ncargo a b \\\n    c\ncd d\ncargo e\n```\n```toml\ncargo no\n```\n";
        assert_eq!(commands(text), [vec!["a", "b", "c"], vec!["e"]]);
    }
}
