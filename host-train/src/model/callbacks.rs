//! The callbacks that Keras has: they stop a training, keep the best weights, and make the steps smaller.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thumbnet::graph::Graph;

use super::{About, Callback, CallbackResult, Epoch, Training};
use crate::{atomic, checkpoint};

/// What a callback looks at after each epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Monitor {
    /// The loss over the validation data, or of the training where there are none; less is better.
    #[default]
    Loss,
    /// The share of right answers there, likewise; more is better.
    Accuracy,
}

impl Monitor {
    /// What an epoch reached; less is better.
    fn of(self, epoch: &Epoch) -> Result<f64, NoAccuracy> {
        match self {
            Self::Loss => Ok(epoch.val_loss.unwrap_or(epoch.loss)),
            Self::Accuracy => epoch.val_accuracy.or(epoch.accuracy).map(|accuracy| -accuracy).ok_or(NoAccuracy),
        }
    }
}

/// A callback looks at what there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("accuracy is monitored, but the network estimates numbers, which have none: monitor the loss")]
pub(crate) struct NoAccuracy;

/// The best value so far, and for how many epochs there was no better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Best {
    value: f64,
    waited: usize,
}

impl Best {
    const NONE: Self = Self { value: f64::INFINITY, waited: 0 };

    /// Takes an epoch's value; whether it is better by more than `least`.
    fn improves(&mut self, value: f64, least: f64) -> bool {
        let is_better = value < self.value - least;
        *self = if is_better { Self { value, waited: 0 } } else { Self { waited: self.waited + 1, ..*self } };
        is_better
    }
}

/// The two methods of a callback whose state is one field.
macro_rules! keeps {
    ($field:ident) => {
        fn state(&self) -> Vec<u8> {
            postcard::to_stdvec(&self.$field).expect("growing memory takes any plain data")
        }

        fn set_state(&mut self, state: &[u8]) -> CallbackResult {
            self.$field = postcard::from_bytes(state)?;
            Ok(())
        }
    };
}

/// Ends a training when it gets no better, and gives back the weights of the best epoch: Keras's `EarlyStopping` with
/// `restore_best_weights`.
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    min_delta: f64,
    state: (Best, Vec<f32>),
}

impl EarlyStopping {
    /// Stops after `patience` epochs, 1 at least, none of which was better than the best before.
    pub fn new(monitor: Monitor, patience: usize) -> Self {
        Self { monitor, patience: patience.max(1), min_delta: 0.0, state: (Best::NONE, Vec::new()) }
    }

    /// Takes an epoch for better only by more than this.
    #[must_use]
    pub fn min_delta(self, min_delta: f64) -> Self {
        Self { min_delta, ..self }
    }
}

impl Callback for EarlyStopping {
    fn epoch_ends(&mut self, epoch: &Epoch, training: &mut Training<'_>) -> CallbackResult {
        let (best, weights) = &mut self.state;
        if best.improves(self.monitor.of(epoch)?, self.min_delta) {
            *weights = training.weights.to_vec();
        }
        *training.stop |= best.waited >= self.patience;
        Ok(())
    }

    fn training_ends(&mut self, weights: &mut [f32]) -> CallbackResult {
        let (_, best) = &self.state;
        if best.len() == weights.len() {
            weights.copy_from_slice(best);
        }
        Ok(())
    }

    keeps!(state);
}

/// Makes the learning rate smaller when a training gets no better: Keras's `ReduceLROnPlateau`.
#[derive(Clone, Debug)]
pub struct ReduceLrOnPlateau {
    monitor: Monitor,
    patience: usize,
    factor: f32,
    least: f32,
    best: Best,
}

impl ReduceLrOnPlateau {
    /// Multiplies the learning rate with `factor` after each `patience` epochs, 1 at least, none of which was better by
    /// more than 1e-4, as long as it is above `least`.
    pub fn new(monitor: Monitor, patience: usize, factor: f32, least: f32) -> Self {
        Self { monitor, patience: patience.max(1), factor, least, best: Best::NONE }
    }
}

