//! One entrance to all data: what there is tells how it is read.

use std::{fmt, path::Path};

use thumbnet::geometry::Shape;

use super::{DataError, Dataset, Halves, error::Problem, folder};

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
}

impl Default for Options {
    /// A fifth for the test, and what the data says.
    fn default() -> Self {
        Self { validation_split: 0.2, target: Vec::new(), group: None, window_step: None }
    }
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

/// Loads a data set for a network, whatever it is kept in.
///
/// # Errors
///
/// [`DataError`], naming the file or the folder, what is wrong with it, and what would be right.
pub fn load(path: &Path, expected: Expected, options: &Options) -> Result<Halves, DataError> {
    let Found { train, units, test, notes, keeps_order } = find(path, expected, options)?;
    let halves = match test {
        Some(test) if keeps_order => Halves::new(train, test),
        Some(test) => Halves::new(train.shuffled(), test),
        None if units.is_empty() => train.split(options.validation_split).map_err(DataError::of(path))?,
        None => train.split_whole(options.validation_split, &units).map_err(DataError::of(path))?,
    };
    Ok(Halves { notes, ..halves })
}

fn find(path: &Path, expected: Expected, _options: &Options) -> Result<Found, DataError> {
    let of = DataError::of(path);
    if !folder::is_there(path)? {
        return Err(of(Problem::Nothing { looked: "" }));
    }
    folder::load(path, expected)
}
