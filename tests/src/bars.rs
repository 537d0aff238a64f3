//! A network that learns to tell a vertical bar from a horizontal one, in little memory. The build script trains it on
//! the host too: every core must get the same weights, bit for bit.

use thumbnet::arch::Backend;
use thumbnet::train::{Buffers, Initializer, Loss, Metrics, Settings, Sgd, Trainer, initialize};
use thumbnet::{Network, sequential};

sequential! {
    /// Vertical or horizontal.
    pub(crate) struct Bars: [4, 4, 1] {
        conv: Conv2D { filters: 3, kernel_size: 3, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2 },
        flatten: Flatten,
        hidden: Dense { units: 4, activation: Tanh },
        dropout: Dropout { rate: 0.1 },
        out: Dense { units: 2, activation: Softmax },
    }
}

/// Weights of the network.
pub(crate) const PARAMETERS: usize = Bars::PARAMETERS;

/// Values that training works in.
pub(crate) const MEMORY: usize = Bars::GRADIENTS.memory_len(&Bars::GRAPH, BATCH);

/// Four vertical bars and four horizontal ones.
const BATCH: usize = 8;

/// Fills `weights` with the initial values, trains them in `memory`, and returns the metrics of the last step.
pub(crate) fn train(weights: &mut [f32; PARAMETERS], memory: &mut [f32]) -> Metrics {
    let mut images = [0.0; BATCH * 16];
    let mut targets = [0.0; BATCH * 2];
    for sample in 0..BATCH {
        let (horizontal, place) = (sample / 4, sample % 4);
        targets[2 * sample + horizontal] = 1.0;
        for i in 0..4 {
            images[16 * sample + if horizontal == 1 { 4 * place + i } else { 4 * i + place }] = 1.0;
        }
    }

    initialize(&Bars::GRAPH, Initializer::default(), weights, 4);
    let optimizer = Sgd { learning_rate: 0.2, momentum: 0.8, nesterov: true };
    let mut slots = [0.0; PARAMETERS];
    let loss = Loss::CategoricalCrossentropy;
    let settings = Settings { backend: Backend::SCALAR, optimizer, loss, seed: 7 };
    let trainer = Trainer::of::<Bars>(settings, Buffers { weights, slots: &mut slots, memory });
    // Not `expect`: it would link the formatting of every error, for which the smallest board has no flash.
    let Ok(mut trainer) = trainer else { panic!("a setting or a length is wrong") };
    let mut metrics = Metrics::default();
    for _ in 0..60 {
        let Ok(step) = trainer.step(&images, &targets) else { panic!("a length is wrong") };
        metrics = step;
    }
    metrics
}
