//! From bytes to what a network takes.

use thumbnet::graph::{Activation, Graph};

use crate::data::Dataset;

/// A network's input for a pixel: over 255, as the Keras tutorial scales images.
pub fn to_input(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}

/// Whether a network's outputs are shaped as its input and are no probabilities: then it is an autoencoder, trained to
/// give back what it reads.
pub fn is_autoencoder(graph: &Graph<'_>) -> bool {
    graph.output() == graph.input() && graph.input().len() > 1 && !graph.output_activation().is_probability()
}

/// How many classes a network tells apart; labels are below. One output of a sigmoid tells two apart; one of another
/// activation estimates the label as a number, which may be any, and an autoencoder takes no notice of it.
pub fn classes(graph: &Graph<'_>) -> usize {
    match (graph.output().len(), graph.output_activation()) {
        _ if is_autoencoder(graph) => 1 << u8::BITS,
        (1, Activation::Sigmoid | Activation::Softmax) => 2,
        (1, _) => 1 << u8::BITS,
        (outputs, _) => outputs,
    }
}

/// Some samples as a network takes them.
pub(crate) struct Batch {
    outputs: usize,
    is_autoencoder: bool,
    /// The images, one after the other.
    pub(crate) x: Vec<f32>,
    /// The wanted outputs: 1 for the label, 0 for every other class; for one output, the label itself; of an
    /// autoencoder, the images.
    pub(crate) targets: Vec<f32>,
}

impl Batch {
    pub(crate) fn new(graph: &Graph<'_>) -> Self {
        let (outputs, is_autoencoder) = (graph.output().len(), is_autoencoder(graph));
        Self { outputs, is_autoencoder, x: Vec::new(), targets: Vec::new() }
    }

    /// Takes these samples in place of the last ones.
    pub(crate) fn gather(&mut self, data: &Dataset, samples: impl Iterator<Item = usize>) {
        self.x.clear();
        self.targets.clear();
        for sample in samples {
            self.x.extend(data.image(sample).iter().map(|&pixel| to_input(pixel)));
            let label = data.label(sample);
            match self.outputs {
                _ if self.is_autoencoder => {}
                1 => self.targets.push(label.into()),
                outputs => {
                    self.targets.extend((0..outputs).map(|class| f32::from(u8::from(class == usize::from(label)))));
                }
            }
        }
        if self.is_autoencoder {
            self.targets.extend_from_slice(&self.x);
        }
    }
}

#[cfg(test)]
mod tests {
    use thumbnet::{Network, geometry::Shape};

    use super::*;

    thumbnet::sequential! {
        struct Back: [4] {
            code: Dense { units: 2, activation: Relu },
            out: Dense { units: 4 },
        }
    }

    thumbnet::sequential! {
        struct Classes: [4] {
            out: Dense { units: 4, activation: Softmax },
        }
    }

    /// What an autoencoder is to give is what it reads, whatever the labels are; classes are told apart by
    /// probabilities.
    #[test]
    fn targets_of_an_autoencoder_are_its_inputs() {
        let data = Dataset::new(Shape::vector(4), vec![0, 51, 102, 255, 255, 0, 0, 51], vec![200, 3]);
        let mut batch = Batch::new(&Back::GRAPH);
        batch.gather(&data, 0..2);
        assert_eq!(batch.targets, [0.0, 0.2, 0.4, 1.0, 1.0, 0.0, 0.0, 0.2]);
        assert_eq!(batch.x, batch.targets);
        assert_eq!((classes(&Back::GRAPH), classes(&Classes::GRAPH)), (256, 4));
        let mut batch = Batch::new(&Classes::GRAPH);
        batch.gather(&data, [1].into_iter());
        assert_eq!(batch.targets, [0.0, 0.0, 0.0, 1.0]);
    }
}
