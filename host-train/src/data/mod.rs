//! Labelled images: read from IDX files, and MNIST fetched when it is missing.

mod dataset;
mod folder;
mod gzip;
mod idx;
#[cfg(feature = "download")]
pub mod mnist;
mod samples;

pub use dataset::{Dataset, DatasetError, Expected};
pub use folder::{FolderError, Split, load_folder};
pub use idx::{Idx, IdxError, IdxFile, IdxProblem};
pub use samples::{Samples, Target};
