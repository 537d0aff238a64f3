//! A folder with the four files of a data set in the IDX format, named as MNIST's are.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use thumbnet::{geometry::Shape, input::Shows};

use super::{
    DataError, Dataset, IdxFile, Outputs, Samples, Targets, Values,
    array::{self, Array},
    error::Problem,
    load::{Expected, Found},
    mnist,
};

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

/// What an IDX file has in a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Samples,
    Targets,
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Self::Samples => "images",
            Self::Targets => "labels",
        }
    }
}

/// The types in the ends of names. What an array really has is what its header says, as are its dimensions.
const TYPES: [&str; 6] = ["ubyte", "byte", "short", "int", "float", "double"];

/// A file that its name makes part of a data set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// Bytes of the prefix.
    rank: usize,
    is_compressed: bool,
    prefix: Vec<u8>,
    name: OsString,
}

/// Whether a file is called as those of such a data set end.
pub(super) fn is_idx(path: &Path) -> bool {
    let name = path.to_string_lossy();
    TYPES.iter().any(|kind| name.strip_suffix(kind).is_some_and(|start| start.ends_with('-')))
}

/// Whether there is a file of such a data set.
pub(super) fn is_there(folder: &Path) -> Result<bool, DataError> {
    let train = candidates(folder, Split::Train, Content::Samples)?;
    Ok(!train.is_empty() || !candidates(folder, Split::Test, Content::Samples)?.is_empty())
}

/// Loads `train-images-idx3-ubyte` and its like, plain or `.gz`, and the test half if it is there.
///
/// Folders of such a name and hidden files (`._train-images-idx3-ubyte`, as macOS makes them) are none of it. A dot may
/// stand in place of the hyphen before `idx`, and a prefix before the name (`emnist-digits-train-...`). The images of
/// files whose prefix is EMNIST's are transposed in the file, and turned when they are read.
pub(super) fn load(folder: &Path, expected: Expected) -> Result<Found, DataError> {
    let mut notes = Vec::new();
    let train = half(folder, Split::Train, expected, &mut notes)?;
    let is_split = [Content::Samples, Content::Targets]
        .into_iter()
        .map(|content| candidates(folder, Split::Test, content))
        .collect::<Result<Vec<_>, _>>()?
        .iter()
        .any(|candidates| !candidates.is_empty());
    let test = if is_split { Some(half(folder, Split::Test, expected, &mut notes)?) } else { None };
    let test = test.map(|test| test.showing(train.shows()));
    Ok(Found { notes, keeps_order: true, ..Found::of(train, test) })
}

/// Loads one half. What the headers tell is checked before the data is read: of a file that is not the network's, or
/// announces more than any data set has, no more than its header ever is in memory.
fn half(folder: &Path, split: Split, expected: Expected, notes: &mut Vec<String>) -> Result<Dataset, DataError> {
    let Expected { input, outputs } = expected;
    let (path, prefix) = find(folder, split, Content::Samples)?;
    let of = DataError::of(&path);
    let samples = IdxFile::open(&path)?;
    array::check_shape(samples.dimensions(), input).map_err(&of)?;
    let count = samples.dimensions()[0];

    let (targets, is_mnist) = match outputs {
        Outputs::Input => (Targets::Classes(vec![0; count]), false),
        Outputs::Classes(_) | Outputs::Values(_) => {
            let (label_path, _) = find(folder, split, Content::Targets)?;
            let of = DataError::of(&label_path);
            let labels = IdxFile::open(&label_path)?;
            array::check_count(labels.dimensions(), count, &path).map_err(&of)?;
            let (labels, text) = labels.read_written()?;
            let is_mnist = matches!(&labels.values, Values::Bytes(labels) if mnist::are_labels(labels));
            (array::targets(&labels, outputs, text).map_err(&of)?, is_mnist)
        }
    };
    let Array { mut values, .. } = samples.read()?;
    if prefix.starts_with(b"emnist-") && transpose(&mut values, input) && split == Split::Train {
        notes.push(format!("{}: EMNIST's images lie transposed in it, and are turned", path.display()));
    }
    let data = Dataset::of(input, values, targets).map_err(|error| DataError::of(&path)(error))?;
    let has_digits = [&b"emnist-digits-"[..], b"emnist-mnist-"].iter().any(|digits| prefix.starts_with(digits));
    Ok(if is_mnist || has_digits { data.showing(Shows::Digits) } else { data })
}

/// Exchanges rows and columns of square grey pictures, if these are ones.
fn transpose(values: &mut Values, shape: Shape) -> bool {
    let (Values::Bytes(bytes), Shape { height, width, channels: 1 }) = (values, shape) else { return false };
    if height != width {
        return false;
    }
    for image in bytes.chunks_exact_mut(height * width) {
        for row in 0..height {
            for column in 0..row {
                image.swap(row * width + column, column * width + row);
            }
        }
    }
    true
}

