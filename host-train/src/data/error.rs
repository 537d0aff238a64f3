//! What can be wrong with data.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thumbnet::geometry::Shape;

use super::{DatasetError, IdxError, Outputs, array::Kind};
#[cfg(feature = "pictures")]
use crate::pictures::PictureError;

/// Why data cannot be loaded, or not for a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Something about a file or a folder.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or the folder.
        path: PathBuf,
        /// What it is.
        problem: Problem,
    },
    /// An IDX file is not readable.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// A picture is not readable.
    #[cfg(feature = "pictures")]
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// What is wrong with a file or a folder of data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It cannot be listed or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// There is no data set in it.
    #[error("no data set in this folder; looked for {looked}")]
    Nothing {
        /// What would be one.
        looked: &'static str,
    },
    /// It is no file of data.
    #[error("no data: of files .csv, .tsv, .npy and .npz are read, of IDX files and pictures the folder they are in")]
    Ending,
    /// It is a picture, for which the program has no reader.
    #[cfg(not(feature = "pictures"))]
    #[error("this program was built without the feature `pictures`, which reads PNG and JPEG")]
    WithoutPictures,
    /// A file is not there.
    #[error("no file {name} in this folder")]
    Missing {
        /// The file's usual name, and others.
        name: String,
    },
    /// More than one data set could be meant.
    #[error("both {} and {} could be meant; keep one data set a folder", names[0], names[1])]
    Ambiguous {
        /// Two names.
        names: [String; 2],
    },
    /// Samples of another shape than the network's input.
    #[error("samples of {}, the network takes {expected}", size(found))]
    Shape {
        /// A sample's dimensions.
        found: Vec<usize>,
        /// The network's input.
        expected: Shape,
    },
    /// There are not as many targets as samples.
    #[error("{targets} labels for {samples} samples of {of}")]
    Count {
        /// How many targets there are.
        targets: usize,
        /// How many samples there are.
        samples: usize,
        /// Where the samples are.
        of: String,
    },
    /// The targets are not what the network's outputs are.
    #[error("targets of {} each, the network's outputs are {outputs}", size(found))]
    Targets {
        /// The dimensions of what is there for one sample.
        found: Vec<usize>,
        /// What is wanted.
        outputs: Outputs,
    },
    /// A label has no output of the network.
    #[error(
        "label {} {place}, the network has {classes} classes (labels 0 to {})", short(label), classes.saturating_sub(1)
    )]
    Label {
        /// The label.
        label: String,
        /// Where it is.
        place: Place,
        /// How many classes the network has.
        classes: usize,
    },
    /// A row of as many values as there are classes means none of them.
    #[error("values {} {place}, but one of them must be 1 and all others 0, which tells the class", some(found))]
    OneHot {
        /// The row's values.
        found: Vec<String>,
        /// Where it is.
        place: Place,
    },
    /// A label is no text.
    #[error("the label {0} is empty, or no text of one line in UTF-8")]
    Text(Place),
    /// Labels of the test half are texts and those of the training half are numbers, or the other way round.
    #[error("labels are {}, but the training half's are {}", kind(*.are_texts), kind(!.are_texts))]
    Labels {
        /// Whether the test half's are texts.
        are_texts: bool,
    },
    /// There are not as many names of classes as classes.
    #[error(
        "{} class{}{} ({}), the network has {classes}",
        names.len(),
        if names.len() == 1 { "" } else { "es" },
        column.as_ref().map(|column| format!(" in column `{}`", short(column))).unwrap_or_default(),
        some(names)
    )]
    Names {
        /// The names.
        names: Vec<String>,
        /// The table's column that has them.
        column: Option<String>,
        /// How many classes the network has.
        classes: usize,
    },
    /// A class is none that the network was or is trained on.
    #[error("class `{}`{}, the network is trained on {}", short(name), at(*place), some(names))]
    Unknown {
        /// The class.
        name: String,
        /// Where it is, if in a file.
        place: Option<Place>,
        /// The training half's classes.
        names: Vec<String>,
    },
    /// A folder of a class has nothing in it.
    #[error("no picture in this folder of a class")]
    NoPictures,
    /// Pictures are of classes, grey or RGB.
    #[error("pictures in a folder for each class, but the network takes {input} and its outputs are {outputs}")]
    NotPictures {
        /// The network's input.
        input: Shape,
        /// What is wanted of it.
        outputs: Outputs,
    },
    /// All samples were asked for, but some are a test half by themselves.
    #[error("it has a test half of its own: by this it is judged without --all, or name one file of it")]
    TestHalf,
    /// A table is not readable.
    #[error("{0}")]
    Table(csv::Error),
    /// A field is no text.
    #[error("line {line}, column {column}: it is no UTF-8: save the table as that")]
    Encoding {
        /// Its line.
        line: u64,
        /// Its column, from 1.
        column: usize,
    },
    /// A row has other fields than the first.
    #[error(
        "line {line}: {found} columns, the lines before it have {expected}{}",
        match (is_broken, is_comment) {
            (true, _) => "; one goes on in the next line: is a quote not closed?",
            (_, true) => ": leave out lines that are comments",
            _ => "",
        }
    )]
    Ragged {
        /// Its line.
        line: u64,
        /// How many it has.
        found: usize,
        /// How many the others have.
        expected: usize,
        /// Whether one has a line break.
        is_broken: bool,
        /// Whether it begins as comments do.
        is_comment: bool,
    },
    /// A table has no rows.
    #[error("a table without rows of data")]
    NoRows,
    /// Two columns of a table have one name.
    #[error("two columns are called `{}`", short(name))]
    Twice {
        /// The name.
        name: String,
    },
    /// A field is no number to compute with.
    #[error("line {line}, column `{}`: `{}` is no finite number{}", short(column), short(text), remedy(text))]
    Number {
        /// Its line.
        line: u64,
        /// Its column.
        column: String,
        /// What is there.
        text: String,
    },
    /// A field that says the class or the recording is empty, or NaN, as programs write what they have none of.
    #[error("line {line}, column `{}`: it is {}", short(column), if text.is_empty() { "empty" } else { text })]
    NoName {
        /// Its line.
        line: u64,
        /// Its column.
        column: String,
        /// What is in it.
        text: String,
    },
    /// A name has a line break.
    #[error("line {line}, column `{}`: it goes on in the next line: is a quote not closed?", short(column))]
    Broken {
        /// Its line.
        line: u64,
        /// Its column.
        column: String,
    },
    /// A column that was asked for is not there.
    #[error("no column `{name}` for {option}; there are {}", some(columns))]
    Column {
        /// What was asked for.
        name: String,
        /// How it was.
        option: Wanted,
        /// The columns.
        columns: Vec<String>,
    },
    /// There are not as many columns of targets as outputs.
    #[error("{} columns of targets ({}), the network's outputs are {outputs}", columns.len(), some(columns))]
    TargetColumns {
        /// The columns.
        columns: Vec<String>,
        /// What is wanted.
        outputs: Outputs,
    },
    /// The columns of values are neither a sample nor a time step.
    #[error(
        "{} columns of values ({}), the network takes {input}: {} columns where a row is a sample{}{}",
        columns.len(),
        some(columns),
        input.len(),
        time_steps(*input),
        if columns.is_empty() { "; between columns stands a comma, a semicolon or a tab" } else { "" }
    )]
    Columns {
        /// The columns.
        columns: Vec<String>,
        /// The network's input.
        input: Shape,
    },
    /// No stretch of rows is as long as a window.
    #[error("no {rows} consecutive rows of one {}, which make a window: the longest stretch has {longest}", short(of))]
    NoWindow {
        /// How many rows a window has.
        rows: usize,
        /// How many the longest stretch has.
        longest: usize,
        /// What is the same in a stretch.
        of: String,
    },
    /// Windows must have some rows from one to the next.
    #[error("window step is 0 rows, but must be at least 1")]
    WindowStep,
    /// An option that says nothing for such data.
    #[error("{option} is of {of}, which this is not")]
    Option {
        /// The option.
        option: &'static str,
        /// Which data has it.
        of: &'static str,
    },
    /// The first bytes of an array are not NumPy's.
    #[error("no array of NumPy's: {what}")]
    Npy {
        /// What is wrong.
        what: String,
    },
    /// The elements of an array have a type that is not read.
    #[error("elements of {found}, but {} are read, and text as labels of classes", Kind::NUMPY)]
    Type {
        /// The type, as NumPy writes it, and what that is.
        found: String,
    },
    /// Dimensions that no data set has.
    #[error(
        "dimensions {0:?}: {what}",
        what = match .0.as_slice() {
            [] => "a single value, which is no array of samples",
            sizes if sizes.contains(&0) => "there is nothing in it",
            _ => "more than 2147483648 bytes",
        }
    )]
    Dimensions(Vec<usize>),
    /// It has fewer or more bytes than its header says.
    #[error(
        "{found} bytes of elements{}, but {expected} are announced", if found > expected { " at least" } else { "" }
    )]
    Length {
        /// What is there.
        found: usize,
        /// What was announced.
        expected: usize,
    },
    /// An archive is damaged, or of a kind that NumPy does not write.
    #[error("{0}")]
    Archive(String),
    /// An archive has not the arrays of a data set.
    #[error("the arrays {}, but must have {wanted}", some(found))]
    Arrays {
        /// What it has.
        found: Vec<String>,
        /// What it must have.
        wanted: &'static str,
    },
    /// It is read, but no data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
}

