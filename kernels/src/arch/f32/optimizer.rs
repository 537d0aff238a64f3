use super::Trainable;
use crate::arch::{Backend, Kernels, parallel::pieces};

/// Weights at a time: enough work to be worth a thread.
const GRAIN: usize = 1 << 15;

impl Backend {
    /// One step of Keras's Adadelta for each weight `w` with gradient `g`:
    ///
    /// ```text
    /// G = rho * G + (1 - rho) * g^2
    /// d = -sqrt((D + epsilon) / (G + epsilon)) * g
    /// D = rho * D + (1 - rho) * d^2
    /// w = w + learning_rate * d
    /// ```
    ///
    /// `parameters.state` is `[G, D]`. The result has the same bits on every back end.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn adadelta(self, learning_rate: f32, rho: f32, epsilon: f32, parameters: Trainable<'_>, gradient: &[f32]) {
        let rule = [learning_rate, rho, epsilon];
        step(parameters, gradient, 2, &|Trainable { weights, state }, g| {
            self.kernels().adadelta(rule, weights, state, g);
        });
    }

    /// One step of Keras's SGD. Without momentum (`momentum` 0) `w = w - learning_rate * g`, and the state is empty.
    /// Otherwise `parameters.state` is `[V, empty]` and `V = momentum * V - learning_rate * g`, then `w = w + V`, or
    /// where `nesterov` `w = w + momentum * V - learning_rate * g`.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn sgd(self, learning_rate: f32, momentum: f32, nesterov: bool, parameters: Trainable<'_>, gradient: &[f32]) {
        let states = usize::from(momentum != 0.0);
        step(parameters, gradient, states, &|Trainable { weights, state: [velocity, _] }, g| {
            if states == 0 {
                self.kernels().sgd(learning_rate, weights, g);
            } else {
                let rule = [learning_rate, momentum];
                self.kernels().sgd_momentum(rule, nesterov, weights, velocity, g);
            }
        });
    }

    /// One step of Keras's Adam. `step` counts from 1; `parameters.state` is `[M, V]`:
    ///
    /// ```text
    /// alpha = learning_rate * sqrt(1 - beta_2^step) / (1 - beta_1^step)
    /// M = M + (g - M) * (1 - beta_1)
    /// V = V + (g^2 - V) * (1 - beta_2)
    /// w = w - M * alpha / (sqrt(V) + epsilon)
    /// ```
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[expect(clippy::too_many_arguments, reason = "one name a number of the rule")]
    pub fn adam(
        self,
        learning_rate: f32,
        beta_1: f32,
        beta_2: f32,
        epsilon: f32,
        step_number: u32,
        parameters: Trainable<'_>,
        gradient: &[f32],
    ) {
        let t = step_number as f32;
        let alpha = learning_rate * libm::sqrtf(1.0 - libm::powf(beta_2, t)) / (1.0 - libm::powf(beta_1, t));
        let rule = [alpha, beta_1, beta_2, epsilon];
        step(parameters, gradient, 2, &|Trainable { weights, state }, g| {
            self.kernels().adam(rule, weights, state, g);
        });
    }
}

/// Checks that the optimizer has its `states`, then applies `update` piece by piece.
fn step(parameters: Trainable<'_>, gradient: &[f32], states: usize, update: &(impl Fn(Trainable<'_>, &[f32]) + Sync)) {
    parameters.check();
    assert_eq!(parameters.weights.len(), gradient.len(), "weights and gradient differ in number");
    for state in &parameters.state[..states] {
        assert_eq!(state.len(), gradient.len(), "the optimizer's state must be as long as the weights");
    }
    pieces((parameters, gradient), GRAIN, &|_, (parameters, gradient)| update(parameters, gradient));
}
