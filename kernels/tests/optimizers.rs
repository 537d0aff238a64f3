//! Optimizers against Keras's formulas in f64, the losses' values, and what a trainer refuses.

use thumbnet::arch::{Backend, Trainable};
use thumbnet::graph::Activation;
use thumbnet::train::{Adadelta, Adam, Buffers, Loss, Optimizer, Settings, Sgd, TrainError, Trainer, count_correct};
use thumbnet::{LengthError, Network, sequential};

sequential! {
    struct Line: [1, 1, 2] {
        out: Dense { units: 2 },
    }
}

sequential! {
    struct PoolOnly: [2, 2, 1] {
        pool: MaxPooling2D,
    }
}

sequential! {
    struct Always: [2] {
        out: Dense { units: 1, activation: Softmax },
    }
}

const STEPS: usize = 5;

/// The weight 0.7 after each of a few steps with gradients that change sign and size.
fn run(mut optimizer: impl Optimizer) -> Vec<f32> {
    let (mut weights, mut first, mut second) = ([0.7f32; 19], [0.0; 19], [0.0; 19]);
    gradients()
        .map(|gradient| {
            optimizer.next_step();
            let parameters = Trainable { weights: &mut weights, state: [&mut first, &mut second] };
            optimizer.update(Backend::detect(), parameters, &[gradient as f32; 19]);
            assert!(weights.iter().all(|w| w.to_bits() == weights[0].to_bits()), "every weight moves alike");
            weights[0]
        })
        .collect()
}

fn gradients() -> impl Iterator<Item = f64> {
    [0.3, -1.5, 0.02, 4.0, -0.1].into_iter().take(STEPS)
}

fn assert_near(ours: &[f32], reference: impl Iterator<Item = f64>) {
    let reference: Vec<f64> = reference.collect();
    assert_eq!(ours.len(), reference.len());
    for (ours, reference) in ours.iter().zip(&reference) {
        // Five steps of at most a dozen roundings of 2^-24 each.
        assert!((f64::from(*ours) - reference).abs() < 4e-6 * reference.abs().max(1.0), "{ours} {reference}");
    }
}

#[test]
fn adadelta() {
    let (mut w, mut a, mut d) = (0.7, 0.0, 0.0);
    let reference = gradients().map(|g| {
        a = 0.95 * a + 0.05 * g * g;
        let delta = g * f64::sqrt(d + 1e-7) / f64::sqrt(a + 1e-7);
        d = 0.95 * d + 0.05 * delta * delta;
        w -= delta;
        w
    });
    assert_near(&run(Adadelta::default()), reference);
}

#[test]
fn sgd_plain_momentum_and_nesterov() {
    for (momentum, nesterov) in [(0.0, false), (0.9, false), (0.9, true)] {
        let (mut w, mut v) = (0.7, 0.0);
        let reference = gradients().map(|g| {
            v = momentum * v - 0.1 * g;
            w += if nesterov { momentum * v - 0.1 * g } else { v };
            w
        });
        assert_near(&run(Sgd { learning_rate: 0.1, momentum: momentum as f32, nesterov }), reference);
    }
}

#[test]
fn adam() {
    let (mut w, mut m, mut v, mut t) = (0.7, 0.0, 0.0, 0);
    let reference = gradients().map(|g| {
        t += 1;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        w -= 0.01 * f64::sqrt(1.0 - 0.999f64.powi(t)) / (1.0 - 0.9f64.powi(t)) * m / (f64::sqrt(v) + 1e-7);
        w
    });
    assert_near(&run(Adam::new(0.01, 0.9, 0.999, 1e-7)), reference);
}

/// `keras.losses.mean_absolute_error` and `binary_crossentropy` of Keras 3, whose formulas this is (without Keras; the
/// last sample's `1 - p` is 2^-23, as in `f32`):
///
/// ```python
/// import math
/// y, t = [[1.5, -2.0, 0.25], [0.0, 3.0, -1.0]], [[1.0, 1.0, 0.25], [-0.5, 3.5, 2.0]]
/// print(sum(sum(abs(y - t) for y, t in zip(*s)) / 3 for s in zip(y, t)))                             # 2.5
/// p, t = [[0.9, 0.2, 0.5], [0.01, 0.75, 1 - 2**-23]], [[1, 0, 0.25], [0, 1, 0]]
/// bce = lambda p, t: -(t * math.log(p) + (1 - t) * math.log(1 - p))
/// print(sum(sum(bce(p, t) for p, t in zip(*s)) / 3 for s in zip(p, t)))                              # 5.753923
/// ```
#[test]
fn losses_of_numbers_and_of_two_classes_have_keras_values() {
    let (outputs, targets) = ([1.5, -2.0, 0.25, 0.0, 3.0, -1.0], [1.0, 1.0, 0.25, -0.5, 3.5, 2.0]);
    assert_eq!(Loss::MeanAbsoluteError.sum(3, &outputs, &targets), 2.5);
    let (outputs, targets) = ([0.9, 0.2, 0.5, 0.01, 0.75, 1.0], [1.0, 0.0, 0.25, 0.0, 1.0, 0.0]);
    let sum = Loss::BinaryCrossentropy.sum(3, &outputs, &targets);
    assert!((sum - 5.753_923).abs() < 2e-5, "{sum}");
    for loss in [Loss::MeanAbsoluteError, Loss::BinaryCrossentropy] {
        assert!(loss.sum(1, &[f32::NAN, 0.5], &[0.0, 1.0]).is_nan(), "{loss}: a NaN must show");
    }
}

