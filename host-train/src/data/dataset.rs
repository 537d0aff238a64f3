//! Samples in memory.

use std::path::PathBuf;

use thumbnet::{geometry::Shape, input::Shows};

use super::{ColumnNames, Number, Place, Samples, Target};

/// Samples in memory, one at least, and what is wanted of each.
///
/// Bytes stay bytes: a batch is converted when it is used, so that MNIST takes 55 MB and not 220. Every reader of this
/// module fills one of these, and so may a program with data of its own:
///
/// ```
/// use host_train::data::Dataset;
/// use thumbnet::geometry::Shape;
///
/// // Two windows of two time steps of three axes, and the number of the gesture in each.
/// let windows = vec![0.1, 0.0, 9.8, 0.2, 0.1, 9.7, 4.0, 0.3, 9.1, -4.2, 0.2, 9.9];
/// let gestures = Dataset::from_values(Shape::new(2, 1, 3), windows, vec![0, 1])?.with_labels(["rest", "shake"])?;
/// assert_eq!(gestures.len(), 2);
///
/// // y = sin x, at eight places.
/// let x: Vec<f32> = (0..8).map(|i| i as f32).collect();
/// let y = x.iter().map(|x| x.sin()).collect();
/// let halves = Dataset::regression(Shape::vector(1), x, 1, y)?.split(0.25)?;
/// assert_eq!((halves.train.len(), halves.test.len()), (6, 2));
/// # Ok::<(), host_train::data::DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    shape: Shape,
    values: Values,
    targets: Targets,
    labels: Vec<String>,
    shows: Shows,
    columns: ColumnNames,
    source: Option<Source>,
}

/// Where samples are from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// The file.
    pub(super) path: PathBuf,
    /// Of each sample its row's place in the file, or its rows', one after the other.
    pub(super) places: Vec<Place>,
    /// What the columns of a row are called, if it has some.
    pub(super) columns: ColumnNames,
}

impl Source {
    /// That of the samples at these indices, of `len`.
    fn select(&self, len: usize, indices: &[usize]) -> Self {
        let each = self.places.len() / len;
        let places = indices.iter().flat_map(|&index| &self.places[index * each..][..each]).copied().collect();
        Self { path: self.path.clone(), places, columns: self.columns.clone() }
    }
}

/// Raw values, as a file has them.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Of pictures, or of anything else that is 0 to 255.
    Bytes(Vec<u8>),
    /// Of anything else.
    Floats(Vec<f32>),
}

impl Values {
    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }

    /// The value at `index`, which is below [`len`](Self::len).
    pub(super) fn get(&self, index: usize) -> f32 {
        match self {
            Self::Bytes(values) => values[index].into(),
            Self::Floats(values) => values[index],
        }
    }

    /// These pieces of `len` values each, one after the other.
    fn pieces(&self, len: usize, indices: &[usize]) -> Self {
        fn copy<T: Copy>(values: &[T], len: usize, indices: &[usize]) -> Vec<T> {
            indices.iter().flat_map(|&index| &values[index * len..][..len]).copied().collect()
        }
        match self {
            Self::Bytes(values) => Self::Bytes(copy(values, len, indices)),
            Self::Floats(values) => Self::Floats(copy(values, len, indices)),
        }
    }
}

/// What is wanted of the samples, in their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// The number of each one's class.
    Classes(Vec<usize>),
    /// The outputs for each one.
    Values {
        /// How many for each.
        outputs: usize,
        /// One sample's after the other's.
        values: Vec<f32>,
    },
}

impl Targets {
    /// For how many samples, if for whole ones.
    fn samples(&self) -> Option<usize> {
        match self {
            Self::Classes(classes) => Some(classes.len()),
            Self::Values { outputs, values } => {
                values.len().checked_div(*outputs).filter(|samples| samples * outputs == values.len())
            }
        }
    }
}

