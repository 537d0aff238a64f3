//! A folder with the four files of a data set, named as MNIST's are.

use std::{
    ffi::OsString,
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
    #[error(
        "{}: both {} and {} could be meant; keep one data set a folder",
        path.display(), names[0].display(), names[1].display()
    )]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// Two names.
        names: [OsString; 2],
    },
    /// The files are no data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

/// Loads one half of the data set in `folder`: `train-images-idx3-ubyte` and its like, plain or `.gz`.
///
/// Images with channels may be called `idx4`, vectors `idx2`: what dimensions a file has is what its header says.
///
/// Folders of such a name and hidden files (`._train-images-idx3-ubyte`, as macOS makes them) are none of it. A dot may
/// stand in place of the hyphen before `idx`, and a prefix before the name (`emnist-digits-train-...`).
///
/// # Errors
///
/// [`FolderError`], naming the folder or the file and what is wrong with it.
pub fn load_folder(folder: &Path, split: Split, expected: Expected) -> Result<Dataset, FolderError> {
    let images = find(folder, split, "images", &["idx3-ubyte", "idx4-ubyte", "idx2-ubyte"])?;
    let labels = find(folder, split, "labels", &["idx1-ubyte"])?;
    Ok(Dataset::read(&images, &labels, expected)?)
}

