//! A training as it stands between two steps.

use std::any;

use serde::{Deserialize, Serialize};
use thumbnet::graph::Graph;

use super::{About, Callback, Epoch, FitError, Running};
use crate::{
    data::{Samples, Target},
    envelope::{self, EnvelopeError, Kind},
};

const KIND: Kind = Kind { magic: *b"thumbtrn", version: 1, name: "training" };

/// Numbers of the options and the data, which must be the same when a training goes on; one for each of [`PARTS`].
pub(super) type Fingerprint = [u64; PARTS.len()];

/// What may be another.
const PARTS: [&str; 6] = ["network", "set of training data", "optimizer", "number of epochs", "batch size", "seed"];

/// How far a training is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The epoch that is under way, from 1.
    pub epoch: usize,
    /// Steps of it that are done.
    pub step: usize,
    /// What the epochs before reached.
    pub history: Vec<Epoch>,
    /// Whether a callback ended the training.
    pub stopped: bool,
    /// The sums over the epoch's steps.
    pub(super) running: Running,
    /// The time that they took.
    pub(super) seconds: f64,
    /// The factor on each update, before the schedule's.
    pub(super) learning_rate: f32,
}

impl Progress {
    /// Before the first step.
    pub(super) fn new(learning_rate: f32) -> Self {
        let (running, history) = (Running::default(), Vec::new());
        Self { epoch: 1, step: 0, history, stopped: false, running, seconds: 0.0, learning_rate }
    }

    /// One epoch is done.
    pub(super) fn next_epoch(&mut self, record: Epoch) {
        self.history.push(record);
        (self.epoch, self.step, self.running, self.seconds) = (self.epoch + 1, 0, Running::default(), 0.0);
    }
}

/// All that is needed to go on with a training as if it had not been interrupted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot<'a> {
    /// How far it is.
    pub progress: Progress,
    /// The callbacks' states.
    pub(super) callbacks: Vec<Vec<u8>>,
    pub(super) fingerprint: Fingerprint,
    pub(super) weights: &'a [u8],
    pub(super) slots: &'a [u8],
}

impl<'a> Snapshot<'a> {
    /// The snapshot in the bytes of a file.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`], where it is not whole and unchanged.
    pub fn read(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        envelope::open(KIND, bytes)
    }

    /// The bytes of its file.
    pub fn write(&self) -> Vec<u8> {
        envelope::seal(KIND, self)
    }

    /// Puts everything where it was, if it is of such a training.
    pub(super) fn restore(
        &self,
        fingerprint: Fingerprint,
        weights: &mut [f32],
        slots: &mut [f32],
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<(), FitError> {
        let numbers = PARTS.iter().zip(self.fingerprint.iter().zip(&fingerprint));
        let mut others: Vec<&str> = numbers.filter(|(_, (begun, now))| begun != now).map(|(part, _)| *part).collect();
        if self.callbacks.len() != callbacks.len() {
            others.push("list of callbacks");
        }
        let is_as_long = self.weights.len() == size_of_val(weights) && self.slots.len() == size_of_val(slots);
        if others.is_empty() && !is_as_long {
            others.push("number of weights");
        }
        if !others.is_empty() {
            return Err(FitError::Resume(others.join(", another ")));
        }
        for (callback, state) in callbacks.iter_mut().zip(&self.callbacks) {
            callback.set_state(state).map_err(FitError::Callback)?;
        }
        weights.copy_from_slice(&envelope::floats(self.weights));
        slots.copy_from_slice(&envelope::floats(self.slots));
        Ok(())
    }
}

/// Numbers that another network, another data set and another kind of optimizer hardly have.
pub(super) fn fingerprint<O>(graph: &Graph<'_>, about: &About, data: &[&dyn Samples]) -> [u64; 3] {
    let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
    let network = crc.checksum(&postcard::to_stdvec(graph.nodes).expect("growing memory takes any plain data"));
    let mut digest = crc.digest();
    // Which column is which, among others.
    digest.update(&postcard::to_stdvec(about).expect("growing memory takes any plain data"));
    let mut values = vec![0.0; graph.input().len()];
    for (data, sample) in data.iter().flat_map(|data| (0..data.len()).map(move |sample| (data, sample))) {
        match data.bytes(sample) {
            Some(bytes) => digest.update(bytes),
            None => {
                data.read(sample, &mut values);
                digest.update(bytemuck::cast_slice(&values));
            }
        }
        match data.target(sample) {
            Target::Class(class) => digest.update(&(class as u64).to_le_bytes()),
            Target::Values(values) => digest.update(bytemuck::cast_slice(values)),
        }
    }
    [network, digest.finalize(), crc.checksum(any::type_name::<O>().as_bytes())]
}
