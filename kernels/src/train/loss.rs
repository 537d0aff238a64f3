//! The losses, and their gradients.

use core::fmt;

use super::TrainError;
use crate::graph::{Activation, Graph};

/// What training makes small: the mean of a value over the samples of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Loss {
    /// `-sum over i of t_i ln(p_i)` of a softmax output `p`, with `p` at least 1e-7 as in Keras. Fused with softmax:
    /// the gradient for the values before it is `p - t`.
    CategoricalCrossentropy,
    /// The mean over the outputs of `(y - t)^2`.
    MeanSquaredError,
    /// The mean over the outputs of `|y - t|`. Where `y` is `t`, the gradient is 0.
    MeanAbsoluteError,
    /// The mean over the outputs of `-(t ln(p) + (1 - t) ln(1 - p))` of sigmoid outputs `p`, with `p` at least 1e-7 and
    /// at most 1 - 1e-7 as in Keras. Fused with sigmoid: the gradient for the values before it is `p - t`, over the
    /// number of outputs.
    BinaryCrossentropy,
}

/// Keras's `backend.epsilon()`.
const EPSILON: f32 = 1e-7;

impl Loss {
    /// Whether the loss can follow a network that ends with `activation`.
    pub const fn follows(self, activation: Activation) -> bool {
        match self {
            Self::CategoricalCrossentropy => matches!(activation, Activation::Softmax),
            Self::BinaryCrossentropy => matches!(activation, Activation::Sigmoid),
            Self::MeanSquaredError | Self::MeanAbsoluteError => true,
        }
    }

    /// That the loss can [follow](Self::follows) the network, whose outputs tell something.
    ///
    /// # Errors
    ///
    /// [`TrainError::LossNeedsActivation`], if it cannot; [`TrainError::SoftmaxOfOne`], if it ends with a softmax of
    /// one value.
    pub const fn check(self, graph: &Graph<'_>) -> Result<(), TrainError> {
        let activation = graph.output_activation();
        if !self.follows(activation) {
            return Err(TrainError::LossNeedsActivation { loss: self, activation });
        }
        let last = graph.source(graph.nodes.len() - 1, true);
        if matches!(activation, Activation::Softmax) && graph.nodes[last].output.channels == 1 {
            return Err(TrainError::SoftmaxOfOne);
        }
        Ok(())
    }

    /// Whether [`gradient`](Self::gradient) is the one for the values before the last activation.
    pub(crate) const fn is_of_logits(self) -> bool {
        matches!(self, Self::CategoricalCrossentropy | Self::BinaryCrossentropy)
    }

    /// The sum over the batch of the loss of each sample. `outputs` and `targets` hold `classes` values a sample.
    pub fn sum(self, classes: usize, outputs: &[f32], targets: &[f32]) -> f32 {
        let pairs = outputs.iter().zip(targets);
        match self {
            Self::CategoricalCrossentropy => {
                let terms = pairs.filter(|(_, t)| **t != 0.0).map(|(p, t)| -t * libm::logf(p.max(EPSILON)));
                // `max` drops a NaN, which must show in the loss instead.
                let lost = outputs.iter().find(|p| p.is_nan());
                lost.copied().unwrap_or_else(|| terms.sum())
            }
            Self::MeanSquaredError => pairs.map(|(y, t)| (y - t) * (y - t)).sum::<f32>() / classes as f32,
            Self::MeanAbsoluteError => pairs.map(|(y, t)| (y - t).abs()).sum::<f32>() / classes as f32,
            Self::BinaryCrossentropy => {
                let term = |(p, t): (&f32, &f32)| {
                    let p = p.clamp(EPSILON, 1.0 - EPSILON);
                    -(t * libm::logf(p) + (1.0 - t) * libm::logf(1.0 - p))
                };
                pairs.map(term).sum::<f32>() / classes as f32
            }
        }
    }

    /// Writes the gradient of the mean loss over `batch` samples.
    pub fn gradient(self, batch: usize, outputs: &[f32], targets: &[f32], gradient: &mut [f32]) {
        let scale = match self {
            Self::CategoricalCrossentropy => 1.0 / batch as f32,
            Self::MeanSquaredError => 2.0 / outputs.len() as f32,
            Self::MeanAbsoluteError | Self::BinaryCrossentropy => 1.0 / outputs.len() as f32,
        };
        for ((g, y), t) in gradient.iter_mut().zip(outputs).zip(targets) {
            *g = (y - t) * scale;
        }
        if self == Self::MeanAbsoluteError {
            // A NaN stays one.
            gradient.iter_mut().filter(|g| **g != 0.0).for_each(|g| *g = g.signum() * scale);
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CategoricalCrossentropy => "categorical cross-entropy",
            Self::MeanSquaredError => "mean squared error",
            Self::MeanAbsoluteError => "mean absolute error",
            Self::BinaryCrossentropy => "binary cross-entropy",
        })
    }
}

/// How many samples are answered rightly by a network that ends with `activation`, or `None` where the outputs estimate
/// numbers, of which none is right or wrong. `outputs` and `targets` hold `width` values a sample.
///
/// - One output of a sigmoid is the probability of the second of two classes: right where `y > 0.5`
///   is what `t > 0.5` is, Keras's `binary_accuracy`. One output of another activation estimates a number.
/// - Of several outputs the largest must be where the largest target is (the first, of equals), Keras's
///   `categorical_accuracy`. Unless they are of a softmax or of sigmoids, they estimate numbers where a sample's
///   targets are not a single 1 among zeros.
pub fn count_correct(activation: Activation, width: usize, outputs: &[f32], targets: &[f32]) -> Option<usize> {
    if width == 1 {
        let right = outputs.iter().zip(targets).filter(|(y, t)| (**y > 0.5) == (**t > 0.5));
        return activation.is_probability().then(|| right.count());
    }
    let one_hot = |t: &[f32]| t.iter().all(|t| *t == 0.0 || *t == 1.0) && t.iter().filter(|t| **t == 1.0).count() == 1;
    if !activation.is_probability() && !targets.chunks_exact(width).all(one_hot) {
        return None;
    }
    let pairs = outputs.chunks_exact(width).zip(targets.chunks_exact(width));
    Some(pairs.filter(|(y, t)| argmax(y) == argmax(t)).count())
}

/// The index of the largest value, the first of equals; 0 of an empty slice.
pub fn argmax<T: PartialOrd + Copy>(values: &[T]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if values.get(best).is_some_and(|v| value > v) {
            best = i;
        }
    }
    best
}
