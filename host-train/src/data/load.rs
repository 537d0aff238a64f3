//! One entrance to all data: what there is tells how it is read.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use thumbnet::geometry::Shape;

use super::{ColumnNames, DataError, Dataset, Halves, error::Problem, folder, npy, pictures, table};

/// What a network calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its input: the shape of one sample.
    pub input: Shape,
    /// What its outputs are to be.
    pub outputs: Outputs,
}

/// What a network's outputs are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// One of so many classes; their labels are below.
    Classes(usize),
    /// So many numbers. Where there are several, and data has one whole number below for each sample, this is the class
    /// whose score is to be 1.
    Values(usize),
    /// The input, as an autoencoder gives it. What else the data says of a sample is not read.
    Input,
}

impl fmt::Display for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes(classes) => write!(f, "one of {classes} classes"),
            Self::Values(1) => f.write_str("1 number"),
            Self::Values(values) => write!(f, "{values} numbers"),
            Self::Input => f.write_str("its input"),
        }
    }
}

/// What data does not say by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The share of samples that the test half gets where the data has none: of each class, drawn from a fixed seed.
    pub validation_split: f64,
    /// The columns of a table that are wanted of a network, by name, or by number from 1; empty for the usual one.
    pub target: Vec<String>,
    /// The column of a table that says which rows belong together; none for the usual one.
    pub group: Option<String>,
    /// How many rows of a table lie between the first rows of two windows; none for the rows of a window.
    pub window_step: Option<usize>,
    /// The columns of a table that are passed over.
    pub ignore: Vec<String>,
    /// The names of the network's classes where it was trained on named ones; by these the data's are told.
    pub labels: Vec<String>,
    /// The names of the columns that the network was trained on; by these a table's with names are found.
    pub columns: ColumnNames,
}

impl Default for Options {
    /// A fifth for the test, and what the data says.
    fn default() -> Self {
        let (target, ignore, labels, columns) = (Vec::new(), Vec::new(), Vec::new(), ColumnNames::default());
        Self { validation_split: 0.2, target, group: None, window_step: None, ignore, labels, columns }
    }
}

/// Names of a test half's folder or file, the likeliest first.
pub(super) const TEST_NAMES: [&str; 3] = ["test", "val", "validation"];

/// What a folder may hold.
const LOOKED: &str = "IDX files (train-images-idx3-ubyte, plain or .gz), train.csv or train.tsv, train.npz, \
                      x_train.npy or x.npy, and a folder of .png or .jpg for each class, in train/ or by itself";

const IDX: &str = "IDX files";
const TABLES: &str = "tables";
const ARRAYS: &str = "NumPy's arrays";
const PICTURES: &str = "folders of pictures";

/// What a folder holds.
fn kinds(folder: &Path) -> Result<Vec<&'static str>, DataError> {
    let there = [
        (IDX, folder::is_there(folder)?),
        (TABLES, table::is_there(folder)),
        (ARRAYS, npy::is_there(folder)),
        (PICTURES, pictures::is_there(folder)?),
    ];
    Ok(there.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind).collect())
}

/// What a reader found.
pub(super) struct Found {
    pub(super) train: Dataset,
    /// Which samples of the training half belong together; empty where each is by itself.
    pub(super) units: Vec<usize>,
    /// The test half, if there is one by itself.
    pub(super) test: Option<Dataset>,
    pub(super) notes: Vec<String>,
    /// Whether the training half is not to be drawn anew.
    pub(super) keeps_order: bool,
}

impl Found {
    /// Of which there is no more to say.
    pub(super) fn of(train: Dataset, test: Option<Dataset>) -> Self {
        Self { train, units: Vec::new(), test, notes: Vec::new(), keeps_order: false }
    }
}

