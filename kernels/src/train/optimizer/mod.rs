//! The optimizers: how a gradient changes the weights.

mod adadelta;
mod adam;
mod sgd;

pub use adadelta::Adadelta;
pub use adam::Adam;
pub use sgd::Sgd;

use crate::arch::Backend;
use crate::train::Trainable;

/// An update rule that works value by value, so that any part of the weights can be updated as soon as its gradient is
/// there: a large gradient is made block by block and never stored as a whole.
pub trait Optimizer: Sync {
    /// State values for each weight: 0, 1 or 2.
    const SLOTS: usize;

    /// The factor on each update, which a schedule changes between steps.
    fn learning_rate(&mut self) -> &mut f32;

    /// Begins the next step; called once before the updates of a step.
    fn next_step(&mut self) {}

    /// Updates weights by their `gradient`, which has one value a weight. The first [`SLOTS`](Self::SLOTS) slots have
    /// one value a weight too, zero before the first step; the others are empty.
    fn update(&self, backend: Backend, parameters: Trainable<'_>, gradient: &[f32]);

    /// Why the settings make no sense, if they do not.
    ///
    /// # Errors
    ///
    /// [`SettingError`] names the setting, its value and what is allowed.
    fn check(&self) -> Result<(), SettingError>;
}

/// A setting of an optimizer is out of range.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SettingError {
    /// The setting's name.
    pub setting: &'static str,
    /// Its value.
    pub value: f32,
    /// What is allowed.
    pub allowed: &'static str,
}

impl core::fmt::Display for SettingError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} is {}, but must be {}", self.setting, self.value, self.allowed)
    }
}

impl core::error::Error for SettingError {}

/// Checks that a setting is finite and above zero.
fn positive(setting: &'static str, value: f32) -> Result<(), SettingError> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(SettingError { setting, value, allowed: "finite and above 0" })
}

/// Checks that a setting is in `0.0..1.0`.
fn fraction(setting: &'static str, value: f32) -> Result<(), SettingError> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(SettingError { setting, value, allowed: "in 0.0..1.0" })
}
