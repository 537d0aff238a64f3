//! What goes into a network and comes out of it.

use serde::{Deserialize, Serialize};
use thumbnet::{
    blob::{self, WriteError},
    graph::{Activation, Graph},
    input::{Scaling, Shows},
};

use crate::data::{self, ColumnNames, Samples, Scale};

/// What a network's input and outputs stand for. Files of weights and blobs keep it, so that a device prepares its
/// input as the training did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The names of the classes, in the order of the outputs; empty where they have none.
    pub labels: Vec<String>,
    /// What raw values mean: one for all, or one for each channel of the input.
    pub scaling: Vec<Scaling>,
    /// What samples are.
    pub shows: Shows,
    /// The names of the columns of the table that it was trained on, if it was one.
    pub columns: ColumnNames,
}

impl Default for About {
    /// Classes without names, and values that are taken as they are.
    fn default() -> Self {
        let (labels, scaling, columns) = (Vec::new(), vec![Scaling::NONE], ColumnNames::default());
        Self { labels, scaling, shows: Shows::Values, columns }
    }
}

impl From<blob::About<'_>> for About {
    fn from(about: blob::About<'_>) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let columns = ColumnNames { values: owned(about.columns), targets: owned(about.targets) };
        Self { labels: owned(about.labels), scaling: about.scaling.to_vec(), shows: about.shows, columns }
    }
}

impl About {
    /// What the data set says, and its values scaled so, with what that takes from the data.
    pub fn of(data: &dyn Samples, scale: Scale) -> Self {
        let (labels, columns) = (data.labels().to_vec(), data.columns().clone());
        Self { labels, scaling: data::fit(data, scale), shows: data.shows(), columns }
    }

    /// Fails where a blob of this network could not hold it.
    ///
    /// # Errors
    ///
    /// As [`blob::About::check`].
    pub fn check(&self, graph: &Graph<'_>) -> Result<(), WriteError> {
        self.lend(|about| about.check(graph))
    }

    /// Does `work` with it as a blob takes it.
    pub(crate) fn lend<T>(&self, work: impl FnOnce(&blob::About<'_>) -> T) -> T {
        fn lent(names: &[String]) -> Vec<&str> {
            names.iter().map(String::as_str).collect()
        }
        let ColumnNames { values, targets } = &self.columns;
        let (labels, columns, targets) = (lent(&self.labels), lent(values), lent(targets));
        let (scaling, shows) = (&self.scaling, self.shows);
        work(&blob::About { labels: &labels, scaling, shows, columns: &columns, targets: &targets })
    }

    /// Makes raw values of whole samples into what the network takes.
    pub fn apply(&self, values: &mut [f32]) {
        match *self.scaling {
            [Scaling::NONE] => {}
            [scaling] => values.iter_mut().for_each(|value| *value = scaling.apply(*value)),
            _ => {
                for position in values.chunks_exact_mut(self.scaling.len()) {
                    position.iter_mut().zip(&self.scaling).for_each(|(value, scaling)| *value = scaling.apply(*value));
                }
            }
        }
    }

    /// What a class is called: its name, or its number.
    pub fn label(&self, class: usize) -> String {
        self.labels.get(class).cloned().unwrap_or_else(|| class.to_string())
    }
}

/// Whether a network's outputs are shaped as its input and are no probabilities: then it is an autoencoder, trained to
/// give back what it reads.
pub fn is_autoencoder(graph: &Graph<'_>) -> bool {
    graph.output() == graph.input() && graph.input().len() > 1 && !graph.output_activation().is_probability()
}

/// How many classes a network tells apart: one output of a sigmoid tells two apart, several outputs as many as they
/// are. `None` where outputs can be no classes: those of an autoencoder, and one output that is no probability.
pub fn classes(graph: &Graph<'_>) -> Option<usize> {
    match (graph.output().len(), graph.output_activation()) {
        _ if is_autoencoder(graph) => None,
        (1, Activation::Sigmoid | Activation::Softmax) => Some(2),
        (1, _) => None,
        (outputs, _) => Some(outputs),
    }
}

#[cfg(test)]
mod tests {
    use thumbnet::Network;

    use super::*;

    thumbnet::sequential! {
        struct Net: [2, 2] {
            flatten: Flatten,
            out: Dense { units: 3, activation: Softmax },
        }
    }

    #[test]
    fn each_channel_has_its_scaling() {
        let scaling = vec![Scaling { mean: 1.0, deviation: 2.0 }, Scaling { mean: -3.0, deviation: 0.5 }];
        let about = About { scaling, ..About::default() };
        let mut values = [1.0, -3.0, 5.0, -2.5];
        about.apply(&mut values);
        assert_eq!(values, [0.0, 0.0, 2.0, 1.0]);
        let mut pixels = [0.0, 51.0, 255.0, 102.0];
        About { scaling: vec![Scaling::UNIT], ..About::default() }.apply(&mut pixels);
        assert_eq!(pixels, [0.0, 0.2, 1.0, 0.4]);
    }

    #[test]
    fn what_is_of_another_network_is_refused() {
        let check = |labels: &[&str], scaling: &[Scaling]| {
            let labels = labels.iter().map(|label| (*label).into()).collect();
            let about = About { labels, scaling: scaling.to_vec(), ..About::default() };
            about.check(&Net::GRAPH).map_err(|error| error.to_string())
        };
        assert_eq!(check(&["a", "b", "c"], &[Scaling::NONE; 2]), Ok(()));
        let error = check(&["a"], &[Scaling::NONE]).unwrap_err();
        assert_eq!(error, "there are 1 labels, but must be none or 3, one for each class");
        let error = check(&[], &[Scaling::NONE; 3]).unwrap_err();
        assert!(
            error.starts_with("there are 3 scalings, but must be one for all values or 2, one for each"),
            "{error}"
        );
        let error = check(&[], &[Scaling { mean: 0.0, deviation: 0.0 }]).unwrap_err();
        assert!(error.starts_with("the scaling of channel 0 has mean 0.0 and deviation 0.0, but"), "{error}");
    }
}
