//! Watching a training.

use super::{Epoch, Running};

/// What a callback gives back: an error ends the training.
pub type CallbackResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Watches a training; Keras's callback.
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
    fn epoch_ends(&mut self, _epoch: &Epoch, _weights: &[f32]) -> CallbackResult {
        Ok(())
    }
}

/// A callback that does nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Callback for Silent {}
