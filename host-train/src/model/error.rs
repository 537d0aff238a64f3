//! What can go wrong.

use thumbnet::{LengthError, blob::WriteError, geometry::Shape, train::TrainError};

use crate::memory::NoMemory;

/// Why a model cannot be trained or evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// No epochs.
    #[error("epochs is 0, but must be at least 1")]
    Epochs,
    /// An impossible batch size.
    #[error("batch size is {batch_size}, but must be in 1..={samples}, the number of training samples")]
    BatchSize {
        /// The batch size.
        batch_size: usize,
        /// Images in the data set.
        samples: usize,
    },
    /// A warm-up that leaves no step for what follows, or is no share.
    #[error("warm-up is {warmup} of the steps, but must be at least 0 and below 1")]
    Warmup {
        /// The share of the steps.
        warmup: f32,
    },
    /// The batch size asks for too much.
    #[error("batch size is {batch_size}, but {error}")]
    Memory {
        /// The batch size.
        batch_size: usize,
        /// How much it takes.
        error: NoMemory,
    },
    /// Images of another shape than the network's input.
    #[error("the data set's samples are of shape {found}, but {network} takes {expected}")]
    Shape {
        /// The network.
        network: String,
        /// The images' shape.
        found: Shape,
        /// The shape that the network takes.
        expected: Shape,
    },
    /// A sample of another length than the network's input.
    #[error("the sample has {len} values, but {network} takes {needed}")]
    Image {
        /// The network.
        network: String,
        /// The image's values.
        len: usize,
        /// The values that the network takes.
        needed: usize,
    },
    /// A label that is no class of the network.
    #[error("label {label} at index {index}, but {network} has {classes} classes (labels 0 to {})", classes - 1)]
    Label {
        /// The network.
        network: String,
        /// The label.
        label: usize,
        /// The image's number in the data set, from 0.
        index: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// Wanted outputs of another number than the network's.
    #[error("{found} values are wanted at index {index}, but {network} has {outputs} outputs")]
    Targets {
        /// The network.
        network: String,
        /// The sample's number in the data set, from 0.
        index: usize,
        /// How many values are wanted.
        found: usize,
        /// How many outputs there are.
        outputs: usize,
    },
    /// Labels, scaling or columns that are none of the network's.
    #[error("{0}")]
    About(WriteError),
    /// Raw values whose meaning nobody told.
    #[error("how values are scaled is not known: fit the model, or let it adapt to a data set")]
    NotAdapted,
    /// A training cannot go on from a snapshot of another one: what is another.
    #[error("the training cannot be resumed: it was begun with another {0}")]
    Resume(String),
    /// The training step refused.
    #[error("{0}")]
    Train(TrainError),
    /// The forward pass refused.
    #[error("{0}")]
    Forward(LengthError),
    /// The loss is no number any more.
    #[error("{which} is {loss} in epoch {epoch}, step {step}: training diverged; try a smaller learning rate")]
    Diverged {
        /// `loss` or `val_loss`.
        which: &'static str,
        /// NaN or infinite.
        loss: f64,
        /// The epoch, from 1.
        epoch: usize,
        /// The step, from 1.
        step: usize,
    },
    /// Outputs are no numbers, so neither is what is computed from them.
    #[error("{which} is {value}: the weights are too large or no numbers, train anew or import others")]
    NotFinite {
        /// What was computed.
        which: &'static str,
        /// NaN or infinite.
        value: f64,
    },
    /// A value or a target from which the network computes no numbers.
    #[error("{place}: {value:e} is too large to compute with beside the others: correct it, or leave out the sample")]
    TooLarge {
        /// Where it is.
        place: String,
        /// What it is.
        value: f32,
    },
    /// A callback ended the training.
    #[error(transparent)]
    Callback(Box<dyn std::error::Error + Send + Sync>),
}