/// Why values and targets are no data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// There is nothing.
    #[error("a data set without samples, but it must have one at least")]
    Empty,
    /// The values are not those of as many samples as there are targets.
    #[error("{values} values for {targets} targets, but samples of shape {shape} have {} values each", shape.len())]
    Length {
        /// Values of all samples.
        values: usize,
        /// How many targets there are.
        targets: usize,
        /// Shape of one sample.
        shape: Shape,
    },
    /// The targets are not so many for each sample.
    #[error("{values} target values, but {outputs} are wanted of each sample")]
    Targets {
        /// How many there are.
        values: usize,
        /// How many a sample has.
        outputs: usize,
    },
    /// A value is no number to compute with.
    #[error("{what} {index} of sample {sample} is {value}, but must be a finite number")]
    NotFinite {
        /// `value` or `target`.
        what: &'static str,
        /// Which of the sample's, from 0.
        index: usize,
        /// The sample, from 0.
        sample: usize,
        /// What it is.
        value: f32,
    },
    /// A class has no name.
    #[error("sample {sample} is of class {class} (from 0), but there are {names} names of classes")]
    Label {
        /// The sample, from 0.
        sample: usize,
        /// Its class.
        class: usize,
        /// How many names there are.
        names: usize,
    },
    /// No share of a whole.
    #[error("a share of {share} for the test is not above 0 and below 1")]
    Share {
        /// What was asked for.
        share: f64,
    },
    /// Too little for two halves.
    #[error(
        "{samples} samples cannot be split into a training and a test half: no class has two of them (or two \
         recordings), one for each half"
    )]
    Split {
        /// How many samples there are.
        samples: usize,
    },
}

