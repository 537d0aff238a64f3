//! Samples as a network takes them.

use thumbnet::graph::Graph;

use super::{About, is_autoencoder};
use crate::data::{Samples, Target};

/// Some samples as a network takes them.
pub(crate) struct Batch<'a> {
    about: &'a About,
    input: usize,
    outputs: usize,
    is_autoencoder: bool,
    /// The samples, scaled, one after the other.
    pub(crate) x: Vec<f32>,
    /// The wanted outputs: 1 for a sample's class, 0 for every other; for one output, the class itself; of an
    /// autoencoder, the samples.
    pub(crate) targets: Vec<f32>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(graph: &Graph<'_>, about: &'a About) -> Self {
        let (input, outputs, is_autoencoder) = (graph.input().len(), graph.output().len(), is_autoencoder(graph));
        Self { about, input, outputs, is_autoencoder, x: Vec::new(), targets: Vec::new() }
    }

    /// Takes these samples in place of the last ones.
    pub(crate) fn gather(&mut self, data: &dyn Samples, samples: impl ExactSizeIterator<Item = usize>) {
        self.x.resize(samples.len() * self.input, 0.0);
        self.targets.clear();
        for (sample, x) in samples.zip(self.x.chunks_exact_mut(self.input)) {
            data.read(sample, x);
            match (data.target(sample), self.outputs) {
                _ if self.is_autoencoder => {}
                (Target::Values(values), _) => self.targets.extend_from_slice(values),
                (Target::Class(class), 1) => self.targets.push(class as f32),
                (Target::Class(label), outputs) => {
                    self.targets.extend((0..outputs).map(|class| f32::from(u8::from(class == label))));
                }
            }
        }
        self.about.apply(&mut self.x);
        if self.is_autoencoder {
            self.targets.extend_from_slice(&self.x);
        }
    }
}

#[cfg(test)]
mod tests {
    use thumbnet::{Network, geometry::Shape, input::Scaling};

    use super::*;
    use crate::data::Dataset;

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
        let about = About { scaling: vec![Scaling::UNIT], ..About::default() };
        let mut batch = Batch::new(&Back::GRAPH, &about);
        batch.gather(&data, 0..2);
        assert_eq!(batch.targets, [0.0, 0.2, 0.4, 1.0, 1.0, 0.0, 0.0, 0.2]);
        assert_eq!(batch.x, batch.targets);
        let mut batch = Batch::new(&Classes::GRAPH, &about);
        batch.gather(&data, [1].into_iter());
        assert_eq!(batch.targets, [0.0, 0.0, 0.0, 1.0]);
    }
}
