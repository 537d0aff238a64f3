//! Loss and accuracy, as they are summed up.

use std::fmt;

use serde::{Deserialize, Serialize};
use thumbnet::{
    graph::Graph,
    train::{Loss, Metrics, count_correct},
};

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
    /// Mean distance of outputs from what was wanted, where they estimate numbers.
    pub mean_absolute_error: Option<f64>,
}

/// Sums over the steps of an epoch, or over the batches of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    loss: f64,
    correct: Option<usize>,
    samples: usize,
    /// The sum of the samples' mean distances; nothing in training, which does not measure it.
    distance: Option<f64>,
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

    /// Adds what a network gave for some samples, and was to give.
    pub(crate) fn judge(&mut self, graph: &Graph<'_>, loss: Loss, outputs: &[f32], targets: &[f32]) {
        let width = graph.output().len();
        let correct = count_correct(graph.output_activation(), width, outputs, targets);
        self.add(Metrics { loss: loss.sum(width, outputs, targets), correct, samples: targets.len() / width });
        if correct.is_none() {
            let distances = outputs.iter().zip(targets).map(|(output, target)| f64::from((output - target).abs()));
            *self.distance.get_or_insert(0.0) += distances.sum::<f64>() / width as f64;
        }
    }

    /// The means so far.
    pub fn evaluation(&self) -> Evaluation {
        let samples = self.samples.max(1) as f64;
        Evaluation {
            loss: self.loss / samples,
            correct: self.correct,
            samples: self.samples,
            accuracy: self.correct.map(|correct| correct as f64 / samples),
            mean_absolute_error: self.distance.map(|distance| distance / samples),
        }
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss: {:.4}", self.loss)?;
        self.accuracy.map_or(Ok(()), |accuracy| write!(f, " - accuracy: {accuracy:.4}"))?;
        self.mean_absolute_error.map_or(Ok(()), |error| write!(f, " - mean absolute error: {error:.4}"))
    }
}
