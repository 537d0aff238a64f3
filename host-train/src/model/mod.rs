//! A network with its f32 weights, handled as a Keras user handles a model.
//!
//! ```
//! use host_train::{data::Dataset, model::{FitOptions, Model}};
//! use thumbnet::{Network, geometry::Shape, train::{Loss, Sgd}};
//!
//! thumbnet::sequential! {
//!     struct Net: [1, 2, 1] {
//!         flatten: Flatten,
//!         dense: Dense { units: 2, activation: Softmax },
//!     }
//! }
//!
//! let data = Dataset::new(Shape::new(1, 2, 1), vec![255, 0, 0, 255], vec![0, 1]);
//! let optimizer = Sgd { learning_rate: 0.5, ..Sgd::default() };
//! let mut model = Model::new(Net::GRAPH, 1).compile(optimizer, Loss::CategoricalCrossentropy);
//! let history = model.fit(&data, FitOptions { epochs: 30, batch_size: 2, ..FitOptions::default() }, &mut [])?;
//! assert!(history.last().unwrap().loss < history[0].loss);
//! assert_eq!(model.evaluate(&data)?.accuracy, Some(1.0));
//! # Ok::<(), host_train::model::FitError>(())
//! ```

mod about;
mod batch;
mod callback;
mod callbacks;
mod epoch;
mod error;
mod fit;
mod metrics;
mod schedule;
mod snapshot;

use thumbnet::{
    arch::Backend,
    forward::forward,
    graph::{Activation, Graph},
    plan::{Fusion, PlanBuf},
    train::{Initializer, Loss, Optimizer, argmax, initialize},
};

use bytemuck::Pod;

pub use about::{About, classes, is_autoencoder};
pub(crate) use batch::Batch;
pub use callback::{Callback, CallbackResult, Training};
pub(crate) use callbacks::NoAccuracy;
pub use callbacks::{EarlyStopping, ModelCheckpoint, Monitor, ReduceLrOnPlateau};
pub use epoch::Epoch;
pub use error::FitError;
pub use fit::{Compiled, FitOptions, Save};
pub use metrics::{Evaluation, Running};
pub use schedule::Schedule;
pub use snapshot::{Progress, Snapshot};

use crate::{
    data::{Number, Samples, Scale, Target},
    memory::Values,
};

/// Samples that go through the network together where none are trained on.
const EVALUATION_BATCH: usize = 50;

/// A network and its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Model<'a> {
    graph: Graph<'a>,
    weights: Values,
    backend: Backend,
    about: Option<About>,
}

impl<'a> Model<'a> {
    /// A model with Keras's initial weights, drawn from `seed`: Glorot-uniform kernels and zero biases. The graph is
    /// that of a type ([`Network::GRAPH`](thumbnet::Network::GRAPH)), or of a file.
    pub fn new(graph: Graph<'a>, seed: u64) -> Self {
        Self::initialized(graph, Initializer::default(), seed)
    }

    /// The same, with another initializer of kernels.
    pub fn initialized(graph: Graph<'a>, initializer: Initializer, seed: u64) -> Self {
        let mut weights = Values::zeroed(graph.parameters());
        initialize(&graph, initializer, &mut weights, seed);
        Self { graph, weights, backend: Backend::detect(), about: None }
    }

    /// A model with these weights, as a checkpoint or an import gives them.
    ///
    /// # Panics
    ///
    /// Where there are not as many as the network's parameters.
    pub fn from_weights(graph: Graph<'a>, weights: &[f32]) -> Self {
        assert_eq!(weights.len(), graph.parameters(), "the weights are the network's");
        Self { graph, weights: Values::from(weights), backend: Backend::detect(), about: None }
    }