impl DataError {
    /// Says of which file a problem is.
    pub(super) fn of<P: Into<Problem>>(path: &Path) -> impl Fn(P) -> Self {
        move |problem| Self::File { path: path.into(), problem: problem.into() }
    }
}

/// How a table's column was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// By an option.
    Option(&'static str),
    /// The network was trained on it.
    Trained,
    /// This table, of the training half, has it.
    Half(PathBuf),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(option) => f.write_str(option),
            Self::Trained => f.write_str("the network's columns"),
            Self::Half(table) => write!(f, "the columns of {}", table.display()),
        }
    }
}

/// Where something is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its position, from 0.
    Position(usize),
    /// Its line, from 1.
    Line(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => write!(f, "at position {position}"),
            Self::Line(line) => write!(f, "in line {line}"),
        }
    }
}

fn kind(are_texts: bool) -> &'static str {
    if are_texts { "text" } else { "numbers" }
}

fn at(place: Option<Place>) -> String {
    place.map(|place| format!(" {place}")).unwrap_or_default()
}

/// `28 x 28 values`.
fn size(dimensions: &[usize]) -> String {
    match dimensions {
        [] | [1] => "1 value".into(),
        _ => format!("{} values", dimensions.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")),
    }
}

/// The first names, and that there are more.
fn some(names: &[String]) -> String {
    const MOST: usize = 12;
    let more = if names.len() > MOST { ", ..." } else { "" };
    format!("{}{more}", names.iter().take(MOST).map(|name| short(name)).collect::<Vec<_>>().join(", "))
}

/// The beginning of a text, in one line: where a quote is not closed, a field may be the rest of a file.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut words = words.replace(char::is_control, "\u{fffd}");
    if let Some((end, _)) = words.char_indices().nth(MOST) {
        words.truncate(end);
        words.push_str("...");
    }
    words
}

/// What may be done where a text is no number.
fn remedy(text: &str) -> &'static str {
    match text.replace(',', ".").parse::<f32>() {
        Ok(_) if text.contains(',') => ": write 1.5 and 1500, not 1,5 and 1,500",
        _ if text.starts_with('#') => ": leave out lines that are comments",
        _ if text.is_empty() => ": leave out the line, or fill in a number",
        _ => " (--target names what is wanted, --ignore what is no value)",
    }
}

/// How rows may be time steps, if they may.
fn time_steps(input: Shape) -> String {
    match input.height * input.width {
        1 => String::new(),
        steps => format!(", {} where it is one of {steps} time steps", input.channels),
    }
}
