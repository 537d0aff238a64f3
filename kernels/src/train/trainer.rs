//! The training step.

use core::fmt;
use core::marker::PhantomData;

use super::pass::Pass;
use super::{Loss, Optimizer, SettingError, Trainable, count_correct};
use crate::LengthError;
use crate::arch::{Backend, parallel, split_mix};
use crate::graph::{Activation, AllOps, Graph, Uses};
use crate::plan::{self, GradientPlan};

/// What one step did, summed over its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Metrics {
    /// The sum of the samples' losses.
    pub loss: f32,
    /// Samples with the right answer, as [`count_correct`] says; `None` where outputs estimate numbers.
    pub correct: Option<usize>,
    /// Samples in the batch.
    pub samples: usize,
}

/// Why training cannot start or go on. The weights are as they were.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TrainError {
    /// A setting of the optimizer is out of range.
    Setting(SettingError),
    /// The loss cannot [follow](Loss::follows) the network: a cross-entropy needs the activation that is its own.
    LossNeedsActivation {
        /// The loss.
        loss: Loss,
        /// What the network ends with.
        activation: Activation,
    },
    /// The network ends with a softmax of one value, which is 1 whatever the weights are.
    SoftmaxOfOne,
    /// A buffer has the wrong length.
    Length(LengthError),
    /// The batch is empty.
    EmptyBatch,
    /// The network has no parameters.
    NothingToTrain,
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(error) => error.fmt(f),
            Self::LossNeedsActivation { loss, activation } => {
                let needed = if *loss == Loss::BinaryCrossentropy { Activation::Sigmoid } else { Activation::Softmax };
                write!(
                    f,
                    "{loss} needs a last layer with activation {needed:?}, but that of the network is {activation:?}"
                )
            }
            Self::SoftmaxOfOne => f.write_str(
                "the network ends with a softmax of one value, which is always 1: one unit needs `Sigmoid`, and \
                 `Softmax` two units or more",
            ),
            Self::Length(error) => error.fmt(f),
            Self::EmptyBatch => f.write_str("the batch has no samples"),
            Self::NothingToTrain => f.write_str("the network has no parameters to train"),
        }
    }
}

impl core::error::Error for TrainError {}

impl From<SettingError> for TrainError {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}

impl From<LengthError> for TrainError {
    fn from(error: LengthError) -> Self {
        Self::Length(error)
    }
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Settings<O> {
    /// The kernels that run.
    pub backend: Backend,
    /// How a gradient changes the weights.
    pub optimizer: O,
    /// What is made small.
    pub loss: Loss,
    /// Draws the dropout masks.
    pub seed: u64,
}

/// The memory that training works in, all of it the caller's.
#[derive(Debug)]
pub struct Buffers<'a> {
    /// The weights, as many as the network has parameters.
    pub weights: &'a mut [f32],
    /// The optimizer's state: [`Optimizer::SLOTS`] values for each weight, zeros to begin with.
    pub slots: &'a mut [f32],
    /// Activations, gradients and scratch: [`GradientPlan::memory_len`] values for the largest batch.
    pub memory: &'a mut [f32],
}

/// A network in training.
///
/// `U` are the kinds of layers that the network has: code for others is not linked.
///
/// ```
/// use thumbnet::Network;
/// use thumbnet::arch::Backend;
/// use thumbnet::train::{Adam, Buffers, Initializer, Loss, Optimizer, Settings, Trainer, initialize};
///
/// thumbnet::sequential! {
///     /// `x` to `sin x`.
///     pub struct Sine: [1] {
///         hidden: Dense { units: 16, activation: Tanh },
///         out: Dense { units: 1 },
///     }
/// }
///
/// let mut weights = [0.0; Sine::PARAMETERS];
/// initialize(&Sine::GRAPH, Initializer::default(), &mut weights, 1);
/// // A device without a heap takes arrays for these too.
/// let mut slots = vec![0.0; Adam::SLOTS * Sine::PARAMETERS];
/// let mut memory = vec![0.0; Sine::training_len(32)];
/// let optimizer = Adam::new(0.01, 0.9, 0.999, 1e-7);
/// let settings = Settings { backend: Backend::detect(), optimizer, loss: Loss::MeanSquaredError, seed: 1 };
/// let buffers = Buffers { weights: &mut weights, slots: &mut slots, memory: &mut memory };
/// let mut trainer = Trainer::of::<Sine>(settings, buffers)?;
///
/// let x: [f32; 32] = core::array::from_fn(|i| i as f32 / 5.0 - 3.1);
/// let targets = x.map(f32::sin);
/// let first = trainer.step(&x, &targets)?.loss;
/// for _ in 0..200 {
///     trainer.step(&x, &targets)?;
/// }
/// assert!(trainer.step(&x, &targets)?.loss < first / 5.0);
/// # Ok::<(), thumbnet::train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct Trainer<'a, O, U = AllOps> {
    graph: Graph<'a>,
    plan: GradientPlan<'a>,
    settings: Settings<O>,
    buffers: Buffers<'a>,
    steps: u64,
    uses: PhantomData<U>,
}