impl Callback for ReduceLrOnPlateau {
    fn epoch_ends(&mut self, epoch: &Epoch, training: &mut Training<'_>) -> CallbackResult {
        /// Keras's `min_delta`.
        const LEAST: f64 = 1e-4;
        self.best.improves(self.monitor.of(epoch)?, LEAST);
        if self.best.waited >= self.patience {
            self.best.waited = 0;
            *training.learning_rate = (*training.learning_rate * self.factor).max(self.least);
        }
        Ok(())
    }

    keeps!(best);
}

/// Writes the weights of the best epoch to a file, whole or not at all: Keras's `ModelCheckpoint` with
/// `save_best_only`.
#[derive(Clone, Debug)]
pub struct ModelCheckpoint<'a> {
    graph: Graph<'a>,
    about: About,
    path: PathBuf,
    monitor: Monitor,
    best: Best,
}

impl<'a> ModelCheckpoint<'a> {
    /// Keeps the best weights of this network, of data that is so, in a file.
    pub fn new(graph: Graph<'a>, about: About, path: PathBuf, monitor: Monitor) -> Self {
        Self { graph, about, path, monitor, best: Best::NONE }
    }
}

impl Callback for ModelCheckpoint<'_> {
    fn epoch_ends(&mut self, epoch: &Epoch, training: &mut Training<'_>) -> CallbackResult {
        if self.best.improves(self.monitor.of(epoch)?, 0.0) {
            let bytes = checkpoint::write(&self.graph, &self.about, training.weights);
            let told = |error| format!("after epoch {}: cannot write {}: {error}", epoch.epoch, self.path.display());
            atomic::write(&self.path, &bytes).map_err(told)?;
        }
        Ok(())
    }

    keeps!(best);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evaluation;

    /// The epochs after which a training stops, the learning rate after each, and the weight it ends with, where each
    /// epoch's weight is its number.
    fn run(callback: &mut dyn Callback, losses: &[f64]) -> (usize, Vec<f32>, f32) {
        let (mut weights, mut learning_rate, mut stop, mut rates) = ([0.0], 1.0, false, Vec::new());
        for (epoch, &loss) in (1..).zip(losses) {
            let judged = Evaluation { loss, correct: None, samples: 1, accuracy: None, mean_absolute_error: None };
            let epoch = Epoch::new(epoch, 1, 1.0, judged);
            weights[0] = epoch.epoch as f32;
            let mut training = Training { weights: &mut weights, learning_rate: &mut learning_rate, stop: &mut stop };
            // As after an interruption.
            let state = callback.state();
            callback.set_state(&state).unwrap();
            callback.epoch_ends(&epoch, &mut training).unwrap();
            rates.push(learning_rate);
            if stop {
                break;
            }
        }
        callback.training_ends(&mut weights).unwrap();
        (rates.len(), rates, weights[0])
    }

    #[test]
    fn stops_early_with_the_best_weights() {
        let (epochs, _, weight) = run(&mut EarlyStopping::new(Monitor::Loss, 2), &[3.0, 1.0, 2.0, 1.0, 0.5]);
        assert_eq!((epochs, weight), (4, 2.0));
        let (epochs, _, weight) = run(&mut EarlyStopping::new(Monitor::Loss, 2), &[3.0, 1.0, 2.0, 0.5, 0.6]);
        assert_eq!((epochs, weight), (5, 4.0));
        let mut callback = EarlyStopping::new(Monitor::Loss, 1).min_delta(0.5);
        assert_eq!(run(&mut callback, &[3.0, 2.6, 1.0]).0, 2);
        // A loss that is no number is never better.
        assert_eq!(run(&mut EarlyStopping::new(Monitor::Loss, 1), &[3.0, f64::NAN, 1.0]).0, 2);
    }

    #[test]
    fn reduces_on_a_plateau() {
        let mut callback = ReduceLrOnPlateau::new(Monitor::Loss, 2, 0.5, 0.2);
        let (_, rates, _) = run(&mut callback, &[2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(rates, [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]);
    }
}
