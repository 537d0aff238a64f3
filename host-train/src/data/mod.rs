//! Samples, and what is wanted of each: read from files of many kinds by [`load()`], or made in memory.
//!
//! | what there is | how it is read |
//! |---|---|
//! | a folder with `train-images-idx3-ubyte` and its like, plain or `.gz` | IDX of any type and rank; MNIST and its kin |
//!
//! Values are raw, as they were measured; [`fit`] says how a network takes them.

mod array;
mod dataset;
mod error;
mod folder;
mod gzip;
mod idx;
mod load;
#[cfg(feature = "download")]
pub mod mnist;
mod samples;
mod scale;
mod split;

pub use array::Array;
pub use dataset::{Dataset, DatasetError, Targets, Values};
pub use error::{DataError, Place, Problem};
pub use folder::Split;
pub use idx::{IdxError, IdxFile, IdxProblem};
pub use load::{Expected, Options, Outputs, load};
pub use samples::{Samples, Target};
pub use scale::{Scale, fit};
pub use split::Halves;
