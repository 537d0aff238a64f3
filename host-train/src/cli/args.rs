//! The arguments.

use std::{env, ffi::OsString, io, path::PathBuf, process};

use anyhow::{Context, bail, ensure};
use clap::{
    Arg, ArgGroup, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, PossibleValuesParser, Resettable, TypedValueParser},
    error::ErrorKind,
};
use thumbnet::arch::{Backend, Precision};
use thumbnet::input::Shows;
use thumbnet::train::{Initializer, Loss};

use super::{MOST_THREADS, Networks, new::boards, output};
#[cfg(feature = "download")]
use crate::data::mnist::DATA_VARIABLE;
use crate::{
    chips::{self, Core, Target},
    data::{Options, Samples, Scale},
    model::{About, Monitor},
    network,
};

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
    #[arg(value_parser = value(threads), allow_negative_numbers = true)]
    pub(super) threads: Option<usize>,
}

/// The arguments that the program was called with; it ends where they make no command.
pub(super) fn parse(program: &'static str, networks: Networks) -> Arguments {
    let matches = without_empty_variables(command(program, networks)).try_get_matches();
    let arguments = matches.and_then(|matches| Arguments::from_arg_matches(&matches));
    arguments.unwrap_or_else(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let failed = error.print().err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
            if let Some(error) = failed {
                output::error(&format!("standard output: {error}"));
                process::exit(1)
            }
            process::exit(error.exit_code())
        }
        _ => {
            output::error(&in_a_line(&error.render().to_string()));
            process::exit(error.exit_code())
        }
    })
}

/// The command line of a program that knows these networks.
fn command(program: &'static str, networks: Networks) -> clap::Command {
    let default = networks.first().map_or("", |(name, _)| name);
    let help = format!(
        "{}, or a file of weights or a blob, whose network is taken [default: {default}]",
        network::names(networks)
    );
    let with_help = |command: clap::Command| command.mut_arg("network", |arg| arg.help(&help));
    let command = Arguments::command().name(program).mut_subcommand("train", with_help);
    command.mut_subcommand("profile", with_help).mut_subcommand("import", with_help)
}

/// The arguments of a training that was begun with these.
pub(super) fn parse_train(arguments: &[OsString], networks: Networks) -> anyhow::Result<TrainArgs> {
    let matches = without_empty_variables(command("train", networks)).try_get_matches_from(arguments)?;
    match Arguments::from_arg_matches(&matches)?.command {
        Command::Train(train) => Ok(train),
        _ => bail!("it was not begun by `train`"),
    }
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

/// Reads a value of an argument or a variable with `parse`. What is no UTF-8 is refused as what else is typed wrong: in
/// clap's own words it would be some argument that is named nowhere.
fn value<T: Clone + Send + Sync + 'static>(parse: fn(&str) -> Result<T, String>) -> impl TypedValueParser<Value = T> {
    OsStringValueParser::new().try_map(move |value| parse(&value.to_string_lossy()))
}

/// A size of memory; the error says how it is written.
fn size(text: &str) -> Result<usize, String> {
    let (number, factor) = match text.strip_suffix(['K', 'k']) {
        Some(number) => (number, 1 << 10),
        None => text.strip_suffix(['M', 'm']).map_or((text, 1), |number| (number, 1 << 20)),
    };
    let size = number.parse::<usize>().ok().and_then(|number| number.checked_mul(factor));
    size.ok_or_else(|| "must be a number of bytes, as 131072 or 128K or 1M".into())
}

/// A number of threads, which may come from a variable; the error says which there may be.
fn threads(text: &str) -> Result<usize, String> {
    let is_allowed = |threads: &usize| (1..=MOST_THREADS).contains(threads);
    let allowed = format!("must be a whole number from 1 to {MOST_THREADS}, here as in RAYON_NUM_THREADS");
    text.parse().ok().filter(is_allowed).ok_or(allowed)
}