impl<'a, O: Optimizer, U: Uses> Trainer<'a, O, U> {
    /// [`Trainer::new`] for any kinds of layers.
    pub(crate) fn begin(
        graph: Graph<'a>,
        plan: GradientPlan<'a>,
        settings: Settings<O>,
        buffers: Buffers<'a>,
    ) -> Result<Self, TrainError> {
        settings.optimizer.check()?;
        let parameters = graph.parameters();
        if parameters == 0 {
            return Err(TrainError::NothingToTrain);
        }
        settings.loss.check(&graph)?;
        LengthError::expect("weights", buffers.weights.len(), parameters)?;
        LengthError::expect("slots", buffers.slots.len(), O::SLOTS * parameters)?;
        Ok(Self { graph, plan, settings, buffers, steps: 0, uses: PhantomData })
    }

    /// The weights as they are now.
    pub fn weights(&self) -> &[f32] {
        self.buffers.weights
    }

    /// The weights, which may be changed between two steps.
    pub fn weights_mut(&mut self) -> &mut [f32] {
        self.buffers.weights
    }

    /// The weights and the optimizer's state: with the number of steps, all that a later training needs to go on as if
    /// this one had not ended ([`skip_steps`](Self::skip_steps)).
    pub fn state(&self) -> (&[f32], &[f32]) {
        (self.buffers.weights, self.buffers.slots)
    }

    /// Counts so many steps as done, whose weights and optimizer's state the buffers hold.
    pub fn skip_steps(&mut self, steps: u64) {
        self.steps += steps;
        (0..steps).for_each(|_| self.settings.optimizer.next_step());
    }

    /// Sets the factor on each update from the next step on, as a schedule has it. 0 is allowed: a warm-up begins
    /// there.
    ///
    /// # Errors
    ///
    /// [`SettingError`] of a rate that is below 0 or not finite. The last one is kept then.
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<(), SettingError> {
        if !(0.0..=f32::MAX).contains(&learning_rate) {
            let allowed = "finite and at least 0";
            return Err(SettingError { setting: "learning_rate", value: learning_rate, allowed });
        }
        *self.settings.optimizer.learning_rate() = learning_rate;
        Ok(())
    }

    /// Trains on one batch: `x` holds the samples, `targets` the wanted outputs (one-hot for classes). The metrics are
    /// those before the update, as Keras's progress bar shows them.
    ///
    /// # Errors
    ///
    /// An empty batch, lengths that do not match, or too little memory for the batch. Nothing was changed then.
    pub fn step(&mut self, x: &[f32], targets: &[f32]) -> Result<Metrics, TrainError> {
        let Self { graph, plan, settings: Settings { backend, optimizer, loss, seed }, buffers, .. } = self;
        let (input, classes) = (graph.input().len(), graph.output().len());
        let batch = x.len() / input;
        if batch == 0 {
            return Err(TrainError::EmptyBatch);
        }
        LengthError::expect("x", x.len(), batch * input)?;
        LengthError::expect("targets", targets.len(), batch * classes)?;
        LengthError::expect_at_least("memory", buffers.memory.len(), plan.memory_len(graph, batch))?;

        let seed = split_mix(*seed, self.steps);
        optimizer.next_step();
        let (stored, rest) = buffers.memory.split_at_mut(batch * plan::stored_len(graph));
        let (gradients, rest) = rest.split_at_mut(batch * plan.values);
        let (statistics, scratch) = rest.split_at_mut(plan::statistics_len(graph));
        // Forward, and twice backward.
        let metrics = parallel::inside((3 * batch).saturating_mul(graph.macs()), || {
            let pass = Pass { graph, plan, backend: *backend, batch, seed, x };
            let outputs = pass.forward::<U>(buffers.weights, stored, statistics, scratch);
            let metrics = Metrics {
                loss: loss.sum(classes, outputs, targets),
                correct: count_correct(graph.output_activation(), classes, outputs, targets),
                samples: batch,
            };
            let parameters = graph.parameters();
            let (first, second) = buffers.slots.split_at_mut(parameters.min(buffers.slots.len()));
            let parameters = Trainable { weights: buffers.weights, state: [first, second] };
            let kept: [&[f32]; 2] = [stored, statistics];
            pass.backward::<U, O>(*loss, targets, optimizer, parameters, kept, [gradients, scratch]);
            metrics
        });
        self.steps += 1;
        Ok(metrics)
    }
}

impl<'a, O: Optimizer> Trainer<'a, O> {
    /// Begins to train a network that is known only when the program runs. `plan` is that of this graph.
    ///
    /// # Errors
    ///
    /// A setting out of range, a loss that does not follow the network, or a buffer of another length.
    pub fn new(
        graph: Graph<'a>,
        plan: GradientPlan<'a>,
        settings: Settings<O>,
        buffers: Buffers<'a>,
    ) -> Result<Self, TrainError> {
        Self::begin(graph, plan, settings, buffers)
    }
}