#[test]
fn losses_have_keras_values() {
    let (outputs, targets) = ([0.7, 0.2, 0.1, 0.0, 0.5, 0.5], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    // keras.losses.categorical_crossentropy: -ln 0.7, and -ln 1e-7 for the probability 0.
    let sum = Loss::CategoricalCrossentropy.sum(3, &outputs, &targets);
    assert!((sum - (0.356_674_94 + 16.118_095)).abs() < 1e-5, "{sum}");
    // keras.losses.mean_squared_error: (0.09 + 0.04 + 0.01) / 3 and (1 + 0.25 + 0.25) / 3.
    let sum = Loss::MeanSquaredError.sum(3, &outputs, &targets);
    assert!((sum - (0.14 + 1.5) / 3.0).abs() < 1e-6, "{sum}");
    assert!(Loss::CategoricalCrossentropy.sum(2, &[f32::NAN, 0.5], &[0.0, 1.0]).is_nan(), "a NaN must show");
}

/// Keras's `binary_accuracy` of one output, `categorical_accuracy` of several:
///
/// ```python
/// import numpy as np
/// from keras import metrics
/// y, t = np.array([[.7], [.5], [.2], [.9]]), np.array([[1.], [1.], [0.], [0.]])
/// print(float(metrics.binary_accuracy(t, y, 0.5).numpy().sum()))            # 2.0
/// y, t = np.array([[.7, .2, .1], [0., .5, .5]]), np.array([[1., 0., 0.], [1., 0., 0.]])
/// print(float(metrics.categorical_accuracy(t, y).numpy().sum()))            # 1.0
/// ```
#[test]
fn right_answers_are_those_of_classes() {
    use Activation::{Linear, Relu, Sigmoid, Softmax, Tanh};
    let (outputs, targets) = ([0.7, 0.5, 0.2, 0.9], [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(count_correct(Sigmoid, 1, &outputs, &targets), Some(2));
    assert_eq!(count_correct(Softmax, 1, &[1.0; 4], &targets), Some(2), "a softmax of one output is always 1");
    for activation in [Linear, Relu, Tanh] {
        assert_eq!(count_correct(activation, 1, &outputs, &targets), None, "{activation:?}: one number");
    }
    let (outputs, targets) = ([0.7, 0.2, 0.1, 0.0, 0.5, 0.5], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    for activation in [Softmax, Sigmoid, Linear] {
        assert_eq!(count_correct(activation, 3, &outputs, &targets), Some(1), "{activation:?}: one class of three");
    }
    let soft = [0.9, 0.05, 0.05, 0.9, 0.05, 0.05];
    assert_eq!(count_correct(Softmax, 3, &outputs, &soft), Some(1));
    for numbers in [soft, [1.0, 1.0, 0.0, 1.0, 0.0, 0.0], [0.0; 6]] {
        assert_eq!(count_correct(Linear, 3, &outputs, &numbers), None, "{numbers:?}: three numbers");
    }
}

#[test]
fn a_trainer_names_what_is_wrong() {
    let backend = Backend::SCALAR;
    let refusal = |optimizer, loss, slots: usize| {
        let (mut weights, mut slots) = ([0.5; Line::PARAMETERS], vec![0.0; slots]);
        let buffers = Buffers { weights: &mut weights, slots: &mut slots, memory: &mut [] };
        Trainer::of::<Line>(Settings { backend, optimizer, loss, seed: 1 }, buffers).unwrap_err()
    };
    let (good, mse) = (Adadelta::default(), Loss::MeanSquaredError);
    let error = refusal(Adadelta { learning_rate: f32::NAN, ..good }, mse, 12);
    assert_eq!(error.to_string(), "learning_rate is NaN, but must be finite and above 0");
    assert!(matches!(refusal(Adadelta { rho: 1.0, ..good }, mse, 12), TrainError::Setting(_)));
    let needs = |loss| refusal(good, loss, 12).to_string();
    assert_eq!(
        needs(Loss::CategoricalCrossentropy),
        "categorical cross-entropy needs a last layer with activation Softmax, but that of the network is Linear"
    );
    assert_eq!(
        needs(Loss::BinaryCrossentropy),
        "binary cross-entropy needs a last layer with activation Sigmoid, but that of the network is Linear"
    );
    // Whatever its weights are, it says 1.
    let (mut weights, mut slots) = ([0.5; Always::PARAMETERS], [0.0; 2 * Always::PARAMETERS]);
    for loss in [Loss::CategoricalCrossentropy, mse] {
        let buffers = Buffers { weights: &mut weights, slots: &mut slots, memory: &mut [] };
        let settings = Settings { backend, optimizer: good, loss, seed: 1 };
        assert_eq!(Trainer::of::<Always>(settings, buffers).unwrap_err(), TrainError::SoftmaxOfOne);
    }
    assert_eq!(refusal(good, mse, 11).to_string(), "slots has 11 values, but 12 are needed");

    let settings = Settings { backend, optimizer: good, loss: mse, seed: 1 };
    let nothing = Buffers { weights: &mut [], slots: &mut [], memory: &mut [] };
    let nothing = Trainer::of::<PoolOnly>(settings, nothing);
    assert_eq!(nothing.unwrap_err(), TrainError::NothingToTrain);

    let (mut weights, mut slots) = ([0.5; Line::PARAMETERS], [0.0; 2 * Line::PARAMETERS]);
    let mut small = vec![0.0; Line::training_len(1)];
    let buffers = Buffers { weights: &mut weights, slots: &mut slots, memory: &mut small };
    let mut trainer = Trainer::of::<Line>(settings, buffers).unwrap();
    assert_eq!(trainer.step(&[], &[]), Err(TrainError::EmptyBatch));
    assert!(matches!(trainer.step(&[0.0; 3], &[0.0; 2]), Err(TrainError::Length(LengthError { what: "x", .. }))));
    assert!(matches!(trainer.step(&[0.0; 2], &[0.0; 3]), Err(TrainError::Length(LengthError { what: "targets", .. }))));
    assert!(matches!(trainer.step(&[0.0; 4], &[0.0; 4]), Err(TrainError::Length(LengthError { what: "memory", .. }))));
    assert_eq!(trainer.weights(), [0.5; Line::PARAMETERS], "a refused step changes nothing");
    trainer.step(&[1.0; 2], &[0.0; 2]).unwrap();
    assert_ne!(trainer.weights(), [0.5; Line::PARAMETERS]);
}

/// Every optimizer's update is proportional to its learning rate, which may change between steps; a wrong one is
/// refused.
#[test]
fn the_learning_rate_changes_between_steps() {
    fn check(optimizer: impl Optimizer + Clone) {
        let moved = |rates: &[f32]| {
            let mut memory = vec![0.0; Line::training_len(1)];
            let (mut weights, mut slots) = ([0.5; Line::PARAMETERS], [0.0; 2 * Line::PARAMETERS]);
            let slots = &mut slots[..slots_of(&optimizer) * Line::PARAMETERS];
            let buffers = Buffers { weights: &mut weights, slots, memory: &mut memory };
            let (backend, loss, optimizer) = (Backend::SCALAR, Loss::MeanSquaredError, optimizer.clone());
            let mut trainer = Trainer::of::<Line>(Settings { backend, optimizer, loss, seed: 1 }, buffers).unwrap();
            for &rate in rates {
                trainer.set_learning_rate(rate).unwrap();
                for wrong in [-1.0, f32::NAN, f32::INFINITY] {
                    let error = trainer.set_learning_rate(wrong).unwrap_err().to_string();
                    assert_eq!(error, format!("learning_rate is {wrong}, but must be finite and at least 0"));
                }
                trainer.step(&[1.0; 2], &[0.0; 2]).unwrap();
            }
            0.5 - trainer.weights()[0]
        };
        assert_eq!(moved(&[0.0, 0.0]), 0.0);
        let (first, second) = (moved(&[0.25]), moved(&[0.0, 0.25]));
        assert!(first > 0.0 && second > 0.0);
        assert!((moved(&[0.125]) - first / 2.0).abs() < 1e-6);
        assert!((moved(&[0.0, 0.125]) - second / 2.0).abs() < 1e-6);
    }
    fn slots_of<O: Optimizer>(_: &O) -> usize {
        O::SLOTS
    }
    check(Sgd::default());
    check(Adam::default());
    check(Adadelta::default());
}
