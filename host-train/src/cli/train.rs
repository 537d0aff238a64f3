//! `train`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde_json::json;
use thousands::Separable;
use thumbnet::{
    graph::Graph,
    train::{Adadelta, Adam, Optimizer, Sgd},
};

use super::{
    args::{OptimizerName, ScheduleName, TrainArgs},
    file::{self, WEIGHTS},
    output::{Output, shown},
};
use crate::{
    atomic, checkpoint,
    data::Split,
    history,
    model::{Callback, CallbackResult, Epoch, FitError, FitOptions, Model, Running, Schedule, usual_loss},
    network::short_name,
    progress::Progress,
};

/// The file of what each epoch reached.
const HISTORY: &str = "history.csv";

pub(super) fn run(arguments: &TrainArgs, output: Output) -> anyhow::Result<()> {
    file::with_network(&arguments.network, |graph| Train { graph, arguments, output }.run())
}

struct Train<'a> {
    graph: &'a Graph<'a>,
    arguments: &'a TrainArgs,
    output: Output,
}

impl Train<'_> {
    fn run(&self) -> anyhow::Result<()> {
        match self.arguments.optimizer {
            OptimizerName::Adadelta => self.train(Adadelta::default()),
            OptimizerName::Sgd => self.train(Sgd::default()),
            OptimizerName::Adam => self.train(Adam::default()),
        }
    }

    /// The schedule that was asked for, and how it is told.
    fn schedule(&self) -> anyhow::Result<(Schedule, String)> {
        match (self.arguments.schedule, self.arguments.warmup) {
            (ScheduleName::Cosine, warmup) => {
                let warmup = warmup.unwrap_or(Schedule::USUAL_WARMUP);
                Ok((Schedule::Cosine { warmup }, format!(" (cosine, warm-up {warmup})")))
            }
            (ScheduleName::Constant, None) => Ok((Schedule::Constant, String::new())),
            (ScheduleName::Constant, Some(warmup)) => {
                bail!("warmup is {warmup}, but schedule is constant: ask for --schedule cosine")
            }
        }
    }

    fn train<O: Optimizer + Clone>(&self, mut optimizer: O) -> anyhow::Result<()> {
        let &Self { graph, arguments, output } = self;
        let learning_rate = arguments.learning_rate.unwrap_or(*optimizer.learning_rate());
        *optimizer.learning_rate() = learning_rate;
        // What can be refused at once is refused before the data is loaded and a folder made.
        optimizer.check().map_err(|error| FitError::Train(error.into()))?;
        anyhow::ensure!(arguments.epochs > 0, FitError::Epochs);
        let (schedule, how) = self.schedule()?;
        let backend = arguments.backend.get()?;
        let train = file::load(graph, &arguments.data, Split::Train)?;
        let test = file::load(graph, &arguments.data, Split::Test)?;
        let (batch_size, samples) = (arguments.batch_size, train.len());
        anyhow::ensure!((1..=samples).contains(&batch_size), FitError::BatchSize { batch_size, samples });

        let folder = run_folder(arguments.out.as_deref(), &short_name(graph.name))?;
        let mut keeper = Keeper { graph, folder: &folder, epochs: Vec::new() };
        keeper.check()?;

        let initializer = arguments.kernel_initializer.into();
        let model = Model::initialized(*graph, initializer, arguments.seed).with_backend(backend);
        let optimizer_name = format!("{:?}", arguments.optimizer).to_lowercase();
        output.note(&format!(
            "{}: {} parameters; {optimizer_name}, learning rate {learning_rate}{how}, batch size {batch_size}, \
             seed {}\n\
             {}, {}\nTrain on {samples} samples, validate on {} samples",
            graph.name,
            graph.parameters().separate_with_commas(),
            arguments.seed,
            model.backend().name(),
            plural(rayon::current_num_threads(), "thread"),
            test.len()
        ))?;
        let TrainArgs { epochs, seed, .. } = *arguments;
        let options = FitOptions { epochs, batch_size, schedule, validation: Some(&test), seed };
        let progress = Progress::new(arguments.epochs, output.is_json());
        let mut model = model.compile(optimizer, usual_loss(graph));
        let history = model.fit(&train, options, &mut Both(progress, &mut keeper))?;

        let last = history.last().context("at least one epoch was trained")?;
        let weights = folder.join(WEIGHTS);
        let result = json!({
            "command": "train", "event": "result", "network": graph.name, "epochs": history.len(),
            "seed": arguments.seed,
            "loss": last.loss, "accuracy": last.accuracy, "val_loss": last.val_loss, "val_accuracy": last.val_accuracy,
            "seconds": history.iter().map(|epoch| epoch.seconds).sum::<f64>(),
            "weights": shown(&weights), "history": shown(&folder.join(HISTORY)),
        });
        output.result(&result, &format!("Weights and history are in {}", folder.display()))?;
        Ok(())
    }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The folder to write to: the chosen one, or a new one of the network's name and the first free number.
fn run_folder(chosen: Option<&Path>, network: &str) -> anyhow::Result<PathBuf> {
    let make = |folder: &Path| format!("cannot make folder {}", folder.display());
    if let Some(folder) = chosen {
        atomic::make_folder(folder).with_context(|| make(folder))?;
        return Ok(folder.into());
    }
    let runs = Path::new("runs");
    atomic::make_folder(runs).with_context(|| make(runs))?;
    for number in 1.. {
        let folder = runs.join(format!("{network}-{number}"));
        match fs::create_dir(&folder) {
            // Making it is what claims it from another training that starts at the same time.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map(|()| folder.clone()).with_context(|| make(&folder)),
        }
    }
    unreachable!("no disk has room for so many runs")
}

/// Keeps weights and history after each epoch, so that an interruption loses one epoch at most.
struct Keeper<'a> {
    graph: &'a Graph<'a>,
    folder: &'a Path,
    epochs: Vec<Epoch>,
}

impl Keeper<'_> {
    /// Fails before the first epoch if nothing could be kept after it. What an earlier training left stays until then.
    fn check(&self) -> anyhow::Result<()> {
        file::check(&self.folder.join(WEIGHTS), 4 * self.graph.parameters())?;
        file::check(&self.folder.join(HISTORY), 1)
    }
}

impl Callback for Keeper<'_> {
    fn epoch_ends(&mut self, epoch: &Epoch, weights: &[f32]) -> CallbackResult {
        self.epochs.push(*epoch);
        let written = file::write(&self.folder.join(WEIGHTS), &checkpoint::write(self.graph, weights))
            .and_then(|()| file::write(&self.folder.join(HISTORY), &history::to_csv(&self.epochs)?));
        Ok(written.with_context(|| format!("after epoch {}", epoch.epoch))?)
    }
}

/// Progress on the screen, and files in the folder.
struct Both<'a, 'b>(Progress, &'a mut Keeper<'b>);

impl Callback for Both<'_, '_> {
    fn epoch_begins(&mut self, epoch: usize, steps: usize) -> CallbackResult {
        self.0.epoch_begins(epoch, steps)
    }

    fn step_ends(&mut self, step: usize, running: &Running) -> CallbackResult {
        self.0.step_ends(step, running)
    }

    fn validation_begins(&mut self) -> CallbackResult {
        self.0.validation_begins()
    }

    fn epoch_ends(&mut self, epoch: &Epoch, weights: &[f32]) -> CallbackResult {
        self.1.epoch_ends(epoch, weights)?;
        self.0.epoch_ends(epoch, weights)
    }
}
