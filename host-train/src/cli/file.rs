//! Files of weights and blobs: told apart, read, written, with errors that name them.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use thumbnet::{
    Network,
    blob::{self, BlobError, RepackError},
};

use super::args::DataArgs;
use crate::{
    atomic,
    checkpoint::{self, Checkpoint},
    data::{Dataset, Expected, Split, load_folder, mnist},
    model::{Model, classes},
    network::{NAMES, NetworkVisitor, with_network},
    quantized::QuantizedModel,
};

/// The file of weights in a run's folder.
pub(super) const WEIGHTS: &str = "weights.postcard";

/// What a network file holds, with the network's type known.
pub(super) enum Content<N: Network> {
    Weights(Model<N>),
    Blob(QuantizedModel<N>),
}

/// Something done with a network file.
pub(super) trait FileVisitor {
    type Output;
    fn visit<N: Network>(self, content: Content<N>) -> anyhow::Result<Self::Output>;
}

/// The file meant by `path`: itself, or the weights in a run's folder.
pub(super) fn resolve(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(WEIGHTS) } else { path.into() }
}

/// Reads a file of weights or a blob, finds the network that it is of, and does `visitor` with both.
pub(super) fn open<V: FileVisitor>(path: &Path, visitor: V) -> anyhow::Result<V::Output> {
    let name = || path.display().to_string();
    let bytes = read(path)?;
    if bytes.starts_with(&checkpoint::MAGIC) {
        let checkpoint = Checkpoint::read(&bytes).with_context(name)?;
        let network = checkpoint.network;
        with_network(network, OpenWeights { path, checkpoint: &checkpoint, visitor }).with_context(name)?
    } else if bytes.starts_with(&blob::MAGIC) {
        let network = NAMES.iter().find_map(|network| match with_network(network, CheckBlob(&bytes)) {
            // Any other network's layers differ; every other error is the file's own.
            Ok(Err(RepackError::Read(BlobError::Architecture { .. }))) | Err(_) => None,
            Ok(result) => Some(result.map(|()| *network)),
        });
        let network = network.with_context(|| format!("{}: the blob is of none of the known networks", name()))?;
        let network = network.with_context(name)?;
        with_network(network, OpenBlob { path, bytes: &bytes, visitor })?
    } else {
        let hint = if is_safetensors(&bytes) { "; it looks like safetensors, which `import` reads" } else { "" };
        let start: String = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let start = if start.is_empty() { "is empty".into() } else { format!("begins with {start}") };
        bail!("{}: neither weights (thumbf32) nor a blob (thumbnet): it {start}{hint}", name());
    }
}

impl<N: Network> Content<N> {
    /// The f32 weights, for commands that need them; `path` is for the error.
    pub(super) fn into_model(self, path: &Path) -> anyhow::Result<Model<N>> {
        match self {
            Self::Weights(model) => Ok(model),
            Self::Blob(_) => bail!("{}: a blob, but f32 weights are needed", path.display()),
        }
    }
}

struct OpenWeights<'a, V> {
    path: &'a Path,
    checkpoint: &'a Checkpoint<'a>,
    visitor: V,
}

impl<V: FileVisitor> NetworkVisitor for OpenWeights<'_, V> {
    type Output = anyhow::Result<V::Output>;
    fn visit<N: Network>(self) -> Self::Output {
        let weights = self.checkpoint.weights::<N>().with_context(|| self.path.display().to_string())?;
        self.visitor.visit(Content::<N>::Weights(Model::from_weights(weights)))
    }
}

struct CheckBlob<'a>(&'a [u8]);

impl NetworkVisitor for CheckBlob<'_> {
    type Output = Result<(), RepackError>;
    fn visit<N: Network>(self) -> Self::Output {
        QuantizedModel::<N>::from_blob(self.0).map(|_| ())
    }
}

struct OpenBlob<'a, V> {
    path: &'a Path,
    bytes: &'a [u8],
    visitor: V,
}

impl<V: FileVisitor> NetworkVisitor for OpenBlob<'_, V> {
    type Output = anyhow::Result<V::Output>;
    fn visit<N: Network>(self) -> Self::Output {
        let model = QuantizedModel::<N>::from_blob(self.bytes).with_context(|| self.path.display().to_string())?;
        self.visitor.visit(Content::Blob(model))
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

/// Fails where [`write()`] would, as far as can be known before there is something to write: some `len` bytes, or more.
pub(super) fn check(path: &Path, len: usize) -> anyhow::Result<()> {
    atomic::check(path, len).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file whole or not at all, and the folder it is in where that is missing; the error names the file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let result = folder.map_or(Ok(()), fs::create_dir_all).and_then(|()| atomic::write(path, bytes));
    result.with_context(|| format!("cannot write {}", path.display()))
}

/// Loads one half of the chosen data set, for network `N`.
pub(super) fn load<N: Network>(arguments: &DataArgs, split: Split) -> anyhow::Result<Dataset> {
    let folder = match &arguments.dataset {
        Some(folder) => folder.clone(),
        None => {
            let folder = mnist::folder(arguments.data_dir.as_deref())?;
            mnist::ensure(&folder)?;
            folder
        }
    };
    let expected = Expected { input: N::INPUT, classes: classes::<N>() };
    Ok(load_folder(&folder, split, expected)?)
}
