//! A folder with the four files of a data set, named as MNIST's are.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::dataset::{Dataset, DatasetError, Expected};

/// Which half of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// What the weights are fitted to.
    Train,
    /// What they are judged by.
    Test,
}

impl Split {
    /// How the names of its files begin. EMNIST calls `test` what the others call `t10k`.
    fn stems(self) -> &'static [&'static str] {
        match self {
            Self::Train => &["train"],
            Self::Test => &["t10k", "test"],
        }
    }
}

/// Why a folder holds no data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The folder cannot be listed.
    #[error("{}: {error}", path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file is not there.
    #[error("{}: no file {name} (or {name}.gz) in this folder", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
        /// The file's usual name.
        name: String,
    },
    /// More than one file could be meant.
    #[error("{}: both {} and {} could be meant; keep one data set a folder", path.display(), names[0], names[1])]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// Two names.
        names: [String; 2],
    },
    /// The files are no data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

/// Loads one half of the data set in `folder`: `train-images-idx3-ubyte` and its like, plain or `.gz`.
///
/// A dot may stand in place of the hyphen before `idx`, and a prefix before the name (`emnist-digits-train-...`).
///
/// # Errors
///
/// [`FolderError`], naming the folder or the file and what is wrong with it.
pub fn load_folder(folder: &Path, split: Split, expected: Expected) -> Result<Dataset, FolderError> {
    let images = find(folder, split, "images", "idx3-ubyte")?;
    let labels = find(folder, split, "labels", "idx1-ubyte")?;
    Ok(Dataset::read(&images, &labels, expected)?)
}

/// The file of one kind. An uncompressed file wins over its `.gz`, and a name without prefix over one with.
fn find(folder: &Path, split: Split, content: &str, format: &str) -> Result<PathBuf, FolderError> {
    let list = |error| FolderError::List { path: folder.into(), error };
    let mut candidates = Vec::new();
    for entry in fs::read_dir(folder).map_err(list)? {
        let name = entry.map_err(list)?.file_name().to_string_lossy().into_owned();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let prefix = split
            .stems()
            .iter()
            .flat_map(|stem| ["-", "."].map(|separator| format!("{stem}-{content}{separator}{format}")))
            .find_map(|ending| plain.strip_suffix(ending.as_str()))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('-'));
        if let Some(prefix) = prefix {
            candidates.push((prefix.len(), plain.len() != name.len(), prefix.to_owned(), name));
        }
    }
    candidates.sort();
    match candidates.as_slice() {
        [] => {
            let name = format!("{}-{content}-{format}", split.stems()[0]);
            Err(FolderError::Missing { path: folder.into(), name })
        }
        // Without a prefix there is nothing to confuse; with prefixes, all must be the same.
        [first, .., last] if !first.2.is_empty() && first.2 != last.2 => {
            Err(FolderError::Ambiguous { path: folder.into(), names: [first.3.clone(), last.3.clone()] })
        }
        [first, ..] => Ok(folder.join(&first.3)),
    }
}

#[cfg(test)]
mod tests {
    use thumbnet::geometry::Shape;

    use super::*;

    const EXPECTED: Expected = Expected { input: Shape::new(1, 2, 1), classes: 3 };
    const IMAGES: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];
    const LABELS: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 0, 2];

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    fn error(files: &[(&str, &[u8])]) -> String {
        load_folder(folder(files).path(), Split::Train, EXPECTED).unwrap_err().to_string()
    }

    #[test]
    fn finds_every_spelling() {
        for (images, labels, split) in [
            ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", Split::Train),
            ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", Split::Train),
            ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", Split::Test),
            ("emnist-digits-test-images-idx3-ubyte", "emnist-digits-test-labels-idx1-ubyte", Split::Test),
        ] {
            let folder = folder(&[(images, IMAGES), (labels, LABELS)]);
            let data = load_folder(folder.path(), split, EXPECTED).unwrap();
            assert_eq!((data.len(), data.image(1), data.label(1)), (2, &[3u8, 4][..], 2));
        }
    }

    #[test]
    fn the_plainest_name_wins() {
        let junk: &[u8] = b"junk";
        let folder = folder(&[
            ("train-images-idx3-ubyte", IMAGES),
            ("train-images-idx3-ubyte.gz", junk),
            ("emnist-train-images-idx3-ubyte", junk),
            ("train-labels-idx1-ubyte", LABELS),
        ]);
        load_folder(folder.path(), Split::Train, EXPECTED).unwrap();
    }

    #[test]
    fn says_what_is_missing_or_ambiguous() {
        let text = error(&[("train-images-idx3-ubyte", IMAGES)]);
        assert!(text.contains("no file train-labels-idx1-ubyte"), "{text}");
        let text = error(&[("a-train-images-idx3-ubyte", IMAGES), ("b-train-images-idx3-ubyte.gz", IMAGES)]);
        assert!(text.contains("both a-train-images-idx3-ubyte and b-train-images-idx3-ubyte.gz"), "{text}");
        let text = load_folder(Path::new("no-such-folder"), Split::Test, EXPECTED).unwrap_err().to_string();
        assert!(text.starts_with("no-such-folder: "), "{text}");
    }

    #[test]
    fn says_what_does_not_fit() {
        let labels: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 1, 0];
        let text = error(&[("train-images-idx3-ubyte", IMAGES), ("train-labels-idx1-ubyte", labels)]);
        assert!(text.contains("train-labels-idx1-ubyte: 1 labels for 2 images of"), "{text}");

        let labels: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 0, 3];
        let text = error(&[("train-images-idx3-ubyte", IMAGES), ("train-labels-idx1-ubyte", labels)]);
        assert!(text.contains("label 3 at position 1, the network has 3 classes (labels 0 to 2)"), "{text}");

        let images: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4];
        let text = error(&[("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", LABELS)]);
        assert!(text.contains("images of 2 x 1 pixels, the network takes (1, 2, 1)"), "{text}");
    }
}