/// A number of what there must be one of.
fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| format!("must be a whole number from 1 to {}", usize::MAX))
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

/// A share that leaves something on both sides, likewise.
fn part(text: &str) -> Result<f64, String> {
    let allowed = || "must be above 0 and below 1".into();
    text.parse().ok().filter(|&share| share > 0.0 && share < 1.0).ok_or_else(allowed)
}

/// A seed; the error says which there are.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("must be a whole number from 0 to {}", u64::MAX))
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Begin a project: a network, its trainer, firmware that runs it, and data to begin with
    New(NewArgs),
    /// Train a network and keep its weights and history
    Train(TrainArgs),
    /// Measure how right f32 weights or a quantised network are on the test samples
    Evaluate(EvaluateArgs),
    /// Quantise f32 weights to the int8 blob that a device runs
    Quantize(QuantizeArgs),
    /// Say what a network makes of pictures, or of the samples in a CSV file
    Predict(PredictArgs),
    /// Show what is in a file of weights or a blob, layer by layer, and what it costs on a device
    Inspect(InspectArgs),
    /// Write a page that shows a training, its mistakes, what quantisation costs, and how much memory it takes
    Report(ReportArgs),
    /// Write test samples as firmware holds them, and the scores that the PC computes for them
    Sample(SampleArgs),
    /// Show where the time of a training step goes, layer by layer, beside what the machine allows
    Profile(ProfileArgs),
    /// Take f32 weights from a safetensors file
    Import(ImportArgs),
    /// Put f32 weights into a safetensors file
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The folder to make; its name is the project's
    #[arg(value_name = "NAME")]
    pub(super) path: PathBuf,
    /// The board that the firmware is for
    #[arg(long, value_name = "BOARD", default_value = "mps2-an386", value_parser = PossibleValuesParser::new(boards()))]
    pub(super) board: String,
    /// Folder of thumbnet, which the project is built from [default: the one that this program was built in]
    #[arg(long, value_name = "DIR")]
    pub(super) thumbnet: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DataArgs {
    /// Another data set: a folder of IDX files, of pictures in a folder for each class, or of train and test as .csv or
    /// .npz; or a .csv, .tsv, .npy or .npz [default: MNIST]
    #[arg(long, value_name = "PATH")]
    pub(super) dataset: Option<PathBuf>,
    #[cfg(feature = "download")]
    /// Folder that MNIST is kept in; fetched if missing [default: in the user's data folder]
    #[arg(long, value_name = "DIR", env = DATA_VARIABLE)]
    pub(super) data_dir: Option<PathBuf>,
    /// Share of each class that is the test half where the data set has none; drawn alike by every command
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = part, allow_hyphen_values = true)]
    pub(super) validation_split: f64,
    #[command(flatten)]
    pub(super) table: TableArgs,
}

#[derive(Debug, Args)]
pub(super) struct TableArgs {
    /// A table's columns of what is wanted, by name or number [default: those that the network was trained on; label,
    /// class, target or y; else the last]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) target: Vec<String>,
    /// A table's columns that are passed over, by name or number
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
    /// A table's column of what belongs together and to one half [default: recording, id, series or subject]
    #[arg(long, value_name = "NAME")]
    pub(super) group: Option<String>,
    /// Rows from one window of a table to the next [default: the rows of a window]
    #[arg(long, value_name = "N", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) window_step: Option<usize>,
}

impl TableArgs {
    /// How data is read for a network that was trained on data that was so.
    pub(super) fn options(&self, about: &About) -> Options {
        let Self { target, ignore, group, window_step } = self;
        let (target, ignore, group) = (target.clone(), ignore.clone(), group.clone());
        let (labels, columns) = (about.labels.clone(), about.columns.clone());
        Options { target, ignore, group, window_step: *window_step, labels, columns, ..Options::default() }
    }
}

