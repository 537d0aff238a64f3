//! Training: loss, optimizers, initial values, and the step that ties them together. All of it runs without a heap.

mod backward;
mod initializer;
mod loss;
mod optimizer;
mod pass;
mod trainer;

pub use crate::arch::Trainable;
pub use initializer::{Initializer, initialize};
pub use loss::{Loss, argmax, count_correct};
pub use optimizer::{Adadelta, Adam, Optimizer, SettingError, Sgd};
pub use trainer::{Buffers, Metrics, Settings, TrainError, Trainer};

pub(crate) use backward::{Gradient, backward, before_activation};

impl<'a> Trainable<'a> {
    /// What lies before and from the weight `mid` on; `mid` is at most the number of weights.
    pub(crate) fn split_at(self, mid: usize) -> (Self, Self) {
        crate::arch::parallel::Split::cut(self, mid)
    }
}
