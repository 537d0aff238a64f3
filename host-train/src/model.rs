//! A network with its weights: Keras's `Model`, with `fit`, `evaluate` and a step that Keras leaves to others, `quantize`.

use std::marker::PhantomData;
use std::time::Instant;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;
use thumbnet::Network;
use thumbnet::arch::Backend;
use thumbnet::quant::{Calibrator, QuantizeError, QuantizedNetwork, Range, quantize};
use thumbnet::sequential::{ForwardError, forward};
use thumbnet::train::{Loss, Optimizer, TrainError, Trainer, count_correct, initialize};

use crate::data::Dataset;

/// A network and its f32 weights.
#[derive(Clone, Debug)]
pub struct Model<N> {
    weights: Vec<f32>,
    backend: Backend,
    loss: Loss,
    network: PhantomData<N>,
}

/// How [`Model::fit`] trains; the defaults are those of the Keras tutorial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FitOptions {
    /// How often every image is seen.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// Draws the order of the images and the dropout masks.
    pub seed: u64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { epochs: 10, batch_size: 50, seed: 1 }
    }
}

/// Why training does not start or stops. The model's weights are those from before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// There is nothing to do.
    #[error("epochs is 0, but must be at least 1")]
    NoEpochs,
    /// The batch size does not fit the data.
    #[error("the batch size is {batch_size}, but must be in 1..={images}, the number of training images")]
    BatchSize {
        /// The batch size.
        batch_size: usize,
        /// How many images there are.
        images: usize,
    },
    /// Settings or buffers that the trainer refuses.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The loss is no number any more.
    #[error("the loss became {loss} in epoch {epoch}, step {step}; a lower learning rate may help")]
    NotFinite {
        /// The loss of the step.
        loss: f32,
        /// The epoch, from 1.
        epoch: usize,
        /// The step in the epoch, from 1.
        step: usize,
    },
}

/// Loss and accuracy over a data set.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f32,
    /// The share of images classified right, in 0..=1.
    pub accuracy: f32,
    /// How many were classified right.
    pub correct: usize,
    /// How many images there were.
    pub images: usize,
}

/// Where an epoch stands after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Running {
    /// Steps done.
    pub step: usize,
    /// Steps of the epoch.
    pub steps: usize,
    /// Images seen in this epoch.
    pub samples: usize,
    /// Mean loss so far.
    pub loss: f32,
    /// Share of images classified right so far.
    pub accuracy: f32,
    /// Seconds since the epoch began.
    pub seconds: f64,
}

/// How an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: usize,
    /// How many epochs there will be.
    pub epochs: usize,
    /// Mean loss over the training images, each seen before its step changed the weights.
    pub loss: f32,
    /// Accuracy over the training images, likewise.
    pub accuracy: f32,
    /// Loss over the validation images.
    pub val_loss: Option<f32>,
    /// Accuracy over the validation images.
    pub val_accuracy: Option<f32>,
    /// Seconds of training, without the validation.
    pub seconds: f64,
    /// Training images a second.
    pub images_per_second: f64,
}

/// Is told how training goes.
pub trait Callback {
    /// An epoch begins.
    fn epoch_begin(&mut self, epoch: usize, epochs: usize, steps: usize);
    /// A step was done.
    fn batch_end(&mut self, running: &Running);
    /// An epoch was done and validated.
    fn epoch_end(&mut self, report: &EpochReport);
}

/// Keeps silent.
impl Callback for () {
    fn epoch_begin(&mut self, _epoch: usize, _epochs: usize, _steps: usize) {}
    fn batch_end(&mut self, _running: &Running) {}
    fn epoch_end(&mut self, _report: &EpochReport) {}
}

/// Images that [`Model::evaluate`] and [`Model::quantize`] take at a time.
const BATCH: usize = 50;

impl<N: Network> Model<N> {
    /// A model with initial weights: Glorot-uniform kernels and zero biases, drawn with `seed`.
    pub fn new(seed: u64) -> Self {
        let mut weights = vec![0.0; N::PARAMETERS];
        initialize::<N>(&mut weights, seed);
        Self { weights, backend: Backend::detect(), loss: Loss::CategoricalCrossentropy, network: PhantomData }
    }

    /// A model with given weights; `None` where they are not `N::PARAMETERS` many.
    pub fn from_weights(weights: Vec<f32>) -> Option<Self> {
        let fits = weights.len() == N::PARAMETERS;
        fits.then(|| Self {
            weights,
            backend: Backend::detect(),
            loss: Loss::CategoricalCrossentropy,
            network: PhantomData,
        })
    }

    /// The same model with another loss than categorical cross-entropy.
    pub fn with_loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// The same model on another back end.
    pub fn with_backend(self, backend: Backend) -> Self {
        Self { backend, ..self }
    }

