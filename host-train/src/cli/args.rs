//! The arguments.

use std::{env, path::PathBuf, process};

use anyhow::{Context, ensure};
use clap::{
    Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, builder::Resettable, error::ErrorKind,
};
use thumbnet::arch::{Backend, Precision};
use thumbnet::train::Initializer;

use super::{MOST_THREADS, output};
#[cfg(feature = "download")]
use crate::data::mnist::DATA_VARIABLE;

/// Trains, evaluates, quantises and inspects thumbnet networks.
#[derive(Debug, Parser)]
#[command(name = "host-train", version, propagate_version = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Print one line of JSON for each result
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Threads to work with [default: one for each core]; results do not depend on it
    #[arg(long, global = true, value_name = "N", env = "RAYON_NUM_THREADS")]
    #[arg(value_parser = threads, allow_negative_numbers = true)]
    pub(super) threads: Option<usize>,
}

/// The arguments that the program was called with; it ends where they make no command.
pub(super) fn parse() -> Arguments {
    let matches = without_empty_variables(Arguments::command()).try_get_matches();
    let arguments = matches.and_then(|matches| Arguments::from_arg_matches(&matches));
    arguments.unwrap_or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            error.exit()
        }
        _ => {
            output::error(&in_a_line(&error.render().to_string()));
            process::exit(error.exit_code())
        }
    })
}

/// What clap says in several lines: what is wrong, what is allowed and what may be meant, without the usage.
fn in_a_line(text: &str) -> String {
    let is_told = |line: &&str| !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more");
    let told: Vec<&str> = text.lines().map(str::trim).filter(is_told).collect();
    let told = told.join(" ").replace(" tip: ", "; ");
    format!("{}; `--help` says more", told.strip_prefix("error: ").unwrap_or(&told))
}

/// An environment variable that is set and empty is as if it were not set, as most programs have it.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// A whole number; the error says which there are.
fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", usize::MAX))
}

/// A number of threads, which may come from a variable; the error says which there may be.
fn threads(text: &str) -> Result<usize, String> {
    let is_allowed = |threads: &usize| (1..=MOST_THREADS).contains(threads);
    let allowed = format!("must be a whole number from 1 to {MOST_THREADS}, here as in RAYON_NUM_THREADS");
    text.parse().ok().filter(is_allowed).ok_or(allowed)
}

/// A factor; the error has the number as it was typed, not what f32 would make of it.
fn factor(text: &str) -> Result<f32, String> {
    let allowed = || "must be a number from 1e-38 to 1e38".into();
    text.parse().ok().filter(|factor| (1e-38..=1e38).contains(factor)).ok_or_else(allowed)
}

/// A percentile, likewise.
fn percentile(text: &str) -> Result<f32, String> {
    let allowed = || "must be above 50 and at most 100".into();
    text.parse().ok().filter(|&percent| percent > 50.0 && percent <= 100.0).ok_or_else(allowed)
}

/// A share of which something must be left, likewise.
fn share(text: &str) -> Result<f32, String> {
    let allowed = || "must be at least 0 and below 1".into();
    text.parse().ok().filter(|share| (0.0..1.0).contains(share)).ok_or_else(allowed)
}