impl DataArgs {
    /// How data is read for a network that was trained on data that was so.
    pub(super) fn options(&self, about: &About) -> Options {
        Options { validation_split: self.validation_split, ..self.table.options(about) }
    }
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
#[command(group = ArgGroup::new("monitoring").args(["early_stopping", "reduce_lr", "keep_best"]).multiple(true))]
pub(super) struct TrainArgs {
    /// The network
    #[arg(long, value_name = "NAME")]
    pub(super) network: Option<String>,
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// Passes over the training samples
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) epochs: usize,
    /// Samples in a step
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) batch_size: usize,
    /// The update rule
    #[arg(long, value_enum, default_value_t = OptimizerName::Adadelta)]
    pub(super) optimizer: OptimizerName,
    /// Factor on each update [default: adadelta 1.0, sgd 0.01, adam 0.001]
    #[arg(long, value_name = "RATE", value_parser = value(factor), allow_hyphen_values = true)]
    pub(super) learning_rate: Option<f32>,
    /// How the learning rate goes on from there
    #[arg(long, value_enum, default_value_t = ScheduleName::Constant)]
    pub(super) schedule: ScheduleName,
    /// Share of all steps in which the learning rate rises, with --schedule cosine [default: 0.05]
    #[arg(long, value_name = "SHARE", value_parser = value(share), allow_hyphen_values = true)]
    pub(super) warmup: Option<f32>,
    /// How initial weights are drawn
    #[arg(long, value_enum, default_value_t = InitializerName::GlorotUniform)]
    pub(super) kernel_initializer: InitializerName,
    /// Draws initial weights, order of samples and dropout; the same seed gives the same weights
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = value(seed), allow_negative_numbers = true)]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) backend: BackendArgs,
    /// What is made small [default: as the last layer's activation asks for]
    #[arg(long, value_enum)]
    pub(super) loss: Option<LossName>,
    /// What becomes of raw values [default: unit for bytes, standard for other numbers]
    #[arg(long, value_enum)]
    scale: Option<ScaleName>,
    /// What the samples are, which tells `predict` how to read files [default: as the data set says]
    #[arg(long, value_enum)]
    shows: Option<ShowsName>,
    /// End after so many epochs, none of which was better, with the best epoch's weights
    #[arg(long, value_name = "EPOCHS", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) early_stopping: Option<usize>,
    /// Divide the learning rate by 10 after so many epochs, none of which was better
    #[arg(long, value_name = "EPOCHS", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) reduce_lr: Option<usize>,
    /// By what epochs are better: over the validation data
    #[arg(long, value_enum, default_value_t = MonitorName::Loss, requires = "monitoring")]
    pub(super) monitor: MonitorName,
    /// Keep the best epoch's weights too, in best.postcard
    #[arg(long)]
    pub(super) keep_best: bool,
    /// Folder for the weights and the history, in place of those of an earlier training there [default: a new one,
    /// runs/NETWORK-NUMBER]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Go on with the training in this folder, with its own arguments, to the same weights as without interruption.
    /// Paths mean what they meant where it was begun; --data-dir may name another folder of MNIST
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "network", "dataset", "validation_split", "target", "ignore", "group", "window_step", "epochs", "batch_size",
        "optimizer", "learning_rate", "schedule", "warmup", "kernel_initializer", "seed", "backend", "precision",
        "loss", "scale", "shows", "early_stopping", "reduce_lr", "monitor", "keep_best", "out",
    ])]
    pub(super) resume: Option<PathBuf>,
}