    /// The network.
    pub fn graph(&self) -> Graph<'a> {
        self.graph
    }

    /// The weights: each layer's kernel, then its bias, in Keras's layouts.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// What goes in and comes out, where it is known.
    pub fn about(&self) -> Option<&About> {
        self.about.as_ref()
    }

    /// The same model of values and classes that are so, as a checkpoint or [`About::of`] gives them; Keras's `adapt`.
    /// What is not adapted is when it is first trained: bytes are taken as 0 to 1, other values to a mean of 0 and a
    /// deviation of 1.
    #[must_use]
    pub fn adapted(self, about: About) -> Self {
        Self { about: Some(about), ..self }
    }

    /// What it is, or would be of this data set.
    pub(crate) fn about_of(&self, data: &dyn Samples) -> Result<About, FitError> {
        let about = self.about.clone().unwrap_or_else(|| About::of(data, Scale::usual(data)));
        about.check(&self.graph).map_err(FitError::About)?;
        Ok(about)
    }

    /// The kernels that run.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The same model on other kernels than the fastest.
    #[must_use]
    pub fn with_backend(self, backend: Backend) -> Self {
        Self { backend, ..self }
    }

    /// Makes it ready for training.
    pub fn compile<O: Optimizer + Clone>(self, optimizer: O, loss: Loss) -> Compiled<'a, O> {
        Compiled::new(self, optimizer, loss)
    }

    /// Loss and accuracy over a data set.
    ///
    /// # Errors
    ///
    /// [`FitError::Shape`], [`FitError::Label`] and [`FitError::Targets`] where it does not fit the network,
    /// [`FitError::Train`] where the loss does not, [`FitError::Memory`] where there is none for fifty samples, and
    /// [`FitError::TooLarge`] or [`FitError::NotFinite`] where the loss is no number.
    pub fn evaluate(&self, data: &dyn Samples, loss: Loss) -> Result<Evaluation, FitError> {
        loss.check(&self.graph).map_err(FitError::Train)?;
        check_fits(&self.graph, data)?;
        let about = self.about_of(data)?;
        let evaluation = evaluate(&self.graph, &about, self.backend, &self.weights, data, loss)?;
        if !evaluation.loss.is_finite() {
            let weights = FitError::NotFinite { which: "loss", value: evaluation.loss };
            return Err(too_large(&about, data).unwrap_or(weights));
        }
        Ok(evaluation)
    }

    /// The outputs for every sample of a data set, one after the other.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate)'s.
    pub fn outputs(&self, data: &dyn Samples) -> Result<Vec<f32>, FitError> {
        check_fits(&self.graph, data)?;
        let mut all = Vec::with_capacity(data.len() * self.graph.output().len());
        each_batch(&self.graph, &self.about_of(data)?, self.backend, &self.weights, data, |outputs, _| {
            all.extend_from_slice(outputs);
        })?;
        Ok(all)
    }

    /// The outputs for one sample of raw values.
    ///
    /// # Errors
    ///
    /// [`FitError::NotAdapted`] where nobody told what raw values mean, [`FitError::Forward`] where there are not as
    /// many as the network's input has, [`FitError::Memory`] where there is none, and [`FitError::TooLarge`] or
    /// [`FitError::NotFinite`] where an output is no number.
    pub fn predict<T: Copy + Into<f32>>(&self, raw: &[T]) -> Result<Vec<f32>, FitError> {
        let mut x: Vec<f32> = raw.iter().map(|&value| value.into()).collect();
        self.about.as_ref().ok_or(FitError::NotAdapted)?.apply(&mut x);
        let plan = PlanBuf::new(&self.graph, Fusion::F32);
        let mut memory = try_zeroed(plan.plan().memory_len(&self.graph, 1), 1)?;
        let outputs = forward(&self.graph, &plan.plan(), self.backend, &self.weights, &x, &mut memory, None)
            .map_err(FitError::Forward)?;
        match outputs.iter().find(|output| !output.is_finite()) {
            Some(&output) => Err(match x.iter().position(is_too_large) {
                Some(at) => FitError::TooLarge { place: Number::Value(at).to_string(), value: raw[at].into() },
                None => FitError::NotFinite { which: "a score", value: output.into() },
            }),
            None => Ok(outputs.to_vec()),
        }
    }
}

/// Numbers beyond this have no squares in f32, and sums of them soon are none.
const LARGE: f32 = 1e18;

fn is_too_large(number: &f32) -> bool {
    number.is_nan() || number.abs() > LARGE
}

