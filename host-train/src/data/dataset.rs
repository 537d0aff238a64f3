//! A set of labelled images in memory.

use std::path::{Path, PathBuf};

use thumbnet::{geometry::Shape, input::Shows};

use super::idx::{IdxError, IdxFile};
use super::{Samples, Target};

/// Labelled 8-bit images, one at least.
///
/// The pixels stay bytes: a batch is converted when it is used, so that MNIST takes 55 MB and not 220.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    shape: Shape,
    images: Vec<u8>,
    labels: Vec<u8>,
}

/// What a network calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Shape of one image.
    pub input: Shape,
    /// How many classes; labels are below.
    pub classes: usize,
}

/// Why images and labels are no data set, or none for a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// There is nothing.
    #[error("a data set without images, but it must have one at least")]
    Empty,
    /// The bytes are not those of as many images as there are labels.
    #[error("{bytes} bytes of images for {labels} labels, but images of shape {shape} have {} bytes each", shape.len())]
    Length {
        /// Bytes of all images.
        bytes: usize,
        /// How many labels there are.
        labels: usize,
        /// Shape of one image.
        shape: Shape,
    },
    /// One of the files is not readable.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// The images do not have the size of the network's input.
    #[error("{}: images of {}, the network takes {}", path.display(), size(found), expected)]
    ImageSize {
        /// The file of images.
        path: PathBuf,
        /// The dimensions of a sample in the file.
        found: Vec<usize>,
        /// The network's input.
        expected: Shape,
    },
    /// There are not as many labels as images.
    #[error("{}: {labels} labels for {images} images of {}", path.display(), image_path.display())]
    Count {
        /// The file of labels.
        path: PathBuf,
        /// The file of images.
        image_path: PathBuf,
        /// How many labels it has.
        labels: usize,
        /// How many images there are.
        images: usize,
    },
    /// A label has no output of the network.
    #[error(
        "{}: label {label} at position {position}, the network has {classes} classes (labels 0 to {})",
        path.display(), classes - 1
    )]
    Label {
        /// The file of labels.
        path: PathBuf,
        /// The label.
        label: u8,
        /// Where it is, from 0.
        position: usize,
        /// How many classes the network has.
        classes: usize,
    },
}

/// The dimensions that samples of a shape may have in a file, its own first: without channels where there is but one,
/// without height where that is 1, and as a vector.
fn forms(Shape { height, width, channels }: Shape) -> Vec<Vec<usize>> {
    let mut forms = vec![vec![height, width, channels]];
    if height == 1 {
        forms.insert(0, vec![width, channels]);
    }
    if channels == 1 {
        forms.insert(0, vec![height, width]);
    }
    if height == 1 && width == 1 {
        forms.insert(0, vec![channels]);
    }
    forms
}

/// `28 x 28 pixels`, or with channels `32 x 32 x 3 values`.
fn size(dimensions: &[usize]) -> String {
    let unit = if dimensions.len() == 2 { "pixels" } else { "values" };
    format!("{} {unit}", dimensions.iter().map(usize::to_string).collect::<Vec<_>>().join(" x "))
}

impl Dataset {
    /// The images of `shape` that stand one after the other in `images`, and a label for each.
    ///
    /// # Panics
    ///
    /// With [`try_new`](Self::try_new)'s error, for who knows that there are images, and as many as labels.
    pub fn new(shape: Shape, images: Vec<u8>, labels: Vec<u8>) -> Self {
        Self::try_new(shape, images, labels).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The images of `shape` that stand one after the other in `images`, and a label for each.
    ///
    /// # Errors
    ///
    /// [`DatasetError::Empty`] where there are none, [`DatasetError::Length`] where there are not as many as labels.
    pub fn try_new(shape: Shape, images: Vec<u8>, labels: Vec<u8>) -> Result<Self, DatasetError> {
        if labels.is_empty() && images.is_empty() {
            return Err(DatasetError::Empty);
        }
        if shape.len() == 0 || labels.len().checked_mul(shape.len()) != Some(images.len()) {
            return Err(DatasetError::Length { bytes: images.len(), labels: labels.len(), shape });
        }
        Ok(Self { shape, images, labels })
    }

    /// Reads a file of images and its file of labels. What the headers tell is checked before the data is read: of a
    /// file that is not the network's, or announces more than any data set has, no more than its header ever is in
    /// memory.
    ///
    /// # Errors
    ///
    /// [`DatasetError`], naming the file, for anything that is not a non-empty data set for such a network.
    pub fn read(image_path: &Path, label_path: &Path, expected: Expected) -> Result<Self, DatasetError> {
        let forms = forms(expected.input);
        let ranks: Vec<u8> = forms.iter().map(|form| 1 + form.len() as u8).collect();
        // Images of another rank are told by their size, as others are.
        let images = IdxFile::open(image_path, &[&ranks[..], &[3, 4, 2]].concat())?;
        let (&count, found) = images.dimensions().split_first().expect("an array has a dimension at least");
        if !forms.iter().any(|form| found == form) {
            let (path, found, expected) = (image_path.into(), found.into(), expected.input);
            return Err(DatasetError::ImageSize { path, found, expected });
        }
        let labels = IdxFile::open(label_path, &[1])?;
        let path = label_path.to_path_buf();
        if labels.dimensions() != [count] {
            let (image_path, labels) = (image_path.into(), labels.dimensions().iter().product());
            return Err(DatasetError::Count { path, image_path, labels, images: count });
        }
        let labels = labels.read()?.data;
        let classes = expected.classes;
        if let Some(position) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DatasetError::Label { path, label: labels[position], position, classes });
        }
        Self::try_new(expected.input, images.read()?.data, labels)
    }

    /// How many images there are.
    #[expect(clippy::len_without_is_empty, reason = "a data set is not empty: without images it cannot be made")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Shape of one image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The pixels of the image at `index`.
    ///
    /// # Panics
    ///
    /// Where `index` is not below [`len`](Self::len).
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * self.shape.len()..][..self.shape.len()]
    }

    /// The label of the image at `index`.
    ///
    /// # Panics
    ///
    /// Where `index` is not below [`len`](Self::len).
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }
}

impl Samples for Dataset {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn read(&self, index: usize, values: &mut [f32]) {
        for (value, &byte) in values.iter_mut().zip(self.image(index)) {
            *value = byte.into();
        }
    }

    fn target(&self, index: usize) -> Target<'_> {
        Target::Class(self.label(index).into())
    }

    fn bytes(&self, index: usize) -> Option<&[u8]> {
        Some(self.image(index))
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn shows(&self) -> Shows {
        Shows::Digits
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
        assert_eq!(error(shape, 0, 0), "a data set without images, but it must have one at least");
        let text = "7 bytes of images for 2 labels, but images of shape (2, 2, 1) have 4 bytes each";
        assert_eq!(error(shape, 7, 2), text);
        for (shape, images, labels) in [(shape, 8, 1), (shape, 0, 1), (shape, 4, 0), (Shape::new(0, 2, 1), 0, 3)] {
            assert!(error(shape, images, labels).contains("bytes of images for"), "{images} bytes, {labels} labels");
        }
        assert_eq!(Dataset::new(shape, vec![0; 8], vec![0; 2]).len(), 2);
    }

    #[test]
    #[should_panic(expected = "a data set without images")]
    fn neither_constructor_makes_an_empty_one() {
        Dataset::new(Shape::new(2, 2, 1), vec![], vec![]);
    }
}
