//! A set of labelled images in memory.

use std::path::{Path, PathBuf};

use thumbnet::geometry::Shape;

use super::idx::{Idx, IdxError};

/// Labelled 8-bit images.
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

/// Why two files are no data set for a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// One of the files is not readable.
    #[error(transparent)]
    Idx(#[from] IdxError),
    /// The images do not have the size of the network's input.
    #[error("{}: images of {} x {} pixels, the network takes {}", path.display(), found[0], found[1], expected)]
    ImageSize {
        /// The file of images.
        path: PathBuf,
        /// Height and width.
        found: [usize; 2],
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
    #[error("{}: label {label} at position {position}, the network has {classes} classes (labels 0 to {})", path.display(), classes - 1)]
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

impl Dataset {
    /// The images of `shape` that stand one after the other in `images`, and a label for each.
    ///
    /// # Panics
    ///
    /// Where the lengths do not fit together.
    pub fn new(shape: Shape, images: Vec<u8>, labels: Vec<u8>) -> Self {
        assert_eq!(images.len(), labels.len() * shape.len(), "as many labels as images");
        Self { shape, images, labels }
    }

    /// Reads a file of images and its file of labels.
    ///
    /// # Errors
    ///
    /// [`DatasetError`], naming the file, for anything that is not a non-empty data set for such a network.
    pub fn read(image_path: &Path, label_path: &Path, expected: Expected) -> Result<Self, DatasetError> {
        let images = Idx::read(image_path, 3)?;
        let &[count, height, width] = images.dimensions.as_slice() else { unreachable!("three dimensions were read") };
        if Shape::new(height, width, 1) != expected.input {
            let (path, found, expected) = (image_path.into(), [height, width], expected.input);
            return Err(DatasetError::ImageSize { path, found, expected });
        }
        let labels = Idx::read(label_path, 1)?.data;
        let path = label_path.to_path_buf();
        if labels.len() != count {
            return Err(DatasetError::Count {
                path,
                image_path: image_path.into(),
                labels: labels.len(),
                images: count,
            });
        }
        let classes = expected.classes;
        if let Some(position) = labels.iter().position(|&label| usize::from(label) >= classes) {
            return Err(DatasetError::Label { path, label: labels[position], position, classes });
        }
        Ok(Self::new(expected.input, images.data, labels))
    }

    /// How many images there are.
    #[expect(clippy::len_without_is_empty, reason = "a data set is not empty: a file without images is an error")]
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