/// Loads a data set for a network, whatever it is kept in; the module's documentation lists what there may be.
///
/// Where there is no test half, it is split off as [`Dataset::split`] does it: of rows of a table that have one group,
/// or whose windows share rows, all are in one half. IDX files keep their order, and so does a test half that is a
/// file; all other samples stand in an order that is drawn from a fixed seed: their first ones are of all classes.
///
/// # Errors
///
/// [`DataError`], naming the file or the folder, what is wrong with it, and what would be right.
pub fn load(path: &Path, expected: Expected, options: &Options) -> Result<Halves, DataError> {
    let Found { train, units, test, notes, keeps_order } = find(path, expected, options)?;
    let share = options.validation_split;
    let halves = match test {
        Some(test) if keeps_order => Halves::new(train, test),
        Some(test) => Halves::new(train.shuffled(), test),
        None if units.is_empty() => train.split(share).map_err(DataError::of(path))?,
        None => train.split_whole(share, &units).map_err(DataError::of(path))?,
    };
    Ok(Halves { notes, ..halves })
}

/// All samples of a data set that has no test half of its own, in their order, and what a person should know of how
/// they were read.
///
/// # Errors
///
/// As [`load`]'s; and where there is a test half.
pub fn load_all(path: &Path, expected: Expected, options: &Options) -> Result<(Dataset, Vec<String>), DataError> {
    match find(path, expected, options)? {
        Found { test: Some(_), .. } => Err(DataError::of(path)(Problem::TestHalf)),
        Found { train, notes, .. } => Ok((train, notes)),
    }
}

/// The samples of a file, in its order, for a network with this input, whatever is wanted of them.
///
/// # Errors
///
/// As [`load`]'s.
pub fn read(path: &Path, input: Shape, options: &Options) -> Result<Dataset, DataError> {
    Ok(find(path, Expected { input, outputs: Outputs::Input }, options)?.train)
}

/// The file of the targets that are read beside a data set that is one file of samples.
pub(crate) fn targets_beside(path: &Path) -> Option<PathBuf> {
    let is_array = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"));
    is_array.then(|| npy::targets_beside(path))
}

/// Whether a file's name is one of those that are read.
pub(crate) fn is_data(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_read = matches!(ending.to_str(), Some("npy" | "npz" | "gz")) || folder::is_idx(path);
    is_read || table::is_table(path) || pictures::is_picture(path)
}

