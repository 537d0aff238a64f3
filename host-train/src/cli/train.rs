//! `train`.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use thousands::Separable;
use thumbnet::{
    graph::Graph,
    train::{Adadelta, Adam, Optimizer, Sgd},
};

use super::{
    Networks,
    args::{self, MonitorName, OptimizerName, ScheduleName, TrainArgs},
    file::{self, BEST, HISTORY, TRAINING, WEIGHTS},
    output::{Output, shown},
};
#[cfg(feature = "download")]
use crate::data::mnist::DATA_VARIABLE;
use crate::{
    atomic, checkpoint,
    envelope::{self, Kind},
    history,
    model::{
        About, Callback, CallbackResult, EarlyStopping, Epoch, FitError, FitOptions, Model, ModelCheckpoint,
        NoAccuracy, ReduceLrOnPlateau, Save, Schedule, Snapshot, Training, classes, usual_loss,
    },
    network::{self, short_name},
    progress::Progress,
};

const KIND: Kind = Kind { magic: *b"thumbrun", version: 2, name: "training" };
/// A training is kept after this time at least, besides each epoch.
const KEEP_EVERY: Duration = Duration::from_secs(120);

/// A training that is not done.
#[derive(Serialize, Deserialize)]
struct Unfinished<'a> {
    /// The arguments that it was begun with.
    arguments: Vec<OsString>,
    /// The folder that it was begun in, from which these name files.
    folder: OsString,
    /// How far it is; nothing before its first step.
    snapshot: Option<&'a [u8]>,
}

pub(super) fn run(arguments: &TrainArgs, networks: Networks, output: Output) -> anyhow::Result<()> {
    let Some(folder) = &arguments.resume else {
        let begun_in = env::current_dir().unwrap_or_default().into_os_string();
        let begun = Unfinished { arguments: env::args_os().collect(), folder: begun_in, snapshot: None };
        return begin(arguments, networks, output, &begun);
    };
    let path = folder.join(TRAINING);
    if folder.join(WEIGHTS).exists() && !path.exists() {
        bail!("{}: this training is done: there is nothing to resume", folder.display());
    }
    ensure!(path.exists(), "{}: there is no {TRAINING}, so no training to resume", folder.display());
    let bytes = file::read(&path)?;
    let name = || path.display().to_string();
    let unfinished: Unfinished<'_> = envelope::open(KIND, &bytes).with_context(name)?;
    let mut begun = args::parse_train(&unfinished.arguments, networks).with_context(name)?;
    begun.out = Some(folder.clone());
    let begun_in = Path::new(&unfinished.folder);
    if let Some(dataset) = &mut begun.data.dataset {
        *dataset = found(begun_in, dataset);
        let (run, data) = (folder.display(), dataset.display());
        ensure!(dataset.exists(), "{run}: its data set is not there any more: move it back to {data} to resume");
    }
    if let Some(network) = begun.network.as_mut().filter(|name| network::find(networks, name).is_err()) {
        let file = found(begun_in, Path::new(network)).into_os_string();
        *network = file.into_string().unwrap_or_else(|_| network.clone());
    }
    #[cfg(feature = "download")]
    move_mnist(&mut begun.data, &arguments.data, begun_in)?;
    begin(&begun, networks, output, &unfinished)
}

/// The file that a path named in the folder that a training was begun in; from here, where there is none any more.
fn found(begun_in: &Path, path: &Path) -> PathBuf {
    let there = begun_in.join(path);
    if there.exists() || !path.exists() { there } else { path.into() }
}

/// Takes the folder of MNIST that is named beside `--resume`; else the one that the training was begun with.
#[cfg(feature = "download")]
fn move_mnist(begun: &mut args::DataArgs, now: &args::DataArgs, begun_in: &Path) -> anyhow::Result<()> {
    // The variable is for all commands, whether they read MNIST or not.
    let variable = env::var_os(DATA_VARIABLE).map(PathBuf::from);
    let is_told = |folder: &&PathBuf| variable.as_ref() != Some(*folder);
    let told = now.data_dir.as_ref().filter(is_told);
    if let (Some(folder), Some(dataset)) = (told, &begun.dataset) {
        bail!("--data-dir is {}, but the training's data is {}, not MNIST", folder.display(), dataset.display());
    }
    begun.data_dir = match (told, &begun.data_dir) {
        (Some(folder), _) => Some(folder.clone()),
        (None, Some(folder)) if is_told(&folder) => Some(found(begun_in, folder)),
        (None, folder) => folder.clone(),
    };
    Ok(())
}