/// A seed; the error says which there are.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Train a network and keep its weights and history
    Train(TrainArgs),
    /// Measure the accuracy of f32 weights or of a quantised network on the test images
    Evaluate(EvaluateArgs),
    /// Quantise f32 weights to the int8 blob that a device runs
    Quantize(QuantizeArgs),
    /// Recognise the digit in a picture
    Predict(PredictArgs),
    /// Show what is in a file of weights or a blob, layer by layer, and what it costs on a device
    Inspect(InspectArgs),
    /// Write test images as firmware holds them, and the scores that the PC computes for them
    Sample(SampleArgs),
    /// Show where the time of a training step goes, layer by layer, beside what the machine allows
    Profile(ProfileArgs),
    /// Take f32 weights from a safetensors file
    Import(ImportArgs),
    /// Put f32 weights into a safetensors file
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(super) struct DataArgs {
    /// Folder of another data set: four files named as MNIST's, plain or .gz
    #[arg(long, value_name = "DIR")]
    pub(super) dataset: Option<PathBuf>,
    #[cfg(feature = "download")]
    /// Folder that MNIST is kept in; fetched if missing [default: in the user's data folder]
    #[arg(long, value_name = "DIR", env = DATA_VARIABLE)]
    pub(super) data_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OptimizerName {
    Adadelta,
    Sgd,
    Adam,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ScheduleName {
    /// The same in every step
    Constant,
    /// Up from 0 in a line, then down to 0 along half a cosine, over all steps
    Cosine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum InitializerName {
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
}

impl From<InitializerName> for Initializer {
    fn from(name: InitializerName) -> Self {
        match name {
            InitializerName::GlorotUniform => Self::GlorotUniform,
            InitializerName::GlorotNormal => Self::GlorotNormal,
            InitializerName::HeUniform => Self::HeUniform,
            InitializerName::HeNormal => Self::HeNormal,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// mnist-convnet (the Keras tutorial's), mnist-small, mnist-tiny, mnist-resnet, resnet8, ds-cnn, mobilenet-v1,
    /// auto-encoder, or a file of weights or a blob, whose network is taken
    #[arg(long, default_value = "mnist-convnet", value_name = "NAME")]
    pub(super) network: String,
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// Passes over the training images
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) epochs: usize,
    /// Images in a step
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) batch_size: usize,
    /// The update rule
    #[arg(long, value_enum, default_value_t = OptimizerName::Adadelta)]
    pub(super) optimizer: OptimizerName,
    /// Factor on each update [default: adadelta 1.0, sgd 0.01, adam 0.001]
    #[arg(long, value_name = "RATE", value_parser = factor, allow_hyphen_values = true)]
    pub(super) learning_rate: Option<f32>,
    /// How the learning rate goes on from there
    #[arg(long, value_enum, default_value_t = ScheduleName::Constant)]
    pub(super) schedule: ScheduleName,
    /// Share of all steps in which the learning rate rises, with --schedule cosine [default: 0.05]
    #[arg(long, value_name = "SHARE", value_parser = share, allow_hyphen_values = true)]
    pub(super) warmup: Option<f32>,
    /// How initial weights are drawn
    #[arg(long, value_enum, default_value_t = InitializerName::GlorotUniform)]
    pub(super) kernel_initializer: InitializerName,
    /// Draws initial weights, order of images and dropout; the same seed gives the same weights
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) backend: BackendArgs,
    /// Folder for the weights and the history [default: a new one, runs/NETWORK-NUMBER]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// Weights, a blob, or a run's folder (its weights)
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) data: DataArgs,
    #[command(flatten)]
    pub(super) backend: BackendArgs,
    /// Write the int8 outputs for every test image, of a quantised network, to this file
    #[arg(long, value_name = "FILE")]
    pub(super) scores: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct BackendArgs {
    /// The kernels: scalar, avx2, avx512 or neon [default: the fastest of this machine]
    #[arg(long, value_name = "NAME")]
    pub(super) backend: Option<String>,
    /// What dense layers multiply, in training and with f32 weights: bf16 needs a CPU with AVX512-BF16, and is faster
    /// on some of them (Zen 4), slower on others (Xeon) [default: f32]
    #[arg(long, value_enum)]
    pub(super) precision: Option<PrecisionName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PrecisionName {
    F32,
    Bf16,
}

impl BackendArgs {
    /// The back end that was named, or the fastest, in the precision that was named.
    pub(super) fn get(&self) -> anyhow::Result<Backend> {
        let backend = match &self.backend {
            None => Backend::detect(),
            Some(name) => Backend::available().find(|backend| backend.name() == name).with_context(|| {
                let names: Vec<_> = Backend::available().map(Backend::name).collect();
                format!("this machine has no back end `{name}`; it has {}", names.join(", "))
            })?,
        };
        let precision = match self.precision {
            None => return Ok(backend),
            Some(PrecisionName::F32) => Precision::F32,
            Some(PrecisionName::Bf16) => Precision::Bf16,
        };
        backend.with_precision(precision).with_context(|| {
            let name = backend.name();
            format!(
                "precision is bf16, but {name} on this CPU has only f32; bf16 takes avx512 on a CPU with AVX512-BF16"
            )
        })
    }

    /// Refuses a precision other than f32, for `what` has none.
    pub(super) fn refuse_precision(&self, what: &str) -> anyhow::Result<()> {
        let is_f32 = self.precision.is_none_or(|precision| precision == PrecisionName::F32);
        ensure!(is_f32, "{what}, but precision bf16 is of f32 weights");
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CalibrationName {
    /// The least and the largest value seen
    MinMax,
    /// The range that holds a share of the values seen
    Percentile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FamilyName {
    /// PCs, Cortex-M0, M0+, M55, M85
    Plain,
    /// Cortex-M3, M4, M7, M33
    Dsp,
}

#[derive(Debug, Args)]
pub(super) struct QuantizeArgs {
    /// Weights, or a run's folder
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The blob to write [default: model.blob beside the weights]
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// How the ranges of activations follow from the values seen
    #[arg(long, value_enum, default_value_t = CalibrationName::MinMax)]
    pub(super) calibration: CalibrationName,
    /// Percent of the values that the range holds, with --calibration percentile [default: 99.99]
    #[arg(long, value_name = "PERCENT", value_parser = percentile, allow_hyphen_values = true)]
    pub(super) percentile: Option<f32>,
    /// Training images to calibrate with [default: 500, or all where there are fewer]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) images: Option<usize>,
    /// Cores to order the weights for: dsp for Cortex-M3, M4, M7 and M33, plain for M0, M55 and PCs
    #[arg(long, value_enum, default_value_t = FamilyName::Plain)]
    pub(super) family: FamilyName,
}

#[derive(Debug, Args)]
pub(super) struct PredictArgs {
    /// PNG or JPEG pictures of one digit each
    #[arg(value_name = "IMAGE", required = true)]
    pub(super) images: Vec<PathBuf>,
    /// Weights, a blob, or a run's folder (its weights)
    #[arg(long, short, value_name = "FILE")]
    pub(super) model: PathBuf,
    /// Draw what the network sees
    #[arg(long)]
    pub(super) show: bool,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Weights, a blob, or a run's folder (its weights)
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct SampleArgs {
    /// A blob
    #[arg(value_name = "BLOB")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// How many, the first ones of the test images
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) images: usize,
    /// The file of images to write: for each its label, then its pixels, a byte each
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// The file of scores to write: for each image its int8 outputs
    #[arg(long, value_name = "FILE")]
    pub(super) scores: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    /// mnist-convnet, mnist-small, mnist-tiny, mnist-resnet, resnet8, ds-cnn, mobilenet-v1, auto-encoder, or a file of
    /// weights or a blob, whose network is taken
    #[arg(long, default_value = "mnist-convnet", value_name = "NAME")]
    pub(super) network: String,
    /// Images in the step
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) batch_size: usize,
    /// Measurements of each phase; the fastest counts
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    pub(super) repeats: usize,
    #[command(flatten)]
    pub(super) backend: BackendArgs,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The safetensors file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// mnist-convnet, mnist-small, mnist-tiny, mnist-resnet, resnet8, ds-cnn, mobilenet-v1, auto-encoder, or a file of
    /// weights or a blob, whose network is taken
    #[arg(long, default_value = "mnist-convnet", value_name = "NAME")]
    pub(super) network: String,
    /// The file of weights to write [default: FILE with the ending .postcard]
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum NamesName {
    /// The layers' own names
    Own,
    /// The names that Keras gives by itself: conv2d, conv2d_1, dense
    Keras,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Weights, or a run's folder
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The safetensors file to write [default: the weights' name with the ending .safetensors]
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// How layers are called in it
    #[arg(long, value_enum, default_value_t = NamesName::Own)]
    pub(super) names: NamesName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn defaults_are_the_tutorials() {
        let arguments = Arguments::parse_from(["host-train", "train"]);
        let Command::Train(train) = arguments.command else { panic!("`train` is the command train") };
        assert_eq!((train.network.as_str(), train.epochs, train.batch_size), ("mnist-convnet", 10, 50));
        assert_eq!((train.optimizer, train.learning_rate), (OptimizerName::Adadelta, None));
    }
}