    /// The kernels that run.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The weights, layer after layer.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Trains on `train`, judging each epoch on `validation` where there is one.
    ///
    /// The same seed gives the same weights, whatever the number of threads. A last batch may be smaller than the others.
    ///
    /// # Errors
    ///
    /// [`FitError`]; the weights are then those from before the call.
    pub fn fit<O: Optimizer>(
        &mut self,
        optimizer: O,
        train: &Dataset,
        validation: Option<&Dataset>,
        options: FitOptions,
        callback: &mut dyn Callback,
    ) -> Result<(), FitError> {
        let FitOptions { epochs, batch_size, seed } = options;
        if epochs == 0 {
            return Err(FitError::NoEpochs);
        }
        if batch_size == 0 || batch_size > train.len() {
            return Err(FitError::BatchSize { batch_size, images: train.len() });
        }
        let mut trained = self.clone();
        let mut slots = vec![0.0; Trainer::<N, O>::SLOTS_LEN];
        let mut memory = vec![0.0; N::training_len(batch_size)];
        let mut trainer = Trainer::<N, O>::new(
            self.backend,
            optimizer,
            self.loss,
            seed,
            &mut trained.weights,
            &mut slots,
            &mut memory,
        )?;
        let mut batch = Batch::default();
        let mut validation_memory = vec![0.0; validation.map_or(0, |data| N::inference_len(BATCH.min(data.len())))];
        let mut order: Vec<usize> = (0..train.len()).collect();
        let mut random = Pcg64::seed_from_u64(seed);
        for epoch in 1..=epochs {
            order.shuffle(&mut random);
            let steps = order.len().div_ceil(batch_size);
            callback.epoch_begin(epoch, epochs, steps);
            let start = Instant::now();
            let (mut loss, mut correct, mut samples) = (0.0, 0, 0);
            for (step, indices) in order.chunks(batch_size).enumerate() {
                batch.load(train, indices.iter().copied(), N::OUTPUT.len());
                let metrics = trainer.step(&batch.x, &batch.targets)?;
                if !metrics.loss.is_finite() {
                    let loss = metrics.loss / metrics.samples as f32;
                    return Err(FitError::NotFinite { loss, epoch, step: step + 1 });
                }
                loss += f64::from(metrics.loss);
                correct += metrics.correct;
                samples += metrics.samples;
                callback.batch_end(&Running {
                    step: step + 1,
                    steps,
                    samples,
                    loss: (loss / samples as f64) as f32,
                    accuracy: correct as f32 / samples as f32,
                    seconds: start.elapsed().as_secs_f64(),
                });
            }
            let seconds = start.elapsed().as_secs_f64();
            let validated = validation.map(|data| {
                evaluate::<N>(self.backend, self.loss, trainer.weights(), data, &mut batch, &mut validation_memory)
            });
            callback.epoch_end(&EpochReport {
                epoch,
                epochs,
                loss: (loss / samples as f64) as f32,
                accuracy: correct as f32 / samples as f32,
                val_loss: validated.map(|v| v.loss),
                val_accuracy: validated.map(|v| v.accuracy),
                seconds,
                images_per_second: samples as f64 / seconds,
            });
        }
        self.weights = trained.weights;
        Ok(())
    }

    /// Loss and accuracy over a data set.
    pub fn evaluate(&self, data: &Dataset) -> Evaluation {
        let mut memory = vec![0.0; N::inference_len(BATCH.min(data.len()))];
        evaluate::<N>(self.backend, self.loss, &self.weights, data, &mut Batch::default(), &mut memory)
    }

    /// The outputs for one image of 8-bit pixels.
    ///
    /// # Errors
    ///
    /// [`ForwardError`] when the image does not have the network's size.
    pub fn predict(&self, pixels: &[u8]) -> Result<Vec<f32>, ForwardError> {
        let x: Vec<f32> = pixels.iter().copied().map(unit).collect();
        let mut memory = vec![0.0; N::inference_len(1)];
        forward::<N>(self.backend, &self.weights, &x, &mut memory).map(<[f32]>::to_vec)
    }

    /// Quantises to int8, the ranges of the activations taken from the first `images` of `calibration`.
    ///
    /// # Errors
    ///
    /// [`QuantizeError`] names the layer that cannot be quantised.
    pub fn quantize(
        &self,
        calibration: &Dataset,
        images: usize,
        range: Range,
    ) -> Result<QuantizedNetwork, QuantizeError> {
        let mut calibrator = Calibrator::<N>::new(range);
        let mut memory = vec![0.0; N::inference_len(BATCH)];
        let mut batch = Batch::default();
        let indices: Vec<usize> = (0..images.min(calibration.len())).collect();
        for indices in indices.chunks(BATCH) {
            batch.load(calibration, indices.iter().copied(), N::OUTPUT.len());
            let observed = calibrator.observe(self.backend, &self.weights, &batch.x, &mut memory);
            observed.expect("weights, images and memory have the network's sizes");
        }
        quantize::<N>(&self.weights, &calibrator.finish())
    }
}

/// A pixel as the networks see it: 0 to 1.
fn unit(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}

/// A batch in f32.
#[derive(Default)]
struct Batch {
    x: Vec<f32>,
    /// One-hot.
    targets: Vec<f32>,
}

impl Batch {
    fn load(&mut self, data: &Dataset, indices: impl Iterator<Item = usize>, classes: usize) {
        self.x.clear();
        self.targets.clear();
        for index in indices {
            self.x.extend(data.image(index).iter().copied().map(unit));
            let label = usize::from(data.label(index));
            self.targets.extend((0..classes).map(|class| f32::from(u8::from(class == label))));
        }
    }
}

fn evaluate<N: Network>(
    backend: Backend,
    loss: Loss,
    weights: &[f32],
    data: &Dataset,
    batch: &mut Batch,
    memory: &mut [f32],
) -> Evaluation {
    let classes = N::OUTPUT.len();
    let (mut sum, mut correct) = (0.0, 0);
    let indices: Vec<usize> = (0..data.len()).collect();
    for indices in indices.chunks(BATCH) {
        batch.load(data, indices.iter().copied(), classes);
        let outputs = forward::<N>(backend, weights, &batch.x, memory);
        let outputs = outputs.expect("weights, images and memory have the network's sizes");
        sum += f64::from(loss.sum(classes, outputs, &batch.targets));
        correct += count_correct(classes, outputs, &batch.targets);
    }
    let images = data.len();
    Evaluation { loss: (sum / images as f64) as f32, accuracy: correct as f32 / images as f32, correct, images }
}
