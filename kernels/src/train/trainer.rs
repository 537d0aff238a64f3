//! The training step.

use core::fmt;

use super::{Loss, Optimizer, SettingError, Trainable, count_correct};
use crate::arch::{Backend, parallel, split_mix};
use crate::sequential::{self, Network};

/// What one step did, summed over its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Metrics {
    /// The sum of the samples' losses.
    pub loss: f32,
    /// Samples with the right answer, as [`count_correct`] says; `None` where outputs estimate numbers.
    pub correct: Option<usize>,
    /// Samples in the batch.
    pub samples: usize,
}

/// Why training cannot start or go on. The weights are as they were.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TrainError {
    /// A setting of the optimizer is out of range.
    Setting(SettingError),
    /// Cross-entropy needs a network that ends with softmax.
    LossNeedsSoftmax,
    /// A buffer has the wrong length.
    Length {
        /// Which buffer.
        what: &'static str,
        /// Its length.
        len: usize,
        /// The length that is needed.
        needed: usize,
    },
    /// The batch is empty.
    EmptyBatch,
    /// The network has no parameters.
    NothingToTrain,
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(error) => error.fmt(f),
            Self::LossNeedsSoftmax => {
                f.write_str("categorical cross-entropy needs a last layer with softmax activation")
            }
            Self::Length { what, len, needed } => write!(f, "{what} has {len} values, but {needed} are needed"),
            Self::EmptyBatch => f.write_str("the batch has no samples"),
            Self::NothingToTrain => f.write_str("the network has no parameters to train"),
        }
    }
}

impl core::error::Error for TrainError {}

impl From<SettingError> for TrainError {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}

/// A network in training: the weights, the optimizer's state and the working memory, all of them the caller's.
#[derive(Debug)]
pub struct Trainer<'a, N, O> {
    network: N,
    backend: Backend,
    optimizer: O,
    loss: Loss,
    weights: &'a mut [f32],
    slots: &'a mut [f32],
    memory: &'a mut [f32],
    seed: u64,
    steps: u64,
}

impl<'a, N: Network, O: Optimizer> Trainer<'a, N, O> {
    /// Values of optimizer state: slots x parameters.
    pub const SLOTS_LEN: usize = O::SLOTS * N::PARAMETERS;

    /// Begins to train `weights` (`N::PARAMETERS` of them). `slots` has [`SLOTS_LEN`](Self::SLOTS_LEN) values, zeros to begin
    /// with. `memory` has `N::training_len(batch)` values for the largest batch. `seed` draws the dropout masks.
    ///
    /// # Errors
    ///
    /// A setting out of range, a loss that does not follow the network, or a buffer of another length.
    pub fn new(
        backend: Backend,
        optimizer: O,
        loss: Loss,
        seed: u64,
        weights: &'a mut [f32],
        slots: &'a mut [f32],
        memory: &'a mut [f32],
    ) -> Result<Self, TrainError> {
        optimizer.check()?;
        if N::PARAMETERS == 0 {
            return Err(TrainError::NothingToTrain);
        }
        if !loss.follows(N::OUTPUT_ACTIVATION) {
            return Err(TrainError::LossNeedsSoftmax);
        }
        expect_len("weights", weights.len(), N::PARAMETERS)?;
        expect_len("slots", slots.len(), Self::SLOTS_LEN)?;
        Ok(Self { network: N::NEW, backend, optimizer, loss, weights, slots, memory, seed, steps: 0 })
    }

    /// The weights as they are now.
    pub fn weights(&self) -> &[f32] {
        self.weights
    }

    /// Trains on one batch: `x` holds the samples, `targets` the wanted outputs (one-hot for classes). The metrics are those
    /// before the update, as Keras's progress bar shows them.
    ///
    /// # Errors
    ///
    /// An empty batch, lengths that do not match, or too little memory for the batch. Nothing was changed then.
    pub fn step(&mut self, x: &[f32], targets: &[f32]) -> Result<Metrics, TrainError> {
        let classes = N::OUTPUT.len();
        let batch = x.len() / N::INPUT.len();
        if batch == 0 {
            return Err(TrainError::EmptyBatch);
        }
        expect_len("x", x.len(), batch * N::INPUT.len())?;
        expect_len("targets", targets.len(), batch * classes)?;
        let needed = N::training_len(batch);
        if self.memory.len() < needed {
            return Err(TrainError::Length { what: "memory", len: self.memory.len(), needed });
        }

        let seed = split_mix(self.seed, self.steps);
        self.optimizer.next_step();
        // Forward, and twice backward.
        let metrics = parallel::inside(3 * batch * N::MACS, || {
            let pass = sequential::TrainingPass::new(&self.network, self.backend, batch, seed, x, self.memory);
            let pass = pass.forward(self.weights);
            let outputs = pass.outputs();
            let metrics = Metrics {
                loss: self.loss.sum(classes, outputs, targets),
                correct: count_correct(N::OUTPUT_ACTIVATION, classes, outputs, targets),
                samples: batch,
            };
            let (first, second) = self.slots.split_at_mut(N::PARAMETERS.min(self.slots.len()));
            let parameters = Trainable { weights: self.weights, state: [first, second] };
            pass.backward(self.loss, targets, &self.optimizer, parameters);
            metrics
        });
        self.steps += 1;
        Ok(metrics)
    }
}

/// Checks the length of one buffer.
fn expect_len(what: &'static str, len: usize, needed: usize) -> Result<(), TrainError> {
    if len == needed {
        return Ok(());
    }
    Err(TrainError::Length { what, len, needed })
}
