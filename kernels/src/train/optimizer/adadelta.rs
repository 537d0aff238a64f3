//! Adadelta.

use super::{Optimizer, SettingError, fraction, positive};
use crate::arch::Backend;
use crate::train::Trainable;

/// Adadelta (Zeiler, 2012, arXiv:1212.5701) as Keras computes it. With gradient `g`, and `a` and `d` the two slots:
/// `a = rho a + (1 - rho) g^2`, `u = g sqrt(d + epsilon) / sqrt(a + epsilon)`, `d = rho d + (1 - rho) u^2`,
/// `w = w - learning_rate u`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adadelta {
    /// Factor on each update.
    pub learning_rate: f32,
    /// Decay of the running means of squares.
    pub rho: f32,
    /// Added under both roots.
    pub epsilon: f32,
}

impl Default for Adadelta {
    /// The defaults of the paper and of Keras in 2017: learning rate 1.0, rho 0.95, epsilon 1e-7. (Keras's later
    /// learning rate, 0.001, does not train a convnet in 10 epochs.)
    fn default() -> Self {
        Self { learning_rate: 1.0, rho: 0.95, epsilon: 1e-7 }
    }
}

impl Optimizer for Adadelta {
    const SLOTS: usize = 2;

    fn learning_rate(&mut self) -> &mut f32 {
        &mut self.learning_rate
    }

    fn update(&self, backend: Backend, parameters: Trainable<'_>, gradient: &[f32]) {
        backend.adadelta(self.learning_rate, self.rho, self.epsilon, parameters, gradient);
    }

    fn check(&self) -> Result<(), SettingError> {
        positive("learning_rate", self.learning_rate)?;
        fraction("rho", self.rho)?;
        positive("epsilon", self.epsilon)
    }
}
