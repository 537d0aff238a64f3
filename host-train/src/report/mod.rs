//! A training and its network to be looked at: one page of HTML that needs nothing from elsewhere.

mod charts;
mod layers;
mod page;

use thumbnet::graph::Graph;

use crate::{
    data::{Samples, Target},
    model::{Epoch, Evaluation, FitError, Model, class_of, classes, usual_loss},
    quantized::QuantizedModel,
};

pub use layers::LayerError;

/// What a report is made of.
pub struct Report<'a> {
    /// The f32 network.
    pub model: &'a Model<'a>,
    /// The same network quantised.
    pub quantized: &'a QuantizedModel<'a>,
    /// What each epoch reached; empty where that is not known.
    pub history: Vec<Epoch>,
    /// Whether the training goes on, or was interrupted.
    pub is_unfinished: bool,
    /// What the network is judged by.
    pub data: &'a dyn Samples,
}

/// What f32 or int8 weights make of all samples.
#[derive(Debug)]
struct Judged {
    /// The outputs, one sample after the other.
    outputs: Vec<f32>,
    evaluation: Evaluation,
}

/// A sample that was taken for another class.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mistake {
    sample: usize,
    right: usize,
    taken_for: usize,
    /// The score of the class that it was taken for.
    score: f32,
}

/// Samples of the data set with which the error of each layer is measured.
const MEASURED: usize = 50;
/// Mistakes that are shown.
const MISTAKES: usize = 12;

impl Report<'_> {
    /// The page.
    ///
    /// # Errors
    ///
    /// [`FitError`], where the data set does not fit the network, or there is no memory to run it in.
    pub fn to_html(&self) -> Result<String, FitError> {
        let (model, quantized, data) = (self.model, self.quantized, self.data);
        let graph = model.graph();
        let outputs = model.outputs(data)?;
        let f32 = Judged { evaluation: model.evaluate(data, usual_loss(&graph))?, outputs };
        let int8 = quantized.outputs(data)?;
        let evaluation = quantized.judge(&int8, data);
        let output = quantized.output();
        let int8 = Judged { evaluation, outputs: int8.iter().map(|&value| output.dequantize(value)).collect() };
        let layers = layers::errors(model, quantized, data, MEASURED.min(data.len()))?;
        Ok(page::page(self, &f32, &int8, &layers))
    }
}

/// How often samples of each class (rows) were taken for each class (columns); nothing where the network has none.
fn confusion(graph: &Graph<'_>, outputs: &[f32], data: &dyn Samples) -> Option<Vec<Vec<usize>>> {
    let classes = classes(graph)?;
    let mut counts = vec![vec![0; classes]; classes];
    for (sample, outputs) in outputs.chunks_exact(graph.output().len()).enumerate() {
        match (data.target(sample), class_of(graph, outputs)) {
            (Target::Class(right), Some(taken_for)) => counts[right][taken_for] += 1,
            _ => return None,
        }
    }
    Some(counts)
}

/// The samples that were taken for another class with the highest scores.
fn mistakes(graph: &Graph<'_>, outputs: &[f32], data: &dyn Samples) -> Vec<Mistake> {
    let mut mistakes: Vec<Mistake> = Vec::new();
    for (sample, outputs) in outputs.chunks_exact(graph.output().len()).enumerate() {
        let (Target::Class(right), Some(taken_for)) = (data.target(sample), class_of(graph, outputs)) else {
            continue;
        };
        let score = match *outputs {
            [score] if taken_for == 0 => 1.0 - score,
            [score] => score,
            _ => outputs[taken_for],
        };
        if right != taken_for {
            mistakes.push(Mistake { sample, right, taken_for, score });
        }
    }
    mistakes.sort_by(|a, b| b.score.total_cmp(&a.score));
    mistakes.truncate(MISTAKES);
    mistakes
}

#[cfg(test)]
mod tests;
