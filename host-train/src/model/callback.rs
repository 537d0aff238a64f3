//! Watching a training, and acting on it.

use super::{Epoch, Running};

/// What a callback gives back: an error ends the training.
pub type CallbackResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A training at the end of an epoch, as a callback may change it.
#[derive(Debug)]
pub struct Training<'a> {
    /// The weights.
    pub weights: &'a mut [f32],
    /// The factor on each update, before the schedule's.
    pub learning_rate: &'a mut f32,
    /// Whether this epoch is the last. What was trained stays, and so does the history.
    pub stop: &'a mut bool,
}

/// Watches a training, and may change or end it; Keras's callback.
pub trait Callback {
    /// An epoch begins; epochs count from 1.
    ///
    /// # Errors
    ///
    /// Ends the training.
    fn epoch_begins(&mut self, _epoch: usize, _steps: usize) -> CallbackResult {
        Ok(())
    }

    /// A step is done; steps count from 1.
    ///
    /// # Errors
    ///
    /// Ends the training.
    fn step_ends(&mut self, _step: usize, _running: &Running) -> CallbackResult {
        Ok(())
    }

    /// All steps of an epoch are done, and validation begins.
    ///
    /// # Errors
    ///
    /// Ends the training.
    fn validation_begins(&mut self) -> CallbackResult {
        Ok(())
    }

    /// An epoch and its validation are done.
    ///
    /// # Errors
    ///
    /// Ends the training.
    fn epoch_ends(&mut self, _epoch: &Epoch, _training: &mut Training<'_>) -> CallbackResult {
        Ok(())
    }

    /// The training is over; the weights are what it gives.
    ///
    /// # Errors
    ///
    /// Is the training's.
    fn training_ends(&mut self, _weights: &mut [f32]) -> CallbackResult {
        Ok(())
    }

    /// What [`set_state`](Self::set_state) takes, so that an interrupted training goes on as if nothing had been.
    fn state(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Takes up what was left.
    ///
    /// # Errors
    ///
    /// Where it is no such callback's state. The training does not begin.
    fn set_state(&mut self, _state: &[u8]) -> CallbackResult {
        Ok(())
    }
}
