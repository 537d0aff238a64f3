//! Loss and accuracy, as they are summed up.

use std::fmt;

use thumbnet::train::Metrics;

/// Loss and accuracy over a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Samples whose largest output is the right one.
    pub correct: usize,
    /// Samples in all.
    pub samples: usize,
    /// `correct / samples`.
    pub accuracy: f64,
}

/// Sums over the steps of an epoch, or over the batches of a data set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Running {
    loss: f64,
    correct: usize,
    samples: usize,
}

impl Running {
    pub(super) fn add(&mut self, metrics: Metrics) {
        self.loss += f64::from(metrics.loss);
        self.correct += metrics.correct;
        self.samples += metrics.samples;
    }

    /// The means so far.
    pub fn evaluation(&self) -> Evaluation {
        let samples = self.samples.max(1) as f64;
        Evaluation {
            loss: self.loss / samples,
            correct: self.correct,
            samples: self.samples,
            accuracy: self.correct as f64 / samples,
        }
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss: {:.4} - accuracy: {:.4}", self.loss, self.accuracy)
    }
}
