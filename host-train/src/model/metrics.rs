//! Loss and accuracy, as they are summed up.

use std::fmt;

use thumbnet::train::Metrics;

/// Loss and accuracy over a data set. A network whose outputs estimate numbers has no accuracy
/// ([`count_correct`](thumbnet::train::count_correct)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Samples with the right answer.
    pub correct: Option<usize>,
    /// Samples in all.
    pub samples: usize,
    /// `correct / samples`.
    pub accuracy: Option<f64>,
}

/// Sums over the steps of an epoch, or over the batches of a data set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Running {
    loss: f64,
    correct: Option<usize>,
    samples: usize,
}

impl Running {
    pub(super) fn add(&mut self, metrics: Metrics) {
        self.loss += f64::from(metrics.loss);
        // Of two parts that are judged; of none before the first.
        self.correct = match self.samples {
            0 => metrics.correct,
            _ => self.correct.zip(metrics.correct).map(|(sum, correct)| sum + correct),
        };
        self.samples += metrics.samples;
    }

    /// The means so far.
    pub fn evaluation(&self) -> Evaluation {
        let samples = self.samples.max(1) as f64;
        Evaluation {
            loss: self.loss / samples,
            correct: self.correct,
            samples: self.samples,
            accuracy: self.correct.map(|correct| correct as f64 / samples),
        }
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss: {:.4}", self.loss)?;
        self.accuracy.map_or(Ok(()), |accuracy| write!(f, " - accuracy: {accuracy:.4}"))
    }
}
