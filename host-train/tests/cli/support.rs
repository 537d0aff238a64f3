//! Calling the program, and a data set for it.

use std::{
    ffi::OsStr,
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use host_train::data::{IdxFile, Values};

/// A folder that goes away at the end of a test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder whose `data` is a data set of 100 training and 30 test images in MNIST's format: a bright bar at one of
    /// three heights; the height is the label.
    pub(crate) fn with_stripes() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path("data")).unwrap();
        for (stem, count) in [("train", 100), ("t10k", 30)] {
            let pixel = |i: usize, at: usize| {
                let grain = (i * 31 + at * 17) % 50;
                let is_bright = (8 * (i % 3) + 3..8 * (i % 3) + 8).contains(&(at / 28));
                (if is_bright { 200 + grain } else { grain }) as u8
            };
            let mut images = idx(&[count, 28, 28]);
            images.extend((0..count).flat_map(|i| (0..28 * 28).map(move |at| pixel(i, at))));
            let mut labels = idx(&[count]);
            labels.extend((0..count).map(|i| (i % 3) as u8));
            fs::write(folder.path(&format!("data/{stem}-images-idx3-ubyte")), images).unwrap();
            fs::write(folder.path(&format!("data/{stem}-labels-idx1-ubyte")), labels).unwrap();
        }
        folder
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

/// The header of an IDX file.
fn idx(dimensions: &[usize]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|&length| (length as u32).to_be_bytes()));
    bytes
}

/// The first test images of MNIST.
pub(crate) fn digits() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/digits/t10k-images-idx3-ubyte");
    let Values::Bytes(pixels) = IdxFile::open(&path).unwrap().read().unwrap().values else { panic!("they are bytes") };
    pixels.chunks(28 * 28).map(<[u8]>::to_vec).collect()
}

/// How a call ended.
pub(crate) struct Outcome {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// What a call printed that must have succeeded.
    pub(crate) fn success(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// The one JSON object that a call printed.
    pub(crate) fn json(self) -> serde_json::Value {
        let output = self.success();
        assert_eq!(output.lines().count(), 1, "{output}");
        serde_json::from_str(&output).unwrap()
    }

    /// The error that a call must have ended with: one line, and status 1.
    pub(crate) fn error(self) -> String {
        assert_eq!(self.status, Some(1), "{} {}", self.stdout, self.stderr);
        assert!(self.stderr.starts_with("error: ") && self.stderr.lines().count() == 1, "{}", self.stderr);
        self.stderr
    }

    /// The error that a call must have ended with whose arguments make no command: one line, and status 2.
    pub(crate) fn misuse(self) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        assert!(self.stderr.starts_with("error: ") && self.stderr.lines().count() == 1, "{}", self.stderr);
        self.stderr
    }
}

/// The program with its arguments, to be started.
pub(crate) fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host-train"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    Outcome { status: output.status.code(), stdout, stderr }
}

/// Calls the program.
pub(crate) fn host_train<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Outcome {
    run(&mut command(arguments))
}

/// Calls the program in a folder.
pub(crate) fn host_train_in<S: AsRef<OsStr>>(folder: &Folder, arguments: impl IntoIterator<Item = S>) -> Outcome {
    run(command(arguments).current_dir(folder.0.path()))
}

/// Calls the program with a standard output that nobody reads any more.
#[cfg(unix)]
pub(crate) fn host_train_unread<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = command(arguments).current_dir(folder.path()).stdout(writer).stderr(Stdio::piped()).spawn();
    let output = output.unwrap().wait_with_output().unwrap();
    Outcome { status: output.status.code(), stdout: String::new(), stderr: String::from_utf8(output.stderr).unwrap() }
}