/// Begins a training, or goes on with it.
fn begin(arguments: &TrainArgs, networks: Networks, output: Output, from: &Unfinished<'_>) -> anyhow::Result<()> {
    file::with_network(arguments.network.as_deref(), networks, |graph| Train { graph, arguments, output, from }.run())
}

struct Train<'a> {
    graph: &'a Graph<'a>,
    arguments: &'a TrainArgs,
    output: Output,
    from: &'a Unfinished<'a>,
}

impl Train<'_> {
    fn run(&self) -> anyhow::Result<()> {
        match self.arguments.optimizer {
            OptimizerName::Adadelta => self.train(Adadelta::default()),
            OptimizerName::Sgd => self.train(Sgd::default()),
            OptimizerName::Adam => self.train(Adam::default()),
        }
    }

    /// Refuses to write to a folder what would replace the data set or the file that the network is from.
    fn refuse_inputs(&self, out: &Path) -> anyhow::Result<()> {
        let network = file::of_network(self.arguments.network.as_deref());
        let inputs: Vec<&Path> =
            [self.arguments.data.dataset.as_deref(), network.as_deref()].into_iter().flatten().collect();
        [WEIGHTS, HISTORY, BEST, TRAINING].iter().try_for_each(|name| file::refuse_same(&out.join(name), &inputs))
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
        let &Self { graph, arguments, output, from } = self;
        let learning_rate = arguments.learning_rate.unwrap_or(*optimizer.learning_rate());
        *optimizer.learning_rate() = learning_rate;
        // What can be refused at once is refused before the data is loaded and a folder made.
        optimizer.check().map_err(|error| FitError::Train(error.into()))?;
        let (schedule, how) = self.schedule()?;
        let loss = arguments.loss.map_or_else(|| usual_loss(graph), Into::into);
        let backend = arguments.backend.get()?;
        let can_monitor = arguments.monitor != MonitorName::Accuracy || classes(graph).is_some();
        ensure!(can_monitor, NoAccuracy);
        let data = file::load(graph, &arguments.data, None)?;
        let (train, test) = (&data.train, &data.test);
        let (batch_size, samples) = (arguments.batch_size, train.len());
        ensure!((1..=samples).contains(&batch_size), FitError::BatchSize { batch_size, samples });
        let about = arguments.about(train);

        if let Some(out) = &arguments.out {
            self.refuse_inputs(out)?;
        }
        let folder = run_folder(arguments.out.as_deref(), &short_name(graph.name))?;
        let begun = from.snapshot.is_none().then_some(from);
        let mut keeper = Keeper { graph, about: &about, folder: &folder, begun, epochs: Vec::new() };
        keeper.check(O::SLOTS)?;

        let initializer = arguments.kernel_initializer.into();
        let model =
            Model::initialized(*graph, initializer, arguments.seed).with_backend(backend).adapted(about.clone());
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
        let resume = from.snapshot.map(Snapshot::read).transpose()?;
        if let Some(snapshot) = &resume {
            output.note(&format!("Resumed in epoch {}, step {}", snapshot.progress.epoch, snapshot.progress.step))?;
            keeper.epochs.clone_from(&snapshot.progress.history);
        }
        let mut progress = Progress::new(arguments.epochs, output.is_json());
        let monitor = arguments.monitor.into();
        let mut early = arguments.early_stopping.map(|patience| EarlyStopping::new(monitor, patience));
        let mut plateau = arguments.reduce_lr.map(|patience| ReduceLrOnPlateau::new(monitor, patience, 0.1, 0.0));
        let mut best =
            arguments.keep_best.then(|| ModelCheckpoint::new(*graph, about.clone(), folder.join(BEST), monitor));
        // The last writes what those before it leave.
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut progress];
        callbacks.extend(early.as_mut().map(|callback| callback as &mut dyn Callback));
        callbacks.extend(plateau.as_mut().map(|callback| callback as &mut dyn Callback));
        callbacks.extend(best.as_mut().map(|callback| callback as &mut dyn Callback));
        callbacks.push(&mut keeper);

        let mut write = |snapshot: &Snapshot<'_>| Ok(keep(&folder, from, Some(&snapshot.write()))?);
        let TrainArgs { epochs, seed, .. } = *arguments;
        let save = Some(Save { every: KEEP_EVERY, write: &mut write });
        let options =
            FitOptions { epochs, batch_size, schedule, validation: Some(test), seed, save, resume: resume.as_ref() };
        let history = model.compile(optimizer, loss).fit(train, options, &mut callbacks)?;
        let done = folder.join(TRAINING);
        fs::remove_file(&done).with_context(|| done.display().to_string())?;

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

