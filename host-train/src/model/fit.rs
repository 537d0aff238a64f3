//! Training.

use std::time::Instant;

use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;
use thumbnet::{
    plan::GradientPlanBuf,
    train::{Buffers, Loss, Optimizer, Settings, Trainer},
};

use super::{Batch, Callback, Epoch, Evaluation, FitError, Model, Running, Schedule, check_fits, evaluate, try_zeroed};
use crate::data::Dataset;

/// A model with what it is to be trained with; Keras's `compile`.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled<'a, O> {
    model: Model<'a>,
    optimizer: O,
    loss: Loss,
}

/// How to fit; Keras's arguments of `fit`.
#[derive(Clone, Copy, Debug)]
pub struct FitOptions<'a> {
    /// Passes over the data; at least 1.
    pub epochs: usize,
    /// Samples in a step; at least 1, at most the data set's. The last step of an epoch takes what is left.
    pub batch_size: usize,
    /// What becomes of the optimizer's learning rate on the way.
    pub schedule: Schedule,
    /// What the weights are judged by after each epoch.
    pub validation: Option<&'a Dataset>,
    /// Draws the order of the samples and the dropout masks. The same seed and initial weights give the same weights,
    /// on any number of threads.
    pub seed: u64,
}

impl Default for FitOptions<'_> {
    /// The tutorial's 10 epochs at batch size 50 and one learning rate.
    fn default() -> Self {
        Self { epochs: 10, batch_size: 50, schedule: Schedule::Constant, validation: None, seed: 1 }
    }
}

impl<'a, O: Optimizer + Clone> Compiled<'a, O> {
    pub(super) fn new(model: Model<'a>, optimizer: O, loss: Loss) -> Self {
        Self { model, optimizer, loss }
    }

    /// The model with its weights as they are now.
    pub fn model(&self) -> &Model<'a> {
        &self.model
    }

    /// Loss and accuracy over a data set.
    ///
    /// # Errors
    ///
    /// As [`Model::evaluate`]'s.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation, FitError> {
        self.model.evaluate(data, self.loss)
    }

    /// Trains, and returns what each epoch reached. The optimizer and the schedule begin anew with each call.
    ///
    /// # Errors
    ///
    /// [`FitError`], for options out of range, a loss that is no number, or what a callback reports. The weights are
    /// then those of the last step.
    pub fn fit(
        &mut self,
        data: &Dataset,
        options: FitOptions<'_>,
        callback: &mut dyn Callback,
    ) -> Result<Vec<Epoch>, FitError> {
        let FitOptions { epochs, batch_size, schedule, validation, seed } = options;
        if epochs == 0 {
            return Err(FitError::Epochs);
        }
        if batch_size == 0 || batch_size > data.len() {
            return Err(FitError::BatchSize { batch_size, samples: data.len() });
        }
        schedule.check()?;
        let graph = self.model.graph;
        check_fits(&graph, data)?;
        validation.map_or(Ok(()), |validation| check_fits(&graph, validation))?;

        // Zeroed pages come from the system as they are touched: what a short last batch never needs is never there.
        let mut slots = try_zeroed(O::SLOTS * graph.parameters(), batch_size)?;
        let plan = GradientPlanBuf::new(&graph);
        let mut memory = try_zeroed(plan.plan().memory_len(&graph, batch_size), batch_size)?;
        let Model { weights, backend, .. } = &mut self.model;
        let mut optimizer = self.optimizer.clone();
        let learning_rate = *optimizer.learning_rate();
        let settings = Settings { backend: *backend, optimizer, loss: self.loss, seed };
        let buffers = Buffers { weights, slots: &mut slots, memory: &mut memory };
        let mut trainer = Trainer::new(graph, plan.plan(), settings, buffers).map_err(FitError::Train)?;

        let mut order: Vec<usize> = (0..data.len()).collect();
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut batch = Batch::new(&graph);
        // As long as it gets: the number of epochs is the caller's, and may be any.
        let mut history = Vec::new();
        let steps = data.len().div_ceil(batch_size);
        let all_steps = (epochs as u64).saturating_mul(steps as u64);
        let mut done = 0;
        for epoch in 1..=epochs {
            callback.epoch_begins(epoch, steps).map_err(FitError::Callback)?;
            order.shuffle(&mut random);
            let start = Instant::now();
            let mut running = Running::default();
            for (step, samples) in order.chunks(batch_size).enumerate() {
                let step = step + 1;
                let rate = schedule.learning_rate(learning_rate, done, all_steps);
                trainer.set_learning_rate(rate).map_err(|error| FitError::Train(error.into()))?;
                done += 1;
                batch.gather(data, samples.iter().copied());
                let metrics = trainer.step(&batch.x, &batch.targets).map_err(FitError::Train)?;
                if !metrics.loss.is_finite() {
                    return Err(FitError::Diverged { which: "loss", loss: metrics.loss.into(), epoch, step });
                }
                running.add(metrics);
                callback.step_ends(step, &running).map_err(FitError::Callback)?;
            }
            let seconds = start.elapsed().as_secs_f64();

            let mut record = Epoch::new(epoch, steps, seconds, running.evaluation());
            if let Some(validation) = validation {
                callback.validation_begins().map_err(FitError::Callback)?;
                let result = evaluate(&graph, *backend, trainer.weights(), validation, self.loss)?;
                if !result.loss.is_finite() {
                    return Err(FitError::Diverged { which: "val_loss", loss: result.loss, epoch, step: steps });
                }
                record.validate(result);
            }
            callback.epoch_ends(&record, trainer.weights()).map_err(FitError::Callback)?;
            history.push(record);
        }
        Ok(history)
    }
}
