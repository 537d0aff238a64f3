//! From bytes to what a network takes.

use thumbnet::graph::{Activation, Graph};

use crate::data::Dataset;

/// A network's input for a pixel: over 255, as the Keras tutorial scales images.
pub fn to_input(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}

/// How many classes a network tells apart; labels are below. One output of a sigmoid tells two apart; one of another
/// activation estimates the label as a number, which may be any.
pub fn classes(graph: &Graph<'_>) -> usize {
    match (graph.output().len(), graph.output_activation()) {
        (1, Activation::Sigmoid | Activation::Softmax) => 2,
        (1, _) => 1 << u8::BITS,
        (outputs, _) => outputs,
    }
}

/// Some samples as a network takes them.
pub(crate) struct Batch {
    outputs: usize,
    /// The images, one after the other.
    pub(crate) x: Vec<f32>,
    /// The wanted outputs: 1 for the label, 0 for every other class; for one output, the label itself.
    pub(crate) targets: Vec<f32>,
}

impl Batch {
    pub(crate) fn new(graph: &Graph<'_>) -> Self {
        Self { outputs: graph.output().len(), x: Vec::new(), targets: Vec::new() }
    }

    /// Takes these samples in place of the last ones.
    pub(crate) fn gather(&mut self, data: &Dataset, samples: impl Iterator<Item = usize>) {
        self.x.clear();
        self.targets.clear();
        for sample in samples {
            self.x.extend(data.image(sample).iter().map(|&pixel| to_input(pixel)));
            let label = data.label(sample);
            match self.outputs {
                1 => self.targets.push(label.into()),
                outputs => {
                    self.targets.extend((0..outputs).map(|class| f32::from(u8::from(class == usize::from(label)))));
                }
            }
        }
    }
}
