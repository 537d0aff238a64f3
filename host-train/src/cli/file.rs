//! Files of weights and blobs: told apart, read, written, with errors that name them.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use thumbnet::{blob, graph::Graph, input::Shows};

use super::{Networks, args::DataArgs};
#[cfg(feature = "download")]
use crate::data::mnist;
use crate::{
    atomic,
    checkpoint::{self, Checkpoint},
    data::{self, Dataset, Expected, Halves, Outputs, Samples},
    model::{About, Model, classes, is_autoencoder},
    network,
    quantized::{self, QuantizedModel},
};

/// The file of weights in a run's folder.
pub(super) const WEIGHTS: &str = "weights.postcard";
/// The file of what each epoch reached.
pub(super) const HISTORY: &str = "history.csv";
/// The file of the best epoch's weights.
pub(super) const BEST: &str = "best.postcard";
/// The file of a training that is not done.
pub(super) const TRAINING: &str = "training.postcard";
/// What a run's folder consists of, and what that is.
const RUN: [(&str, &str); 4] =
    [(WEIGHTS, "the weights"), (HISTORY, "the history"), (BEST, "the best epoch's weights"), (TRAINING, "the state")];

/// What a network file holds.
pub(super) enum Content<'a> {
    Weights(Model<'a>),
    Blob(QuantizedModel<'a>),
}

/// The file meant by `path`: itself, or the weights in a run's folder.
pub(super) fn resolve(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(WEIGHTS) } else { path.into() }
}

/// Reads a file of weights or a blob, and does `work` with what it holds: a network with its graph, whichever it is.
pub(super) fn open<T>(path: &Path, work: impl FnOnce(Content<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
    parse(path, &read(path)?, work)
}

/// As [`open`], of the file's bytes.
pub(super) fn parse<T>(
    path: &Path,
    bytes: &[u8],
    work: impl FnOnce(Content<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let name = || path.display().to_string();
    if bytes.starts_with(&checkpoint::MAGIC) {
        let checkpoint = Checkpoint::read(bytes).with_context(name)?;
        let model = Model::from_weights(checkpoint.graph(), &checkpoint.weights());
        work(Content::Weights(model.adapted(checkpoint.about.clone())))
    } else if bytes.starts_with(&blob::MAGIC) {
        let blob = quantized::plain(bytes).with_context(name)?;
        work(Content::Blob(QuantizedModel::read(&blob).with_context(name)?))
    } else {
        let hint = if is_safetensors(bytes) { "; it looks like safetensors, which `import` reads" } else { "" };
        let start: String = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let start = if start.is_empty() { "is empty".into() } else { format!("begins with {start}") };
        bail!("{}: neither weights (thumbf32) nor a blob (thumbnet): it {start}{hint}", name());
    }
}

/// Does `work` with the network of that name, or of the file that is there; where none is named, with the first.
pub(super) fn with_network<T>(
    name: Option<&str>,
    networks: Networks,
    work: impl FnOnce(&Graph<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let Some(name) = name else {
        return work(&networks.first().context("the program knows no network")?.1);
    };
    let unknown = match network::find(networks, name) {
        Ok(graph) => return work(&graph),
        Err(unknown) => unknown,
    };
    let path = resolve(Path::new(name));
    ensure!(Path::new(name).exists(), unknown);
    open(&path, |content| work(&content.graph()))
}

/// The file that [`with_network`] reads where the name is no network's.
pub(super) fn of_network(name: Option<&str>) -> Option<PathBuf> {
    name.map(|name| resolve(Path::new(name)))
}

impl<'a> Content<'a> {
    /// The network.
    pub(super) fn graph(&self) -> Graph<'_> {
        match self {
            Self::Weights(model) => model.graph(),
            Self::Blob(model) => model.graph(),
        }
    }

    /// What goes in and comes out.
    pub(super) fn about(&self) -> About {
        match self {
            Self::Weights(model) => model.about().cloned().unwrap_or_default(),
            Self::Blob(model) => model.about().clone(),
        }
    }

    /// The f32 weights, for commands that need them; `path` is for the error.
    pub(super) fn into_model(self, path: &Path) -> anyhow::Result<Model<'a>> {
        match self {
            Self::Weights(model) => Ok(model),
            Self::Blob(_) => bail!("{}: a blob, but f32 weights are needed", path.display()),
        }
    }
}

/// A safetensors file begins with the length of its header and the header's brace.
fn is_safetensors(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

/// Bytes of a file at most; networks' have some millions.
const MOST: u64 = 1 << 28;

/// Reads a file whole, if it is no larger than [`MOST`]; the error names it.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = || path.display().to_string();
    let file = fs::File::open(path).with_context(name)?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).with_context(name)?;
    ensure!(bytes.len() as u64 <= MOST, "{}: more than {MOST} bytes, and no network has so many", name());
    Ok(bytes)
}

/// Refuses to write the file `out` where it is one of `others`, which would be lost.
pub(super) fn refuse_same(out: &Path, others: &[&Path]) -> anyhow::Result<()> {
    let same = others.iter().find(|other| atomic::is_same(out, other));
    ensure!(same.is_none(), "{}: one file cannot be read and written, or written twice: choose another", out.display());
    Ok(())
}