fn find(path: &Path, expected: Expected, options: &Options) -> Result<Found, DataError> {
    let of = DataError::of(path);
    let metadata = fs::metadata(path).map_err(DataError::of(path))?;
    if table::is_table(path) && metadata.is_file() {
        return table::load(path, None, expected, options);
    }
    let kinds = if metadata.is_dir() { kinds(path)? } else { Vec::new() };
    if let [first, second, ..] = kinds[..] {
        return Err(of(Problem::Ambiguous { names: [first, second].map(Into::into) }));
    }
    if kinds == [TABLES] {
        return table::load_folder(path, expected, options);
    }
    // Only tables have columns.
    let given = [("--target", !options.target.is_empty()), ("--group", options.group.is_some())];
    let given = given.into_iter().chain([("--window-step", options.window_step.is_some())]);
    let given = given.chain([("--ignore", !options.ignore.is_empty())]);
    if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        return Err(of(Problem::Option { option, of: "tables, .csv or .tsv" }));
    }
    match kinds[..] {
        [IDX] => return folder::load(path, expected),
        [ARRAYS] => return npy::load_folder(path, expected, options),
        [_] => return pictures::load(path, expected, options),
        _ if metadata.is_dir() => return Err(of(Problem::Nothing { looked: LOOKED })),
        _ => {}
    }
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    match ending.to_str() {
        Some("npy") if metadata.is_file() => npy::load_file(path, expected, options),
        Some("npz") if metadata.is_file() => npy::load_archive(path, expected, options),
        _ => Err(of(Problem::Ending)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected = Expected { input: Shape::new(1, 2, 1), outputs: Outputs::Classes(2) };

    fn error(path: &Path, options: &Options) -> String {
        load(path, EXPECTED, options).unwrap_err().to_string()
    }

    #[test]
    fn what_is_there_tells_how_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = error(folder.path(), &Options::default());
        for looked in
            ["train-images-idx3-ubyte", "train.csv", "train.npz", "x_train.npy", ".png or .jpg for each class"]
        {
            assert!(text.contains(looked), "{text}");
        }
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("train.csv", b"1,2,0\n3,4,1\n5,6,0\n7,8,1\n");
        let halves = load(folder.path(), EXPECTED, &Options::default()).unwrap();
        assert_eq!((halves.train.len(), halves.test.len()), (2, 2), "one of each class at least");
        write("train-images-idx3-ubyte", b"");
        let text = error(folder.path(), &Options::default());
        assert!(text.ends_with("both IDX files and tables could be meant; keep one data set a folder"), "{text}");

        let none = folder.path().join("none");
        assert!(error(&none, &Options::default()).starts_with(&none.display().to_string()));
        write("data.txt", b"1,2,0\n");
        let text = error(&folder.path().join("data.txt"), &Options::default());
        assert!(
            text.ends_with(
                "no data: of files .csv, .tsv, .npy and .npz are read, of IDX files and pictures the folder \
                                they are in"
            ),
            "{text}"
        );
    }

    #[test]
    fn columns_are_asked_of_tables_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.npy"), b"").unwrap();
        let options = Options { group: Some("id".into()), ..Options::default() };
        let text = error(&folder.path().join("x.npy"), &options);
        assert!(text.ends_with("x.npy: --group is of tables, .csv or .tsv, which this is not"), "{text}");
    }

    /// IDX files without a test half are split; EMNIST's are turned, and this is said.
    #[test]
    fn idx_files_are_split_and_emnists_turned() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[&[u8]]| fs::write(folder.path().join(name), bytes.concat()).unwrap();
        let images = [[1, 2, 3, 4]; 4].concat();
        write("emnist-letters-train-images-idx3-ubyte", &[&[0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2], &images]);
        write("emnist-letters-train-labels-idx1-ubyte", &[&[0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1]]);
        let expected = Expected { input: Shape::new(2, 2, 1), ..EXPECTED };
        let Halves { train, test, notes } = load(folder.path(), expected, &Options::default()).unwrap();
        assert_eq!((train.len(), test.len(), train.image(0)), (2, 2, &[1, 3, 2, 4][..]));
        assert!(matches!(&notes[..], [note] if note.ends_with("EMNIST's images lie transposed in it, and are turned")));
        assert_eq!(crate::data::Samples::shows(&train), thumbnet::input::Shows::Pictures);

        // Floats, and numbers to be estimated; one half of the test is none.
        write("emnist-letters-test-labels-idx1-ubyte", &[&[0, 0, 8, 1, 0, 0, 0, 1, 0]]);
        let text = load(folder.path(), expected, &Options::default()).unwrap_err().to_string();
        assert!(text.contains("no file t10k-images-idx3-ubyte"), "{text}");
    }

    #[test]
    fn idx_files_may_hold_numbers_to_be_estimated() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
        let floats = |header: &[u8], values: &[f32]| {
            [header.to_vec(), values.iter().flat_map(|value| value.to_be_bytes()).collect()].concat()
        };
        let header = [0, 0, 13, 2, 0, 0, 0, 3, 0, 0, 0, 2];
        write("train-images-idx2-float", floats(&header, &[0.5, -1.0, 2.0, 3.0, 4.0, 5.0]));
        write("train-labels-idx2-float", floats(&header, &[0.0, 0.1, 1.0, 1.1, 2.0, 2.1]));
        let expected = Expected { outputs: Outputs::Values(2), ..EXPECTED };
        let found = folder::load(folder.path(), expected).unwrap();
        assert_eq!(crate::data::Samples::target(&found.train, 2), crate::data::Target::Values(&[2.0, 2.1]));
        assert_eq!(crate::data::Samples::shows(&found.train), thumbnet::input::Shows::Values);
    }
}