/// The file of one kind, and its prefix. An uncompressed file wins over its `.gz`, and a name without prefix over one
/// with.
fn find(folder: &Path, split: Split, content: Content) -> Result<(PathBuf, Vec<u8>), DataError> {
    let of = DataError::of(folder);
    match candidates(folder, split, content)?.as_slice() {
        [] => {
            let rank = if content == Content::Samples { 3 } else { 1 };
            let name = format!("{}-{}-idx{rank}-ubyte", split.stems()[0], content.name());
            Err(of(Problem::Missing { name: format!("{name} (or {name}.gz)") }))
        }
        // Without a prefix there is nothing to confuse; with prefixes, all must be the same.
        [first, .., last] if !first.prefix.is_empty() && first.prefix != last.prefix => {
            let names = [first, last].map(|file| file.name.display().to_string());
            Err(of(Problem::Ambiguous { names }))
        }
        [first, ..] => Ok((folder.join(&first.name), first.prefix.clone())),
    }
}

/// The files of one kind, the likeliest first.
fn candidates(folder: &Path, split: Split, content: Content) -> Result<Vec<Candidate>, DataError> {
    let mut candidates = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::of(folder))? {
        let entry = entry.map_err(DataError::of(folder))?;
        let name = entry.file_name();
        // A link counts as what it leads to.
        if let Some((prefix, is_compressed)) = prefix(name.as_encoded_bytes(), split, content)
            && entry.path().is_file()
        {
            candidates.push(Candidate {
                rank: prefix.len(),
                is_compressed,
                prefix: prefix.to_vec(),
                name: name.clone(),
            });
        }
    }
    candidates.sort();
    Ok(candidates)
}

/// What stands before such a file's usual name, and whether it is compressed.
fn prefix(name: &[u8], split: Split, content: Content) -> Option<(&[u8], bool)> {
    let plain = name.strip_suffix(b".gz").unwrap_or(name);
    let ends = |ending: &str| plain.strip_suffix(ending.as_bytes());
    let head = TYPES.iter().find_map(|kind| ends(&format!("-{kind}")))?;
    let (rank, head) = head.split_last()?;
    let head = head.strip_suffix(b"-idx").or_else(|| head.strip_suffix(b".idx"))?;
    let stem = |stem| head.strip_suffix(format!("{stem}-{}", content.name()).as_bytes());
    let prefix = split.stems().iter().find_map(stem)?;
    let is_prefix = prefix.is_empty() || (prefix.ends_with(b"-") && !prefix.starts_with(b"."));
    (is_prefix && rank.is_ascii_digit()).then_some((prefix, plain.len() != name.len()))
}

#[cfg(test)]
mod tests {
    use thumbnet::geometry::Shape;

    use super::*;

    const EXPECTED: Expected = Expected { input: Shape::new(1, 2, 1), outputs: Outputs::Classes(3) };
    const IMAGES: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];
    const LABELS: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 0, 2];

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    fn load_folder(folder: &Path, split: Split, expected: Expected) -> Result<Dataset, DataError> {
        half(folder, split, expected, &mut Vec::new())
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
            let expected = Expected { input, outputs: Outputs::Classes(3) };
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
            ("train-images-idx3-ubyte", &[2, 2, 3], colours),
        ] {
            assert_eq!(read(name, dimensions, input).unwrap(), [6, 7, 8, 9, 10, 11], "{dimensions:?} as {input}");
        }
        for (dimensions, input, text) in [
            (&[2, 6][..], picture, "samples of 6 values, the network takes (2, 3, 1)"),
            (&[2, 3, 2], picture, "samples of 3 x 2 values, the network takes (2, 3, 1)"),
            (&[2, 3, 2], colours, "samples of 3 x 2 values, the network takes (2, 1, 3)"),
            (&[2, 2, 1, 3], Shape::vector(6), "samples of 2 x 1 x 3 values, the network takes (6)"),
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
        assert!(text.contains("train-labels-idx1-ubyte: 1 labels for 2 samples of"), "{text}");

        let labels: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 2, 0, 3];
        let text = error(&[("train-images-idx3-ubyte", IMAGES), ("train-labels-idx1-ubyte", labels)]);
        assert!(text.contains("label 3 at position 1, the network has 3 classes (labels 0 to 2)"), "{text}");
        let labels: &[u8] = &[0, 0, 12, 1, 0, 0, 0, 2, 1, 0, 0, 1, 0, 0, 0, 0];
        let text = error(&[("train-images-idx3-ubyte", IMAGES), ("train-labels-idx1-ubyte", labels)]);
        assert!(text.contains("label 16777217 at position 0"), "{text}");

        let images: &[u8] = &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2];
        let text = error(&[("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", LABELS)]);
        assert!(text.contains("samples of 1 x 1 values, the network takes (1, 2, 1)"), "{text}");
    }
}
