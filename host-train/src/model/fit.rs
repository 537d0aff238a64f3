//! Training.

use std::time::{Duration, Instant};

use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;
use thumbnet::{
    plan::GradientPlanBuf,
    train::{Buffers, Loss, Optimizer, Settings, Trainer},
};

use super::{
    Batch, Callback, CallbackResult, Epoch, Evaluation, FitError, Model, Progress, Schedule, Snapshot, Training,
    check_fits, evaluate,
    snapshot::{Fingerprint, fingerprint},
    too_large, try_zeroed,
};
use crate::{data::Samples, envelope};

/// A model with what it is to be trained with; Keras's `compile`.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled<'a, O> {
    model: Model<'a>,
    optimizer: O,
    loss: Loss,
}

/// How to fit; Keras's arguments of `fit`.
pub struct FitOptions<'a> {
    /// Passes over the data; at least 1.
    pub epochs: usize,
    /// Samples in a step; at least 1, at most the data set's. The last step of an epoch takes what is left.
    pub batch_size: usize,
    /// What becomes of the optimizer's learning rate on the way.
    pub schedule: Schedule,
    /// What the weights are judged by after each epoch.
    pub validation: Option<&'a dyn Samples>,
    /// Draws the order of the samples and the dropout masks. The same seed and initial weights give the same weights,
    /// on any number of threads.
    pub seed: u64,
    /// Where to keep what is needed to go on after an interruption.
    pub save: Option<Save<'a>>,
    /// Goes on from there, to the same weights, to the bit, that a training without interruption gives. Model, data,
    /// options and callbacks must be those of the training that was interrupted.
    pub resume: Option<&'a Snapshot<'a>>,
}

/// Keeps snapshots of a training.
pub struct Save<'a> {
    /// Besides one after each epoch, one after this time.
    pub every: Duration,
    /// Writes one.
    pub write: &'a mut dyn FnMut(&Snapshot<'_>) -> CallbackResult,
}

