//! `peers`: thumbnet and other libraries train and run the same network on the same images, in turn, on this machine.

mod programs;
mod table;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::shell::root;
use programs::{Programs, TRAINERS, Trainer};

/// What is compared, and how long.
#[derive(Args)]
pub(crate) struct Peers {
    /// The network.
    #[arg(long, value_enum, default_value_t = Network::MnistConvnet)]
    network: Network,
    /// Passes over the training images.
    #[arg(long, default_value_t = 1)]
    epochs: usize,
    /// Training images in a pass.
    #[arg(long, default_value_t = 60_000)]
    images: usize,
    /// How often each program runs, in turn with the others; the fastest run counts.
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Only these peers, by the beginning of their names (torch, keras-best, jax, burn, ...); thumbnet always runs.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Only these parts.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = PARTS)]
    parts: Vec<Part>,
    /// Folder of MNIST's four files, unpacked [default: host-train's, fetched if missing].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A Python that has the packages of benches/peers/requirements.txt [default: one in benches/peers/.venv, made by
    /// this command].
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Write what the tables are made of to this file as JSON: of each program the run with the fastest training, with
    /// the fastest steps and inference of all its runs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables to docs/peers/, in a file named after this machine's CPU and the network.
    #[arg(long)]
    write_docs: bool,
}

/// What every program can train; Burn's and candle's only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Network {
    /// The convnet of the Keras MNIST tutorial.
    MnistConvnet,
    /// MLPerf Tiny's residual network of image classification.
    Resnet8,
    /// MLPerf Tiny's depthwise separable network of keyword spotting.
    DsCnn,
}

impl Network {
    /// As programs and files call it.
    fn name(self) -> &'static str {
        match self {
            Self::MnistConvnet => "mnist-convnet",
            Self::Resnet8 => "resnet8",
            Self::DsCnn => "ds-cnn",
        }
    }

    /// As tables call it.
    fn title(self) -> &'static str {
        match self {
            Self::MnistConvnet => "MnistConvNet",
            Self::Resnet8 => "ResNet8",
            Self::DsCnn => "DsCnn",
        }
    }
}

/// A part of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Training and f32 inference, everything at its best.
    Train,
    /// thumbnet's time over epochs, images and threads.
    Linear,
    /// Training and f32 inference, everything without AVX-512.
    Avx2,
    /// int8 inference on one thread, beside LiteRT.
    Int8,
}

/// Every part, in the order in which they run.
const PARTS: [Part; 4] = [Part::Train, Part::Linear, Part::Avx2, Part::Int8];

/// A run of a program, as it was printed.
type Run = Value;

impl Peers {
    pub(crate) fn run(&self) -> Result<()> {
        for (name, value) in [("epochs", self.epochs), ("rounds", self.rounds)] {
            ensure!(value > 0, "{name} is 0, but must be at least 1");
        }
        // Half of them hold fifty whole batches, and no batch is left over that compilers would have to see.
        let images = (5000..=60_000).contains(&self.images) && self.images.is_multiple_of(100);
        ensure!(images, "images is {}, but must be a multiple of 100 from 5000 to 60000", self.images);
        for name in &self.only {
            let known = TRAINERS.iter().any(|trainer| trainer.name.starts_with(name.as_str()));
            ensure!(known, "no peer's name begins with `{name}`; they are {}", TRAINERS.map(|t| t.name).join(", "));
        }
        let everything = self.only.is_empty() && PARTS.iter().all(|part| self.parts.contains(part));
        ensure!(everything || !self.write_docs, "--write-docs writes every table: leave out --only and --parts");
        // Before anything is built: the machine's own load is not what would disturb the figures.
        let before = load()?;
        // A file that cannot be written fails here, and not after the first part.
        if let Some(file) = &self.json {
            let open = fs::OpenOptions::new().append(true).create(true).open(file);
            open.with_context(|| file.display().to_string())?;
        }
        for trainer in TRAINERS.iter().filter(|trainer| !trainer.trains(self.network)) {
            println!("{} is skipped: its program trains mnist-convnet alone", trainer.name);
        }
        let programs = Programs::prepare(self)?;
        println!("\nFigures need an idle machine. Load average at the beginning: {before}");
        let (mut parts, mut failures) = (Vec::new(), Vec::new());
        for part in PARTS.into_iter().filter(|part| self.parts.contains(part)) {
            let (title, runs) = self.part(part, &programs, &mut failures)?;
            let text = match part {
                Part::Linear => table::scaling(&runs),
                Part::Int8 => table::int8(&runs),
                Part::Train | Part::Avx2 => table::training(&runs),
            };
            println!("\n{title}\n\n{text}");
            parts.push((title, text, runs));
            self.write_json(&before, &parts)?;
        }
        let (machine, after) = (machine()?, load()?);
        println!("{machine}; load average before: {before}, after: {after}");
        if self.write_docs {
            let folder = root().join("docs/peers");
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
            let file = folder.join(file_name(&machine, self.network));
            fs::write(&file, self.document(&machine, &before, &parts)).with_context(|| file.display().to_string())?;
            println!("written: {}", file.display());
        }
        ensure!(failures.is_empty(), "some runs failed, and are not in the tables:\n{}", failures.join("\n"));
        Ok(())
    }