/// Refuses to write the file `out` where it is one of those that a run's folder consists of. Weights or a history that
/// lie by themselves are no run.
pub(super) fn refuse_run(out: &Path) -> anyhow::Result<()> {
    let place = atomic::place(out);
    let Some((folder, name)) = place.as_deref().and_then(|place| place.parent().zip(place.file_name())) else {
        return Ok(());
    };
    let has = |name: &str| folder.join(name).is_file();
    let is_run = has(TRAINING) || (has(WEIGHTS) && has(HISTORY));
    match RUN.iter().find(|(file, _)| is_run && name == *file) {
        Some((_, what)) => bail!("{}: {what} of a training, which would be lost: choose another file", out.display()),
        None => Ok(()),
    }
}

/// Refuses to write the file `out` where it is the data set, or a file of data in the folder that is one.
pub(super) fn refuse_data(out: &Path, arguments: &DataArgs) -> anyhow::Result<()> {
    let Some(dataset) = arguments.dataset.clone().or_else(|| mnist_folder(arguments)) else { return Ok(()) };
    let canonical = |path: &Path| fs::canonicalize(path).ok();
    let is_inside = canonical(out).zip(canonical(&dataset)).is_some_and(|(out, dataset)| out.starts_with(dataset));
    let targets = data::targets_beside(&dataset);
    let is_one = [Some(&dataset), targets.as_ref()].into_iter().flatten().any(|file| atomic::is_same(out, file));
    let is_data = is_one || (is_inside && data::is_data(out));
    ensure!(!is_data, "{}: part of the data set, which would be lost: choose another", out.display());
    Ok(())
}

/// Fails where [`write()`] would, as far as can be known before there is something to write: some `len` bytes, or more.
pub(super) fn check(path: &Path, len: usize) -> anyhow::Result<()> {
    atomic::check(path, len).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file whole or not at all, and the folder it is in where that is missing; the error names the file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let result = folder.map_or(Ok(()), atomic::make_folder).and_then(|()| atomic::write(path, bytes));
    result.with_context(|| format!("cannot write {}", path.display()))
}

/// Loads the chosen data set, for a network that is to be or was trained on such data, and says what there is to say
/// of it.
pub(super) fn load(graph: &Graph<'_>, arguments: &DataArgs, about: Option<&About>) -> anyhow::Result<Halves> {
    let path = dataset(graph, arguments, about)?;
    let options = arguments.options(about.unwrap_or(&About::default()));
    let halves = data::load(&path, expected(graph), &options)?;
    tell(&halves.notes);
    about.into_iter().for_each(|about| tell_names(about, &halves.test));
    Ok(halves)
}

/// The same for all samples of a data set that has no test half of its own.
pub(super) fn load_all(graph: &Graph<'_>, arguments: &DataArgs, about: &About) -> anyhow::Result<Dataset> {
    let path = dataset(graph, arguments, Some(about))?;
    let (all, notes) = data::load_all(&path, expected(graph), &arguments.options(about))?;
    tell(&notes);
    tell_names(about, &all);
    Ok(all)
}

/// Says which classes names mean, where a trained network knows none.
fn tell_names(about: &About, data: &Dataset) {
    if about.labels.is_empty() && !data.labels().is_empty() {
        let classes: Vec<String> =
            data.labels().iter().enumerate().map(|(class, name)| format!("`{name}` is {class}")).collect();
        tell(&[format!("the network has no names of classes, so their order is taken: {}", classes.join(", "))]);
    }
}

/// Says what there is to say of data.
fn tell(notes: &[String]) {
    for note in notes {
        // A note, not a result: where nobody reads it, the work goes on.
        let _ = writeln!(io::stderr(), "{note}");
    }
}

/// Where the chosen data set is.
fn dataset(graph: &Graph<'_>, arguments: &DataArgs, about: Option<&About>) -> anyhow::Result<PathBuf> {
    let is_of_digits = about.is_none_or(|about| about.shows == Shows::Digits);
    match &arguments.dataset {
        Some(path) => Ok(path.clone()),
        None if is_of_digits => mnist(arguments),
        None => bail!("{} was not trained on MNIST: name its data set with --dataset", graph.name),
    }
}

/// What a network calls for.
fn expected(graph: &Graph<'_>) -> Expected {
    let outputs = match classes(graph) {
        _ if is_autoencoder(graph) => Outputs::Input,
        Some(classes) if graph.output_activation().is_probability() => Outputs::Classes(classes),
        Some(_) | None => Outputs::Values(graph.output().len()),
    };
    Expected { input: graph.input(), outputs }
}

/// The folder that MNIST is kept in, if there can be one.
#[cfg(feature = "download")]
fn mnist_folder(arguments: &DataArgs) -> Option<PathBuf> {
    mnist::folder(arguments.data_dir.as_deref()).ok()
}

#[cfg(not(feature = "download"))]
fn mnist_folder(_: &DataArgs) -> Option<PathBuf> {
    None
}

/// The folder with MNIST's files, fetched if they are missing.
#[cfg(feature = "download")]
fn mnist(arguments: &DataArgs) -> anyhow::Result<PathBuf> {
    let folder = mnist::folder(arguments.data_dir.as_deref())?;
    mnist::ensure(&folder)?;
    Ok(folder)
}

#[cfg(not(feature = "download"))]
fn mnist(_: &DataArgs) -> anyhow::Result<PathBuf> {
    bail!("this program was built without the feature `download`, which fetches MNIST: name a data set with --dataset");
}
