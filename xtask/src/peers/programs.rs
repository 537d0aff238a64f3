//! The programs, and what they need to run.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Network, Part, Peers, Run};
use crate::shell::{self, cargo, line, root};

/// A library that trains.
pub(super) struct Trainer {
    /// As it is called in tables and on the command line.
    pub(super) name: &'static str,
    program: Program,
    /// Only there to show what AVX-512 brings.
    pub(super) avx512_only: bool,
}

enum Program {
    /// `train.py` with these arguments.
    Python(&'static [&'static str]),
    /// A package of the workspace in `benches/peers`.
    Rust(&'static str),
}

const fn python(name: &'static str, arguments: &'static [&'static str]) -> Trainer {
    Trainer { name, program: Program::Python(arguments), avx512_only: false }
}

const fn rust(name: &'static str, package: &'static str) -> Trainer {
    Trainer { name, program: Program::Rust(package), avx512_only: false }
}

impl Trainer {
    /// Whether the program has this network.
    pub(super) fn trains(&self, network: Network) -> bool {
        matches!(self.program, Program::Python(_)) || network == Network::MnistConvnet
    }
}

/// Every library that trains.
pub(super) const TRAINERS: [Trainer; 11] = [
    python("torch-compile", &["torch-compile"]),
    Trainer { avx512_only: true, ..python("torch-compile-mkl-avx512", &["torch-compile", "--mkl-avx512"]) },
    python("torch-eager", &["torch-eager"]),
    Trainer { avx512_only: true, ..python("torch-eager-mkl-avx512", &["torch-eager", "--mkl-avx512"]) },
    python("torch-channels-last", &["torch-channels-last"]),
    python("torch-compile-channels-last", &["torch-compile-channels-last"]),
    python("keras-best", &["keras-best"]),
    python("keras-fit", &["keras-fit"]),
    python("jax", &["jax"]),
    rust("burn", "peer-burn"),
    rust("candle", "peer-candle"),
];

/// What keeps libraries from AVX-512: oneDNN (in PyTorch and TensorFlow), MKL, PyTorch's own kernels, XLA (also JAX's).
const AVX2: [(&str, &str); 4] = [
    ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
    ("ATEN_CPU_CAPABILITY", "avx2"),
    ("XLA_FLAGS", "--xla_cpu_max_isa=AVX2"),
];

/// Built programs, and the data.
pub(super) struct Programs {
    network: Network,
    data: PathBuf,
    python: Option<PathBuf>,
}

/// Whether this CPU has AVX-512.
pub(super) fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Whether this CPU has the instructions of thumbnet's bf16.
pub(super) fn has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

impl Programs {
    /// Builds and installs what the wanted parts need.
    pub(super) fn prepare(peers: &Peers) -> Result<Self> {
        shell::run(cargo().args(["build", "--release", "--package", "benches", "--bin", "thumbnet-peer"]))?;
        let mut show = thumbnet_peer();
        show.arg("--show-data-dir");
        if let Some(folder) = &peers.data_dir {
            show.arg("--data-dir").arg(fs::canonicalize(folder).with_context(|| folder.display().to_string())?);
        }
        let data = capture(&mut show)?.trim().into();

        let wants = |part| peers.parts.contains(&part);
        let trainer = |test: fn(&Program) -> bool| TRAINERS.iter().any(|t| peers.wants(t) && test(&t.program));
        let trains_python = (wants(Part::Train) || wants(Part::Avx2)) && trainer(|p| matches!(p, Program::Python(_)));
        let python = match &peers.python {
            _ if !trains_python && !wants(Part::Int8) => None,
            Some(python) => Some(python.clone()),
            None => Some(virtual_environment()?),
        };
        if trainer(|program| matches!(program, Program::Rust(_))) {
            for (part, avx2) in [(Part::Train, false), (Part::Avx2, true)] {
                if wants(part) {
                    build_rust_peers(avx2)?;
                }
            }
        }
        Ok(Self { network: peers.network, data, python })
    }

    /// thumbnet, with the back end of that name.
    pub(super) fn thumbnet(
        &self,
        epochs: usize,
        images: usize,
        threads: Option<usize>,
        backend: Option<&str>,
    ) -> Command {
        let mut command = thumbnet_peer();
        command.args(["--network", self.network.name()]);
        self.training(&mut command, epochs, images);
        if let Some(threads) = threads {
            command.args(["--threads", &threads.to_string()]);
        }
        if let Some(backend) = backend {
            command.args(["--backend", backend]);
        }
        command
    }

    /// thumbnet's int8 inference, of a model that is trained as LiteRT's.
    pub(super) fn thumbnet_int8(&self) -> Command {
        let mut command = self.thumbnet(1, 5000, Some(1), None);
        command.arg("--int8");
        command
    }

    /// LiteRT's int8 inference.
    pub(super) fn litert(&self) -> Result<Command> {
        let mut command = self.script("litert.py")?;
        command.args(["--network", self.network.name(), "--images", "5000", "--data-dir"]).arg(&self.data);
        Ok(command)
    }

    /// Another library.
    pub(super) fn trainer(&self, trainer: &Trainer, epochs: usize, images: usize, avx2: bool) -> Result<Command> {
        let mut command = match trainer.program {
            Program::Python(arguments) => {
                let mut command = self.script("train.py")?;
                command.args(arguments).args(["--network", self.network.name()]);
                // torch.compile's cache does not tell instruction sets apart: code for the one fails with the other.
                command.env("TORCHINDUCTOR_CACHE_DIR", peers_target(avx2).join("torchinductor"));
                // PyTorch's tensors in huge pages, as thumbnet's values.
                command.env("THP_MEM_ALLOC_ENABLE", "1");
                command
            }
            Program::Rust(package) => Command::new(peers_target(avx2).join("release").join(package)),
        };
        self.training(&mut command, epochs, images);
        if avx2 {
            command.envs(AVX2);
        }
        Ok(command)
    }

    fn training(&self, command: &mut Command, epochs: usize, images: usize) {
        command.arg("--data-dir").arg(&self.data);
        command.args(["--epochs", &epochs.to_string(), "--images", &images.to_string()]);
    }

    fn script(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(self.python.as_ref().context("no Python was prepared")?);
        command.arg(folder().join(name));
        Ok(command)
    }
}

/// Runs a program that prints one JSON line.
pub(super) fn run(command: &mut Command) -> Result<Run> {
    // Tuning for one library's kernels, which some machines set for everybody.
    command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
    let text = capture(command)?;
    let json = text.lines().rev().find(|line| line.starts_with('{'));
    let json = json.with_context(|| format!("no JSON line from {}", line(command)))?;
    println!("{json}");
    let run: Value = serde_json::from_str(json).with_context(|| json.to_owned())?;
    Ok(run)
}

/// Standard output of a program, which is announced; standard error is shown if it fails.
fn capture(command: &mut Command) -> Result<String> {
    println!("$ {}", line(command));
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!("{}: {}\n{}", output.status, line(command), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn folder() -> PathBuf {
    root().join("benches/peers")
}

/// Where cargo builds the workspace.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

fn thumbnet_peer() -> Command {
    Command::new(target().join("release/thumbnet-peer"))
}

/// Where what belongs to peers alone is built.
fn peers_target(avx2: bool) -> PathBuf {
    target().join(if avx2 { "peers-avx2" } else { "peers" })
}

/// Builds Burn's and candle's programs for this CPU, or for any with AVX2.
fn build_rust_peers(avx2: bool) -> Result<()> {
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--locked", "--package", "peer-burn", "--package", "peer-candle"]);
    if avx2 {
        cargo.arg("--no-default-features");
    }
    let cpu = if avx2 { "x86-64-v3" } else { "native" };
    cargo.current_dir(folder()).env("RUSTFLAGS", format!("-C target-cpu={cpu}"));
    shell::run(cargo.env("CARGO_TARGET_DIR", peers_target(avx2)))
}

/// The Python of `benches/peers/.venv`, where the pinned packages are installed unless they are there.
fn virtual_environment() -> Result<PathBuf> {
    let (venv, requirements) = (folder().join(".venv"), folder().join("requirements.txt"));
    let (python, stamp) = (venv.join("bin/python"), venv.join("installed.txt"));
    let wanted = fs::read_to_string(&requirements)?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!("set-up: Python packages (some 5 GB, once)");
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
        .context("a Python with the module venv is needed (Debian: python3-venv)")?;
    shell::run(Command::new(&python).args(["-m", "pip", "install", "--requirement"]).arg(&requirements))?;
    fs::write(&stamp, wanted)?;
    Ok(python)
}
