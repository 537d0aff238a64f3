//! What a network is trained on and judged by.

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
}

/// What is wanted of a network for one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// The number of its class.
    Class(usize),
    /// The outputs themselves.
    Values(&'a [f32]),
}