impl Default for FitOptions<'_> {
    /// The tutorial's 10 epochs at batch size 50 and one learning rate.
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 50,
            schedule: Schedule::Constant,
            validation: None,
            seed: 1,
            save: None,
            resume: None,
        }
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
    pub fn evaluate(&self, data: &dyn Samples) -> Result<Evaluation, FitError> {
        self.model.evaluate(data, self.loss)
    }

    /// Trains, and returns what each epoch reached. The optimizer and the schedule begin anew with each call, unless
    /// it resumes one.
    ///
    /// # Errors
    ///
    /// [`FitError`], for options out of range, a loss that is no number, or what a callback reports. The weights are
    /// then those of the last step.
    pub fn fit(
        &mut self,
        data: &dyn Samples,
        options: FitOptions<'_>,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Vec<Epoch>, FitError> {
        let FitOptions { epochs, batch_size, schedule, validation, seed, mut save, resume } = options;
        if epochs == 0 {
            return Err(FitError::Epochs);
        }
        if batch_size == 0 || batch_size > data.len() {
            return Err(FitError::BatchSize { batch_size, samples: data.len() });
        }
        schedule.check()?;
        let graph = self.model.graph;
        self.loss.check(&graph).map_err(FitError::Train)?;
        check_fits(&graph, data)?;
        validation.map_or(Ok(()), |validation| check_fits(&graph, validation))?;
        self.model.about = Some(self.model.about_of(data)?);

        // Zeroed pages come from the system as they are touched: what a short last batch never needs is never there.
        let mut slots = try_zeroed(O::SLOTS * graph.parameters(), batch_size)?;
        let plan = GradientPlanBuf::new(&graph);
        let mut memory = try_zeroed(plan.plan().memory_len(&graph, batch_size), batch_size)?;
        let Model { weights, backend, about, .. } = &mut self.model;
        let about = about.as_ref().ok_or(FitError::NotAdapted)?;
        let mut optimizer = self.optimizer.clone();
        // What a training is resumed with must be what it began with.
        let [network, samples, optimizer_kind] = match (&save, resume) {
            (None, None) => [0; 3],
            _ => fingerprint::<O>(&graph, about, &[Some(data), validation].into_iter().flatten().collect::<Vec<_>>()),
        };
        let fingerprint = [network, samples, optimizer_kind, epochs as u64, batch_size as u64, seed];
        let mut progress = Progress::new(*optimizer.learning_rate());
        if let Some(snapshot) = resume {
            snapshot.restore(fingerprint, weights, &mut slots, callbacks)?;
            progress = snapshot.progress.clone();
        }

        let steps = data.len().div_ceil(batch_size);
        let all_steps = (epochs as u64).saturating_mul(steps as u64);
        let mut done = (progress.epoch as u64 - 1) * steps as u64 + progress.step as u64;
        let settings = Settings { backend: *backend, optimizer, loss: self.loss, seed };
        let buffers = Buffers { weights, slots: &mut slots, memory: &mut memory };
        let mut trainer = Trainer::new(graph, plan.plan(), settings, buffers).map_err(FitError::Train)?;
        trainer.skip_steps(done);

        let mut order: Vec<usize> = (0..data.len()).collect();
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        (1..progress.epoch).for_each(|_| order.shuffle(&mut random));
        let mut batch = Batch::new(&graph, about);
        let mut kept = Instant::now();
        while progress.epoch <= epochs && !progress.stopped {
            let epoch = progress.epoch;
            each(callbacks, |callback| callback.epoch_begins(epoch, steps))?;
            order.shuffle(&mut random);
            let (start, before) = (Instant::now(), progress.seconds);
            for samples in order.chunks(batch_size).skip(progress.step) {
                let rate = schedule.learning_rate(progress.learning_rate, done, all_steps);
                trainer.set_learning_rate(rate).map_err(|error| FitError::Train(error.into()))?;
                done += 1;
                progress.step += 1;
                batch.gather(data, samples.iter().copied());
                let metrics = trainer.step(&batch.x, &batch.targets).map_err(FitError::Train)?;
                if !metrics.loss.is_finite() {
                    let (loss, step) = (metrics.loss.into(), progress.step);
                    let diverged = FitError::Diverged { which: "loss", loss, epoch, step };
                    return Err(too_large(about, data).unwrap_or(diverged));
                }
                progress.running.add(metrics);
                progress.seconds = before + start.elapsed().as_secs_f64();
                each(callbacks, |callback| callback.step_ends(progress.step, &progress.running))?;
                if let Some(save) = save.as_mut().filter(|save| kept.elapsed() >= save.every) {
                    save.keep(&progress, callbacks, fingerprint, trainer.state())?;
                    kept = Instant::now();
                }
            }

            let mut record = Epoch::new(epoch, steps, progress.seconds, progress.running.evaluation());
            if let Some(validation) = validation {
                each(callbacks, |callback| callback.validation_begins())?;
                let result = evaluate(&graph, about, *backend, trainer.weights(), validation, self.loss)?;
                if !result.loss.is_finite() {
                    let diverged = FitError::Diverged { which: "val_loss", loss: result.loss, epoch, step: steps };
                    return Err(too_large(about, validation).unwrap_or(diverged));
                }
                record.validate(result);
            }
            let Progress { learning_rate, stopped: stop, .. } = &mut progress;
            let mut training = Training { weights: trainer.weights_mut(), learning_rate, stop };
            each(callbacks, |callback| callback.epoch_ends(&record, &mut training))?;
            progress.next_epoch(record);
            if let Some(save) = &mut save {
                save.keep(&progress, callbacks, fingerprint, trainer.state())?;
                kept = Instant::now();
            }
        }
        each(callbacks, |callback| callback.training_ends(trainer.weights_mut()))?;
        Ok(progress.history)
    }
}

impl Save<'_> {
    /// Writes a snapshot of a training with these weights and optimizer's values.
    fn keep(
        &mut self,
        progress: &Progress,
        callbacks: &[&mut dyn Callback],
        fingerprint: Fingerprint,
        (weights, slots): (&[f32], &[f32]),
    ) -> Result<(), FitError> {
        let (weights, slots) = (envelope::bytes_of(weights), envelope::bytes_of(slots));
        let callbacks = callbacks.iter().map(|callback| callback.state()).collect();
        let progress = progress.clone();
        (self.write)(&Snapshot { progress, callbacks, fingerprint, weights: &weights, slots: &slots })
            .map_err(FitError::Callback)
    }
}

fn each(
    callbacks: &mut [&mut dyn Callback],
    mut call: impl FnMut(&mut dyn Callback) -> CallbackResult,
) -> Result<(), FitError> {
    callbacks.iter_mut().try_for_each(|callback| call(&mut **callback)).map_err(FitError::Callback)
}
