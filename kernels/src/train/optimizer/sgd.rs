//! Stochastic gradient descent.

use super::{Optimizer, SettingError, fraction, positive};
use crate::arch::Backend;
use crate::train::Trainable;

/// Gradient descent with momentum, as Keras computes it. With gradient `g` and `v` the slot:
/// `v = momentum v - learning_rate g`, then `w = w + v`, or with Nesterov's momentum
/// `w = w + momentum v - learning_rate g`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Factor on the gradient.
    pub learning_rate: f32,
    /// The fraction of the last update that is kept; 0 for plain gradient descent.
    pub momentum: f32,
    /// Whether the gradient is applied as if one step ahead (Nesterov).
    pub nesterov: bool,
}

impl Default for Sgd {
    /// Keras's defaults: learning rate 0.01, no momentum.
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0, nesterov: false }
    }
}

impl Optimizer for Sgd {
    const SLOTS: usize = 1;

    fn learning_rate(&mut self) -> &mut f32 {
        &mut self.learning_rate
    }

    fn update(&self, backend: Backend, parameters: Trainable<'_>, gradient: &[f32]) {
        // Without momentum the velocity is not looked at.
        let parameters = match self.momentum {
            0.0 => Trainable { weights: parameters.weights, state: [&mut [], &mut []] },
            _ => parameters,
        };
        backend.sgd(self.learning_rate, self.momentum, self.nesterov, parameters, gradient);
    }

    fn check(&self) -> Result<(), SettingError> {
        positive("learning_rate", self.learning_rate)?;
        fraction("momentum", self.momentum)
    }
}