impl Dataset {
    /// The samples of `shape` that stand one after the other in `values`, as NHWC, and a target for each. Bytes whose
    /// shape is a picture's, grey or RGB, are pictures, unless [`showing`](Self::showing) says otherwise.
    ///
    /// # Errors
    ///
    /// [`DatasetError`], where there are none, other counts than the shape's, or values that are no numbers.
    pub fn of(shape: Shape, values: Values, targets: Targets) -> Result<Self, DatasetError> {
        let samples = match (targets.samples(), &targets) {
            (Some(samples), _) => samples,
            (None, Targets::Classes(_)) => unreachable!("each is one sample's"),
            (None, Targets::Values { outputs, values }) => {
                return Err(DatasetError::Targets { values: values.len(), outputs: *outputs });
            }
        };
        if samples == 0 && values.len() == 0 {
            return Err(DatasetError::Empty);
        }
        if shape.len() == 0 || samples.checked_mul(shape.len()) != Some(values.len()) {
            return Err(DatasetError::Length { values: values.len(), targets: samples, shape });
        }
        let check = |what, values: &[f32], each: usize| match values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let (sample, index, value) = (at / each, at % each, values[at]);
                Err(DatasetError::NotFinite { what, index, sample, value })
            }
        };
        if let Values::Floats(values) = &values {
            check("value", values, shape.len())?;
        }
        if let Targets::Values { outputs, values } = &targets {
            check("target", values, *outputs)?;
        }
        let shows = match values {
            Values::Bytes(_) if is_picture(shape) => Shows::Pictures,
            Values::Bytes(_) | Values::Floats(_) => Shows::Values,
        };
        let (labels, columns) = (Vec::new(), ColumnNames::default());
        Ok(Self { shape, values, targets, labels, shows, columns, source: None })
    }

    /// Samples of bytes, and the number of each one's class.
    ///
    /// # Panics
    ///
    /// With [`try_new`](Self::try_new)'s error, for who knows that there are samples, and as many as classes.
    pub fn new(shape: Shape, bytes: Vec<u8>, classes: Vec<u8>) -> Self {
        Self::try_new(shape, bytes, classes).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Samples of bytes, and the number of each one's class.
    ///
    /// # Errors
    ///
    /// [`of`](Self::of)'s.
    pub fn try_new(shape: Shape, bytes: Vec<u8>, classes: Vec<u8>) -> Result<Self, DatasetError> {
        Self::of(shape, Values::Bytes(bytes), Targets::Classes(classes.into_iter().map(usize::from).collect()))
    }

    /// Samples of any numbers, and the number of each one's class.
    ///
    /// # Errors
    ///
    /// [`of`](Self::of)'s.
    pub fn from_values(shape: Shape, values: Vec<f32>, classes: Vec<usize>) -> Result<Self, DatasetError> {
        Self::of(shape, Values::Floats(values), Targets::Classes(classes))
    }

    /// Samples of any numbers, and the `outputs` numbers that are wanted for each, which stand in `targets`.
    ///
    /// # Errors
    ///
    /// [`of`](Self::of)'s.
    pub fn regression(shape: Shape, values: Vec<f32>, outputs: usize, targets: Vec<f32>) -> Result<Self, DatasetError> {
        Self::of(shape, Values::Floats(values), Targets::Values { outputs, values: targets })
    }

    /// The same with names of classes, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`DatasetError::Label`] where a class has none.
    pub fn with_labels<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Result<Self, DatasetError> {
        let labels: Vec<String> = names.into_iter().map(Into::into).collect();
        let names = labels.len();
        if let Targets::Classes(classes) = &self.targets
            && let Some(sample) = classes.iter().position(|&class| class >= names)
        {
            return Err(DatasetError::Label { sample, class: classes[sample], names });
        }
        Ok(Self { labels, ..self })
    }

    /// The same set, of columns with these names.
    #[must_use]
    pub(crate) fn with_columns(self, columns: ColumnNames) -> Self {
        Self { columns, ..self }
    }

    /// The same, of which is known where they are from.
    #[must_use]
    pub(super) fn from(self, source: Source) -> Self {
        Self { source: Some(source), ..self }
    }

    /// The same, of which is known what they are.
    #[must_use]
    pub fn showing(self, shows: Shows) -> Self {
        Self { shows, ..self }
    }

    /// The samples at these indices, in their order.
    ///
    /// # Panics
    ///
    /// Where an index is not below [`len`](Self::len), or there is none.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        assert!(!indices.is_empty(), "a data set is not empty");
        let targets = match &self.targets {
            Targets::Classes(classes) => Targets::Classes(indices.iter().map(|&index| classes[index]).collect()),
            Targets::Values { outputs, values } => {
                let values = indices.iter().flat_map(|&index| &values[index * outputs..][..*outputs]).copied();
                Targets::Values { outputs: *outputs, values: values.collect() }
            }
        };
        Self {
            values: self.values.pieces(self.shape.len(), indices),
            targets,
            labels: self.labels.clone(),
            columns: self.columns.clone(),
            source: self.source.as_ref().map(|source| source.select(self.len(), indices)),
            ..*self
        }
    }

    /// How many samples there are.
    #[expect(clippy::len_without_is_empty, reason = "a data set is not empty: without samples it cannot be made")]
    pub fn len(&self) -> usize {
        self.values.len() / self.shape.len()
    }

    /// Shape of one sample.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What is wanted of the samples.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The bytes of the sample at `index`.
    ///
    /// # Panics
    ///
    /// Where `index` is not below [`len`](Self::len), or the values are no bytes.
    pub fn image(&self, index: usize) -> &[u8] {
        self.bytes(index).expect("the samples are bytes")
    }

    /// The class of the sample at `index`.
    ///
    /// # Panics
    ///
    /// Where `index` is not below [`len`](Self::len), or the class not below 256.
    pub fn label(&self, index: usize) -> u8 {
        match &self.targets {
            Targets::Classes(classes) => classes[index].try_into().expect("the class is a byte"),
            Targets::Values { .. } => panic!("the samples have classes"),
        }
    }
}

/// Whether this can be the shape of a picture, grey or RGB.
fn is_picture(shape: Shape) -> bool {
    shape.height > 1 && shape.width > 1 && matches!(shape.channels, 1 | 3)
}

impl Samples for Dataset {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn read(&self, index: usize, values: &mut [f32]) {
        let len = self.shape.len();
        match &self.values {
            Values::Floats(floats) => values.copy_from_slice(&floats[index * len..][..len]),
            Values::Bytes(bytes) => {
                for (value, &byte) in values.iter_mut().zip(&bytes[index * len..][..len]) {
                    *value = byte.into();
                }
            }
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        match &self.targets {
            Targets::Classes(classes) => Target::Class(classes[index]),
            Targets::Values { outputs, values } => Target::Values(&values[index * outputs..][..*outputs]),
        }
    }