    /// Writes what there is so far, if it is wanted.
    fn write_json(&self, before: &str, parts: &[(String, String, Vec<Run>)]) -> Result<()> {
        let Some(file) = &self.json else { return Ok(()) };
        let parts: Vec<_> = parts.iter().map(|(title, _, runs)| json!({ "title": title, "runs": runs })).collect();
        let all = json!({ "machine": machine()?, "load_before": before, "load_after": load()?, "parts": parts });
        fs::write(file, format!("{all:#}\n")).with_context(|| file.display().to_string())
    }

    /// Whether this peer is to run.
    fn wants(&self, trainer: &Trainer) -> bool {
        let is_named = self.only.is_empty() || self.only.iter().any(|only| trainer.name.starts_with(only.as_str()));
        is_named && trainer.trains(self.network)
    }

    /// Runs one part; its title, and the fastest run of each program. A peer that fails is left out.
    fn part(&self, part: Part, programs: &Programs, failures: &mut Vec<String>) -> Result<(String, Vec<Run>)> {
        let (epochs, images, network) = (self.epochs, self.images, self.network.title());
        let (title, mut commands) = match part {
            Part::Train | Part::Avx2 => {
                let limit = part == Part::Avx2;
                let mut commands = vec![programs.thumbnet(epochs, images, None, limit.then_some("avx2"))];
                if !limit && programs::has_bf16() {
                    commands.push(programs.thumbnet(epochs, images, None, Some("avx512-bf16")));
                }
                let able = !limit && programs::has_avx512();
                for trainer in TRAINERS.iter().filter(|t| self.wants(t) && (able || !t.avx512_only)) {
                    commands.push(programs.trainer(trainer, epochs, images, limit)?);
                }
                let what = if limit { ", limited to AVX2" } else { "" };
                (format!("{network}, batch 50, {images} images, epochs: {epochs}{what}"), commands)
            }
            Part::Linear => {
                let epochs = [1, 2, 4].map(|epochs| programs.thumbnet(epochs, images, None, None));
                let half = programs.thumbnet(1, images / 2, None, None);
                let threads = [1, 2].map(|threads| programs.thumbnet(1, images, Some(threads), None));
                let title =
                    format!("{network} by thumbnet, over epochs of {images} images, over images, and over threads");
                (title, epochs.into_iter().chain([half]).chain(threads).collect())
            }
            Part::Int8 => (
                format!("int8 inference of {network}, one thread, one image at a time"),
                vec![programs.thumbnet_int8(), programs.litert()?],
            ),
        };
        let mut fastest: Vec<Option<Run>> = vec![None; commands.len()];
        for round in 1..=self.rounds {
            println!("\nround {round} of {}: {title}", self.rounds);
            for (i, (command, fastest)) in commands.iter_mut().zip(&mut fastest).enumerate() {
                let run = match programs::run(command) {
                    Ok(run) => run,
                    // All others are compared with the first; and thumbnet's own runs are told apart by their places.
                    Err(error) if i == 0 || part == Part::Linear => return Err(error),
                    Err(error) => {
                        eprintln!("error: {error:#}");
                        failures.push(format!("{error:#}"));
                        continue;
                    }
                };
                *fastest = Some(match fastest.take() {
                    Some(old) => table::better(old, run),
                    None => run,
                });
            }
        }
        Ok((title, fastest.into_iter().flatten().collect()))
    }

    fn document(&self, machine: &str, load: &str, parts: &[(String, String, Vec<Run>)]) -> String {
        let mut text = format!(
            "# Side by side\n\nWritten by `cargo xtask peers --write-docs`. {machine};\nload average before: {load}.\n\
             Runs of each program, in turn: {}; the fastest counts, for training and for each kind of inference by \
             itself.\nRatio: thumbnet's images/s over the peer's.\n",
            self.rounds
        );
        for (title, table, _) in parts {
            text += &format!("\n## {title}\n\n{table}");
        }
        text
    }
}

/// The load average over a minute, which is near 0 on an idle machine.
fn load() -> Result<String> {
    let text = fs::read_to_string("/proc/loadavg").context("the load average is read from Linux's /proc")?;
    Ok(text.split_whitespace().next().unwrap_or_default().to_owned())
}

/// The CPU and how many cores this program may use.
fn machine() -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo").context("the CPU's name is read from Linux's /proc")?;
    let field = |name: &str| {
        let line = text.lines().find(|line| line.split('\t').next() == Some(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("?").to_owned()
    };
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{} (family {}, model {}), {cores} cores", field("model name"), field("cpu family"), field("model")))
}

/// `amd-epyc-family-25-model-17-2-cores.md`, and for other networks than the first `...-2-cores-ds-cnn.md`.
fn file_name(machine: &str, network: Network) -> String {
    let name = machine.replace("(R)", " ").to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let network = Some(network.name()).filter(|_| network != Network::MnistConvnet);
    words.chain(network).collect::<Vec<_>>().join("-") + ".md"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_the_cpu_and_the_network() {
        let machine = "Intel(R) Xeon(R) Processor (family 6, model 207), 2 cores";
        let file = |network| file_name(machine, network);
        assert_eq!(file(Network::MnistConvnet), "intel-xeon-processor-family-6-model-207-2-cores.md");
        assert_eq!(file(Network::DsCnn), "intel-xeon-processor-family-6-model-207-2-cores-ds-cnn.md");
    }
}
