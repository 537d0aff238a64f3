//! Samples, and what is wanted of each: read from files of many kinds by [`load()`], or made in memory.
//!
//! | what there is | what it is |
//! |---|---|
//! | a folder with `train-images-idx3-ubyte` and its like, plain or `.gz` | IDX of any type and rank, as MNIST's |
//! | a folder with a folder of `.png` or `.jpg` for each class, in `train/` and `test/` or not | pictures |
//! | a `.csv` or `.tsv`, or a folder with `train.csv` and `test.csv` | rows that are samples, or steps of windows |
//! | an `.npz` with `x_train`, `y_train`, `x_test`, `y_test`, or `x` and `y` | NumPy's arrays |
//! | a folder with these as `.npy`, or with `train.npz` and `test.npz`; or `x.npy` beside `y.npy` | the same |
//!
//! A test half is `test`, `val` or `validation`; where there is none, a share of each class becomes it.
//!
//! Values are raw, as they were measured; [`fit`] says how a network takes them.

mod array;
mod dataset;
mod error;
mod folder;
mod gzip;
mod idx;
mod load;
pub mod mnist;
mod naming;
mod npy;
mod pictures;
mod samples;
mod scale;
mod split;
mod table;

pub use array::Array;
pub use dataset::{Dataset, DatasetError, Targets, Values};
pub use error::{DataError, Place, Problem, Wanted};
pub use folder::Split;
pub use idx::{IdxError, IdxFile, IdxProblem};
pub use load::{Expected, Options, Outputs, load, load_all, read};
pub(crate) use load::{is_data, targets_beside};
pub use samples::{ColumnNames, Number, Samples, Target};
pub use scale::{Scale, fit};
pub use split::Halves;