impl TrainArgs {
    /// What the samples of this data set are, and what becomes of their values.
    pub(super) fn about(&self, data: &dyn Samples) -> About {
        let scale = self.scale.map_or_else(|| Scale::usual(data), Into::into);
        let shows = self.shows.map_or_else(|| data.shows(), Into::into);
        About { shows, ..About::of(data, scale) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LossName {
    CategoricalCrossentropy,
    BinaryCrossentropy,
    MeanSquaredError,
    MeanAbsoluteError,
}

impl From<LossName> for Loss {
    fn from(name: LossName) -> Self {
        match name {
            LossName::CategoricalCrossentropy => Self::CategoricalCrossentropy,
            LossName::BinaryCrossentropy => Self::BinaryCrossentropy,
            LossName::MeanSquaredError => Self::MeanSquaredError,
            LossName::MeanAbsoluteError => Self::MeanAbsoluteError,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ScaleName {
    /// 0 to 255 become 0 to 1
    Unit,
    /// Each channel to a mean of 0 and a deviation of 1, over the training samples
    Standard,
    /// They stay
    None,
}

impl From<ScaleName> for Scale {
    fn from(name: ScaleName) -> Self {
        match name {
            ScaleName::Unit => Self::Unit,
            ScaleName::Standard => Self::Standard,
            ScaleName::None => Self::None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MonitorName {
    /// A smaller loss
    Loss,
    /// A larger accuracy
    Accuracy,
}

impl From<MonitorName> for Monitor {
    fn from(name: MonitorName) -> Self {
        match name {
            MonitorName::Loss => Self::Loss,
            MonitorName::Accuracy => Self::Accuracy,
        }
    }
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
    /// Judge by all samples, not by a test half of them: of data that the network was not trained on
    #[arg(long, conflicts_with = "validation_split", requires = "dataset")]
    pub(super) all: bool,
    /// Write the int8 outputs for every sample that is judged, of a quantised network, to this file
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
    #[arg(long, value_name = "PERCENT", value_parser = value(percentile), allow_hyphen_values = true)]
    pub(super) percentile: Option<f32>,
    /// Training samples to calibrate with [default: 500, or all where there are fewer]
    #[arg(long, value_name = "N", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) images: Option<usize>,
    /// Cores to order the weights for: dsp for Cortex-M3, M4, M7 and M33, plain for M0, M55 and PCs
    #[arg(long, value_enum, default_value_t = FamilyName::Plain)]
    pub(super) family: FamilyName,
}

#[derive(Debug, Args)]
pub(super) struct PredictArgs {
    /// PNG or JPEG pictures (of one digit each, where the network reads digits), or CSV files of samples
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Weights, a blob, or a run's folder (its weights)
    #[arg(long, short, value_name = "FILE")]
    pub(super) model: PathBuf,
    /// Draw what the network sees
    #[arg(long)]
    pub(super) show: bool,
    #[command(flatten)]
    pub(super) table: TableArgs,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// Weights, a blob, or a run's folder (its weights)
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Say too whether it fits this microcontroller, as nrf52840, and fail where it does not
    #[arg(long, value_name = "NAME")]
    pub(super) chip: Option<String>,
    /// The same for so much flash, in bytes, K or M; with --chip, in place of that chip's
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) flash: Option<usize>,
    /// The same for so much RAM
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) ram: Option<usize>,
    /// Whose kernels run, without --chip [default: those that need most]
    #[arg(long, value_enum, requires = "flash", conflicts_with = "chip")]
    pub(super) core: Option<Core>,
}

impl InspectArgs {
    /// What the network shall fit, if that is asked.
    pub(super) fn target(&self) -> anyhow::Result<Option<Target>> {
        let (flash, ram) = (self.flash, self.ram);
        if let Some(name) = &self.chip {
            let target = Target::from(chips::find(name)?);
            let (flash, ram) = (flash.unwrap_or(target.flash), ram.unwrap_or(target.ram));
            return Ok(Some(Target { flash, ram, ..target }));
        }
        match (flash, ram) {
            (None, None) => Ok(None),
            (Some(flash), Some(ram)) => {
                let name = self.core.map_or("any Cortex-M".into(), |core| format!("a {core}"));
                Ok(Some(Target { name, core: self.core, flash, ram }))
            }
            (flash, _) => {
                let [given, missing] = if flash.is_some() { ["flash", "ram"] } else { ["ram", "flash"] };
                bail!("--{given} is given, and --{missing} is not: it takes both, or --chip")
            }
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A run's folder, or weights
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// The same network as a blob [default: quantised as `quantize` does by itself]
    #[arg(long, value_name = "FILE")]
    pub(super) blob: Option<PathBuf>,
    /// The page to write [default: report.html beside the weights]
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) data: DataArgs,
}

#[derive(Debug, Args)]
pub(super) struct SampleArgs {
    /// A blob
    #[arg(value_name = "BLOB")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) data: DataArgs,
    /// How many, the first ones of the test samples [default: 100, or all where there are fewer]
    #[arg(long, value_name = "N", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) images: Option<usize>,
    /// The file of samples to write: for each its label, then its values, a byte each
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// Write of each sample the int8 values that the network takes, and no label: of any data
    #[arg(long)]
    pub(super) int8: bool,
    /// The file of scores to write: for each sample its int8 outputs
    #[arg(long, value_name = "FILE")]
    pub(super) scores: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    /// The network
    #[arg(long, value_name = "NAME")]
    pub(super) network: Option<String>,
    /// Samples in the step
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) batch_size: usize,
    /// Measurements of each phase; the fastest counts
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = value(count), allow_negative_numbers = true)]
    pub(super) repeats: usize,
    #[command(flatten)]
    pub(super) backend: BackendArgs,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The safetensors file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The network
    #[arg(long, value_name = "NAME")]
    pub(super) network: Option<String>,
    /// The file of weights to write [default: FILE with the ending .postcard]
    #[arg(long, short, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// What the network was trained on: raw values over 255, or as they are [default: as the file says, else unit]
    #[arg(long, value_enum)]
    scale: Option<ImportScale>,
    /// What its samples are [default: as the file says, else digits for 28x28 values and ten classes, pictures for one
    /// or three channels of a larger height, values]
    #[arg(long, value_enum)]
    shows: Option<ShowsName>,
}

impl ImportArgs {
    /// What the imported network's input and outputs are, of which its file may say something.
    #[cfg(feature = "safetensors")]
    pub(super) fn about(&self, graph: &thumbnet::graph::Graph<'_>, told: Option<About>) -> About {
        use thumbnet::input::Scaling;

        let input = graph.input();
        let usual = match (input.height, input.width, input.channels) {
            (28, 28, 1) if graph.output().len() == 10 => Shows::Digits,
            (2.., 2.., 1 | 3) => Shows::Pictures,
            _ => Shows::Values,
        };
        let told = told.filter(|about| about.check(graph).is_ok());
        let about = told.unwrap_or_else(|| About { scaling: vec![Scaling::UNIT], shows: usual, ..About::default() });
        let scaling = match self.scale {
            None => about.scaling,
            Some(ImportScale::Unit) => vec![Scaling::UNIT],
            Some(ImportScale::None) => vec![Scaling::NONE],
        };
        About { scaling, shows: self.shows.map_or(about.shows, Into::into), ..about }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ImportScale {
    Unit,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShowsName {
    /// Handwritten digits: pictures are prepared as MNIST's
    Digits,
    /// Pictures of any kind: they are resized
    Pictures,
    /// Numbers: tables
    Values,
}

impl From<ShowsName> for Shows {
    fn from(name: ShowsName) -> Self {
        match name {
            ShowsName::Digits => Self::Digits,
            ShowsName::Pictures => Self::Pictures,
            ShowsName::Values => Self::Values,
        }
    }
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
        command("host-train", network::NETWORKS).debug_assert();
    }

    #[test]
    fn defaults_are_the_tutorials() {
        let arguments = Arguments::parse_from(["host-train", "train"]);
        let Command::Train(train) = arguments.command else { panic!("`train` is the command train") };
        assert_eq!((train.network, train.epochs, train.batch_size), (None, 10, 50));
        assert_eq!((train.optimizer, train.learning_rate), (OptimizerName::Adadelta, None));
    }
}