/// Writes how far a training is.
fn keep(folder: &Path, from: &Unfinished<'_>, snapshot: Option<&[u8]>) -> anyhow::Result<()> {
    let unfinished = Unfinished { arguments: from.arguments.clone(), folder: from.folder.clone(), snapshot };
    file::write(&folder.join(TRAINING), &envelope::seal(KIND, &unfinished))
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

/// Keeps weights and history after each epoch, for whoever looks at them meanwhile.
struct Keeper<'a> {
    graph: &'a Graph<'a>,
    about: &'a About,
    folder: &'a Path,
    /// What begins with the first epoch, and takes the place of what was unfinished then.
    begun: Option<&'a Unfinished<'a>>,
    epochs: Vec<Epoch>,
}

impl Keeper<'_> {
    /// Fails before the first epoch if nothing could be kept after it. What an earlier training left stays until then.
    fn check(&self, slots: usize) -> anyhow::Result<()> {
        let parameters = self.graph.parameters();
        file::check(&self.folder.join(WEIGHTS), 4 * parameters)?;
        file::check(&self.folder.join(TRAINING), 4 * (1 + slots) * parameters)?;
        file::check(&self.folder.join(HISTORY), 1)
    }

    fn write(&self, weights: &[f32]) -> anyhow::Result<()> {
        file::write(&self.folder.join(WEIGHTS), &checkpoint::write(self.graph, self.about, weights))
    }
}

impl Callback for Keeper<'_> {
    fn epoch_begins(&mut self, _epoch: usize, _steps: usize) -> CallbackResult {
        Ok(self.begun.take().map_or(Ok(()), |begun| keep(self.folder, begun, None))?)
    }

    fn epoch_ends(&mut self, epoch: &Epoch, training: &mut Training<'_>) -> CallbackResult {
        self.epochs.push(*epoch);
        let written = self
            .write(training.weights)
            .and_then(|()| file::write(&self.folder.join(HISTORY), &history::to_csv(&self.epochs)?));
        Ok(written.with_context(|| format!("after epoch {}", epoch.epoch))?)
    }

    fn training_ends(&mut self, weights: &mut [f32]) -> CallbackResult {
        Ok(self.write(weights).context("after the last epoch")?)
    }
}

#[cfg(all(test, feature = "download"))]
mod tests {
    use super::*;
    use crate::network::NETWORKS;

    #[test]
    fn mnist_is_where_resume_is_told_or_where_it_was() {
        let arguments = |words: &[&str]| {
            let words: Vec<OsString> = [&["host-train", "train"], words].concat().iter().map(Into::into).collect();
            args::parse_train(&words, NETWORKS).unwrap().data
        };
        let moved = |begun: &[&str], now: &[&str]| {
            let mut begun = arguments(begun);
            let moved = move_mnist(&mut begun, &arguments(&[&["--resume", "run"], now].concat()), Path::new("/begun"));
            moved.map(|()| begun.data_dir).map_err(|error| error.to_string())
        };
        let data_dir = ["--data-dir", "mnist"];
        assert_eq!(moved(&data_dir, &["--data-dir", "other"]), Ok(Some("other".into())));
        assert_eq!(moved(&[], &data_dir), Ok(Some("mnist".into())));
        assert_eq!(moved(&data_dir, &[]), Ok(Some("/begun/mnist".into())));
        let text = moved(&["--dataset", "own.csv"], &data_dir).unwrap_err();
        assert_eq!(text, "--data-dir is mnist, but the training's data is own.csv, not MNIST");
    }
}
