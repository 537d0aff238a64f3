//! What a network is trained on and judged by.

use std::fmt;

use serde::{Deserialize, Serialize};
use thumbnet::{geometry::Shape, input::Shows};

/// Samples and what is wanted of each, at least one. The values are raw, as they were measured: a model scales them.
#[expect(clippy::len_without_is_empty, reason = "there is one at least")]
pub trait Samples: Sync {
    /// The shape of one sample.
    fn shape(&self) -> Shape;

    /// How many there are.
    fn len(&self) -> usize;

    /// Writes the raw values of the sample at `index`, below [`len`](Self::len), to `values`, which has as many
    /// elements as the shape.
    fn read(&self, index: usize, values: &mut [f32]);

    /// What is wanted for the sample at `index`, below [`len`](Self::len).
    fn target(&self, index: usize) -> Target<'_>;

    /// The raw values of a sample that consists of bytes, in place.
    fn bytes(&self, index: usize) -> Option<&[u8]>;

    /// The names of the classes, in the order of their numbers; empty where they have none.
    fn labels(&self) -> &[String];

    /// What the samples are.
    fn shows(&self) -> Shows;

    /// The names of the columns that they are from, if they are from a table that has names.
    fn columns(&self) -> &ColumnNames;

    /// Where a number of the sample at `index`, below [`len`](Self::len), is to be found by a person.
    fn place(&self, index: usize, number: Number) -> String {
        format!("sample {index}, {number}")
    }
}

/// One of a sample's numbers, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// Of its raw values.
    Value(usize),
    /// Of what is wanted for it.
    Target(usize),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(index) => write!(f, "value {index}"),
            Self::Target(index) => write!(f, "target {index}"),
        }
    }
}

/// The names of a table's columns: those of a sample's values, in their order, and those of what is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnNames {
    /// Of the values of a row.
    pub values: Vec<String>,
    /// Of what is wanted.
    pub targets: Vec<String>,
}

/// What is wanted of a network for one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// The number of its class.
    Class(usize),
    /// The outputs themselves.
    Values(&'a [f32]),
}