/// What is to blame where a network computes no numbers from data: the first value, as it is scaled, or target that is
/// too large to compute with, if there is one.
pub(crate) fn too_large(about: &About, data: &dyn Samples) -> Option<FitError> {
    let mut raw = vec![0.0; data.shape().len()];
    (0..data.len()).find_map(|sample| {
        data.read(sample, &mut raw);
        let mut scaled = raw.clone();
        about.apply(&mut scaled);
        let in_values = scaled.iter().position(is_too_large).map(|at| (Number::Value(at), raw[at]));
        let in_targets = match data.target(sample) {
            Target::Values(targets) => {
                targets.iter().position(is_too_large).map(|at| (Number::Target(at), targets[at]))
            }
            Target::Class(_) => None,
        };
        let (number, value) = in_values.or(in_targets)?;
        Some(FitError::TooLarge { place: data.place(sample, number), value })
    })
}

/// The loss that fits a network's outputs: categorical cross-entropy behind a softmax, binary behind a sigmoid, else
/// the mean squared error.
pub fn usual_loss(graph: &Graph<'_>) -> Loss {
    match graph.output_activation() {
        Activation::Softmax => Loss::CategoricalCrossentropy,
        Activation::Sigmoid => Loss::BinaryCrossentropy,
        Activation::Linear | Activation::Relu | Activation::Relu6 | Activation::LeakyRelu { .. } | Activation::Tanh => {
            Loss::MeanSquaredError
        }
    }
}

/// The class that outputs say: of several the largest, the first of equals; of one that is a probability, 1 where it is
/// above a half, else 0; none of one that estimates a number, or of an autoencoder.
pub fn class_of(graph: &Graph<'_>, outputs: &[f32]) -> Option<usize> {
    match *outputs {
        [output] if graph.output_activation().is_probability() => Some(usize::from(output > 0.5)),
        [_] => None,
        _ if is_autoencoder(graph) => None,
        _ => Some(argmax(outputs)),
    }
}

/// Zeros to work in with so many samples at once.
pub(crate) fn try_zeroed<T: Pod>(len: usize, batch_size: usize) -> Result<Values<T>, FitError> {
    Values::try_zeroed(len).map_err(|error| FitError::Memory { batch_size, error })
}

/// Fails where samples, or what is wanted of them, are none of the network's.
pub(crate) fn check_fits(graph: &Graph<'_>, data: &dyn Samples) -> Result<(), FitError> {
    let network = || graph.name.to_owned();
    if data.shape() != graph.input() {
        return Err(FitError::Shape { network: network(), found: data.shape(), expected: graph.input() });
    }
    if is_autoencoder(graph) {
        return Ok(());
    }
    let (classes, outputs) = (classes(graph), graph.output().len());
    (0..data.len()).try_for_each(|index| match (data.target(index), classes) {
        (Target::Class(label), Some(classes)) if label >= classes => {
            Err(FitError::Label { network: network(), label, index, classes })
        }
        (Target::Values(values), _) if values.len() != outputs => {
            Err(FitError::Targets { network: network(), index, found: values.len(), outputs })
        }
        (Target::Class(_) | Target::Values(_), _) => Ok(()),
    })
}

fn evaluate(
    graph: &Graph<'_>,
    about: &About,
    backend: Backend,
    weights: &[f32],
    data: &dyn Samples,
    loss: Loss,
) -> Result<Evaluation, FitError> {
    let mut running = Running::default();
    each_batch(graph, about, backend, weights, data, |outputs, targets| running.judge(graph, loss, outputs, targets))?;
    Ok(running.evaluation())
}

/// Shows the outputs for all samples, and what is wanted of them, some at a time.
fn each_batch(
    graph: &Graph<'_>,
    about: &About,
    backend: Backend,
    weights: &[f32],
    data: &dyn Samples,
    mut show: impl FnMut(&[f32], &[f32]),
) -> Result<(), FitError> {
    let batch_size = EVALUATION_BATCH.min(data.len());
    let plan = PlanBuf::new(graph, Fusion::F32);
    let mut memory = try_zeroed(plan.plan().memory_len(graph, batch_size), batch_size)?;
    let mut batch = Batch::new(graph, about);
    for start in (0..data.len()).step_by(EVALUATION_BATCH) {
        batch.gather(data, start..data.len().min(start + EVALUATION_BATCH));
        let outputs = forward(graph, &plan.plan(), backend, weights, &batch.x, &mut memory, None);
        show(outputs.map_err(FitError::Forward)?, &batch.targets);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