    fn bytes(&self, index: usize) -> Option<&[u8]> {
        match &self.values {
            Values::Bytes(bytes) => Some(&bytes[index * self.shape.len()..][..self.shape.len()]),
            Values::Floats(_) => None,
        }
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn shows(&self) -> Shows {
        self.shows
    }

    fn columns(&self) -> &ColumnNames {
        &self.columns
    }

    fn place(&self, index: usize, number: Number) -> String {
        let Some(Source { path, places, columns }) = &self.source else { return format!("sample {index}, {number}") };
        let each = places.len() / self.len();
        let width = self.shape.len() / each;
        // Of several rows, the last says what is wanted.
        let (row, column) = match number {
            Number::Value(value) => (value / width, columns.values.get(value % width)),
            Number::Target(target) => (each - 1, columns.targets.get(target)),
        };
        let row = match places[index * each + row] {
            Place::Line(line) => format!("line {line}"),
            Place::Position(position) => format!("sample {position}"),
        };
        let column = column.map_or_else(|| number.to_string(), |column| format!("column `{column}`"));
        format!("{}: {row}, {column}", path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_or_does_not_fit_together_is_not_made() {
        let error = |shape, images: usize, labels: usize| {
            Dataset::try_new(shape, vec![0; images], vec![0; labels]).unwrap_err().to_string()
        };
        let shape = Shape::new(2, 2, 1);
        assert_eq!(error(shape, 0, 0), "a data set without samples, but it must have one at least");
        let text = "7 values for 2 targets, but samples of shape (2, 2, 1) have 4 values each";
        assert_eq!(error(shape, 7, 2), text);
        for (shape, images, labels) in [(shape, 8, 1), (shape, 0, 1), (shape, 4, 0), (Shape::new(0, 2, 1), 0, 3)] {
            assert!(error(shape, images, labels).contains("values for"), "{images} bytes, {labels} labels");
        }
        assert_eq!(Dataset::new(shape, vec![0; 8], vec![0; 2]).len(), 2);
    }

    #[test]
    #[should_panic(expected = "a data set without samples")]
    fn neither_constructor_makes_an_empty_one() {
        Dataset::new(Shape::new(2, 2, 1), vec![], vec![]);
    }

    #[test]
    fn own_values_are_read_back_and_what_is_no_number_is_named() {
        let (shape, values) = (Shape::vector(2), vec![0.5, -3.0, 1e9, 4.0]);
        let data = Dataset::from_values(shape, values.clone(), vec![300, 0]).unwrap();
        let mut read = [0.0; 2];
        data.read(1, &mut read);
        assert_eq!((read, data.target(0), data.bytes(0)), ([1e9, 4.0], Target::Class(300), None));
        assert_eq!(data.shows(), Shows::Values);

        let data = Dataset::regression(shape, values.clone(), 3, (0..6).map(|i| i as f32).collect()).unwrap();
        assert_eq!(data.select(&[1]).target(0), Target::Values(&[3.0, 4.0, 5.0]));

        let error = |values, targets| Dataset::regression(shape, values, 2, targets).unwrap_err().to_string();
        let text = "value 1 of sample 1 is NaN, but must be a finite number";
        assert_eq!(error(vec![0.0, 0.0, 1.0, f32::NAN], vec![0.0; 4]), text);
        let text = "target 0 of sample 1 is inf, but must be a finite number";
        assert_eq!(error(values.clone(), vec![0.0, 0.0, f32::INFINITY, 0.0]), text);
        assert_eq!(error(values.clone(), vec![0.0; 3]), "3 target values, but 2 are wanted of each sample");
        let data = Dataset::from_values(shape, values, vec![0, 2]).unwrap();
        let text = "sample 1 is of class 2 (from 0), but there are 2 names of classes";
        assert_eq!(data.with_labels(["a", "b"]).unwrap_err().to_string(), text);
    }

    #[test]
    fn bytes_of_a_pictures_shape_are_pictures() {
        let shows = |shape: Shape| Dataset::new(shape, vec![0; shape.len()], vec![0]).shows();
        assert_eq!([Shape::new(2, 2, 1), Shape::new(4, 2, 3)].map(shows), [Shows::Pictures; 2]);
        assert_eq!([Shape::new(2, 2, 2), Shape::vector(3), Shape::new(9, 1, 3)].map(shows), [Shows::Values; 3]);
    }
}