/// The file of one kind. An uncompressed file wins over its `.gz`, and a name without prefix over one with.
fn find(folder: &Path, split: Split, content: &str, formats: &[&str]) -> Result<PathBuf, FolderError> {
    let list = |error| FolderError::List { path: folder.into(), error };
    let mut candidates = Vec::new();
    for entry in fs::read_dir(folder).map_err(list)? {
        let entry = entry.map_err(list)?;
        // A link counts as what it leads to.
        if !entry.path().is_file() {
            continue;
        }
        let name = entry.file_name();
        let bytes = name.as_encoded_bytes();
        let plain = bytes.strip_suffix(b".gz").unwrap_or(bytes);
        let prefix = split
            .stems()
            .iter()
            .flat_map(|stem| formats.iter().map(move |format| (stem, format)))
            .flat_map(|(stem, format)| ["-", "."].map(|separator| format!("{stem}-{content}{separator}{format}")))
            .find_map(|ending| plain.strip_suffix(ending.as_bytes()))
            .filter(|prefix| prefix.is_empty() || (prefix.ends_with(b"-") && !prefix.starts_with(b".")));
        if let Some(prefix) = prefix {
            candidates.push((prefix.len(), plain.len() != bytes.len(), prefix.to_vec(), name.clone()));
        }
    }
    candidates.sort();
    match candidates.as_slice() {
        [] => {
            let name = format!("{}-{content}-{}", split.stems()[0], formats[0]);
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

    /// A sample of one channel may have it in the file or not, a row its height, a vector both; and names tell no
    /// ranks.
    #[test]
    fn reads_samples_of_every_rank() {
        let header = |dimensions: &[u8]| -> Vec<u8> {
            let lengths = dimensions.iter().flat_map(|&len| [0, 0, 0, len]);
            [0, 0, 8, dimensions.len() as u8].into_iter().chain(lengths).collect()
        };
        let read = |name: &str, dimensions: &[u8], input| {
            let bytes = [header(dimensions), (0..dimensions.iter().product()).collect()].concat();
            let folder = folder(&[(name, &bytes), ("train-labels-idx1-ubyte", LABELS)]);
            let expected = Expected { input, classes: 3 };
            load_folder(folder.path(), Split::Train, expected).map(|data| data.image(1).to_vec())
        };
        let (picture, colours) = (Shape::new(2, 3, 1), Shape::new(2, 1, 3));
        for (name, dimensions, input) in [
            ("train-images-idx3-ubyte", &[2, 2, 3][..], picture),
            ("train-images-idx4-ubyte", &[2, 2, 3, 1], picture),
            ("train-images-idx3-ubyte", &[2, 2, 1, 3], colours),
            ("train-images-idx2-ubyte", &[2, 6], Shape::vector(6)),
            ("train-images-idx4-ubyte", &[2, 1, 1, 6], Shape::vector(6)),
            ("train-images-idx3-ubyte", &[2, 2, 3], Shape::new(1, 2, 3)),
        ] {
            assert_eq!(read(name, dimensions, input).unwrap(), [6, 7, 8, 9, 10, 11], "{dimensions:?} as {input}");
        }
        for (dimensions, input, text) in [
            (&[2, 6][..], picture, "images of 6 values, the network takes (2, 3, 1)"),
            (&[2, 3, 2], picture, "images of 3 x 2 pixels, the network takes (2, 3, 1)"),
            (&[2, 2, 3], colours, "images of 2 x 3 pixels, the network takes (2, 1, 3)"),
            (&[2, 2, 1, 3], Shape::vector(6), "images of 2 x 1 x 3 values, the network takes (6)"),
        ] {
            let error = read("train-images-idx3-ubyte", dimensions, input).unwrap_err().to_string();
            assert!(error.ends_with(text), "{error}");
        }
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

    /// The four files of a data set with this prefix.
    fn data_set(prefix: &str) -> tempfile::TempDir {
        let files =
            ["train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"];
        let names = files.map(|file| format!("{prefix}{file}"));
        let bytes = |name: &str| if name.contains("images") { IMAGES } else { LABELS };
        folder(&names.each_ref().map(|name| (name.as_str(), bytes(name))))
    }

    /// As Kaggle's archive is unpacked: each file in a folder of the name with a hyphen, and beside it with a dot.
    #[test]
    fn folders_named_as_files_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS)] {
            for stem in ["train", "t10k"] {
                let inner = folder.path().join(format!("{stem}-{name}"));
                fs::create_dir(&inner).unwrap();
                fs::write(inner.join(format!("{stem}-{name}")), bytes).unwrap();
                fs::create_dir(folder.path().join(format!("{stem}-{name}.gz"))).unwrap();
                fs::write(folder.path().join(format!("{stem}-{}", name.replace("-idx", ".idx"))), bytes).unwrap();
            }
        }
        for split in [Split::Train, Split::Test] {
            assert_eq!(load_folder(folder.path(), split, EXPECTED).unwrap().len(), 2);
        }
        fs::remove_file(folder.path().join("train-images.idx3-ubyte")).unwrap();
        let text = load_folder(folder.path(), Split::Train, EXPECTED).unwrap_err().to_string();
        assert!(text.contains("no file train-images-idx3-ubyte"), "{text}");
    }

    #[test]
    fn hidden_files_are_passed_over() {
        for (prefix, hidden) in [("emnist-digits-", "._emnist-digits-"), ("", "._"), ("", "."), ("emnist-", ".emnist-")]
        {
            let folder = data_set(prefix);
            let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            for name in names.into_iter().map(|name| name.into_string().unwrap()) {
                fs::write(folder.path().join(name.replacen(prefix, hidden, 1)), b"\x00\x05\x16\x07").unwrap();
            }
            for split in [Split::Train, Split::Test] {
                assert_eq!(load_folder(folder.path(), split, EXPECTED).unwrap().len(), 2, "{hidden}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_need_not_be_utf8_and_links_are_followed() {
        use std::os::unix::{ffi::OsStringExt, fs::symlink};
        let plain = data_set("");
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(plain.path()).unwrap() {
            let entry = entry.unwrap();
            let name = [b"d\xe9-".to_vec(), entry.file_name().into_vec()].concat();
            symlink(entry.path(), folder.path().join(OsString::from_vec(name))).unwrap();
        }
        assert_eq!(load_folder(folder.path(), Split::Train, EXPECTED).unwrap().len(), 2);
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

        let images: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2];
        let text = error(&[("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", LABELS)]);
        assert!(text.contains("images of 1 x 1 pixels, the network takes (1, 2, 1)"), "{text}");
    }
}
