//! What an epoch reached.

use serde::{Deserialize, Serialize};

use super::Evaluation;

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss while training, each step before its update.
    pub loss: f64,
    /// Share of right answers while training; `None` where outputs estimate numbers.
    pub accuracy: Option<f64>,
    /// Mean loss over the validation data, after the epoch.
    pub val_loss: Option<f64>,
    /// Share of right answers over the validation data.
    pub val_accuracy: Option<f64>,
    /// Time for the steps, without validation.
    pub seconds: f64,
    /// Training samples a second.
    pub images_per_second: f64,
    /// Steps.
    #[serde(skip)]
    pub steps: usize,
}

impl Epoch {
    pub(crate) fn new(epoch: usize, steps: usize, seconds: f64, training: Evaluation) -> Self {
        Self {
            epoch,
            loss: training.loss,
            accuracy: training.accuracy,
            val_loss: None,
            val_accuracy: None,
            seconds,
            images_per_second: training.samples as f64 / seconds.max(1e-9),
            steps,
        }
    }

    pub(crate) fn validate(&mut self, validation: Evaluation) {
        self.val_loss = Some(validation.loss);
        self.val_accuracy = validation.accuracy;
    }
}
