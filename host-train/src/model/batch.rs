//! From bytes to what a network takes.

use thumbnet::Network;

use crate::data::Dataset;

/// A network's input for a pixel: over 255, as the Keras tutorial scales images.
pub fn to_input(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}

/// Some samples as a network takes them.
pub(crate) struct Batch {
    classes: usize,
    /// The images, one after the other.
    pub(crate) x: Vec<f32>,
    /// The wanted outputs: 1 for the label, 0 for every other class.
    pub(crate) targets: Vec<f32>,
}

impl Batch {
    pub(crate) fn new<N: Network>() -> Self {
        Self { classes: N::OUTPUT.len(), x: Vec::new(), targets: Vec::new() }
    }

    /// Takes these samples in place of the last ones.
    pub(crate) fn gather(&mut self, data: &Dataset, samples: impl Iterator<Item = usize>) {
        self.x.clear();
        self.targets.clear();
        for sample in samples {
            self.x.extend(data.image(sample).iter().map(|&pixel| to_input(pixel)));
            let label = usize::from(data.label(sample));
            self.targets.extend((0..self.classes).map(|class| f32::from(u8::from(class == label))));
        }
    }
}
