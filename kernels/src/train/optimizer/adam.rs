//! Adam.

use super::{Optimizer, SettingError, fraction, positive};
use crate::arch::Backend;
use crate::train::Trainable;

/// Adam (Kingma and Ba, 2015, arXiv:1412.6980) as Keras computes it. With gradient `g`, `m` and `v` the two slots, `t`
/// the step: `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`, `w = w - learning_rate sqrt(1 -
/// beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Factor on each update.
    pub learning_rate: f32,
    /// Decay of the running mean of gradients.
    pub beta_1: f32,
    /// Decay of the running mean of squared gradients.
    pub beta_2: f32,
    /// Added to the root of the second mean.
    pub epsilon: f32,
    /// The number of the step that was begun last; the first is 1.
    step: u32,
}

impl Adam {
    /// Adam with the given settings.
    pub const fn new(learning_rate: f32, beta_1: f32, beta_2: f32, epsilon: f32) -> Self {
        Self { learning_rate, beta_1, beta_2, epsilon, step: 0 }
    }
}

impl Default for Adam {
    /// Keras's defaults: learning rate 0.001, beta_1 0.9, beta_2 0.999, epsilon 1e-7.
    fn default() -> Self {
        Self::new(0.001, 0.9, 0.999, 1e-7)
    }
}

impl Optimizer for Adam {
    const SLOTS: usize = 2;

    fn learning_rate(&mut self) -> &mut f32 {
        &mut self.learning_rate
    }

    fn next_step(&mut self) {
        self.step = self.step.saturating_add(1);
    }

    fn update(&self, backend: Backend, parameters: Trainable<'_>, gradient: &[f32]) {
        backend.adam(self.learning_rate, self.beta_1, self.beta_2, self.epsilon, self.step, parameters, gradient);
    }

    fn check(&self) -> Result<(), SettingError> {
        positive("learning_rate", self.learning_rate)?;
        fraction("beta_1", self.beta_1)?;
        fraction("beta_2", self.beta_2)?;
        positive("epsilon", self.epsilon)
    }
}
