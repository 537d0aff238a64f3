use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use thumbnet::{
    Network,
    geometry::Shape,
    train::{Adadelta, Adam, SettingError, Sgd, Trainable},
};

use super::*;
use crate::data::Dataset;

thumbnet::sequential! {
    struct Net: [4, 4, 1] {
        conv: Conv2D { filters: 2, kernel_size: 3, activation: Relu },
        flatten: Flatten,
        hidden: Dense { units: 8, activation: Relu },
        dropout: Dropout { rate: 0.25 },
        scores: Dense { units: 3, activation: Softmax },
    }
}

/// Images of a bright stripe in one of three places; the place is the label. Another `noise` gives other images.
fn stripes(count: usize, noise: usize) -> Dataset {
    let labels: Vec<u8> = (0..count).map(|i| (i % 3) as u8).collect();
    let pixel = |i: usize, at: usize| {
        let grain = ((i + noise) * 31 + at * 17) % 40;
        (if at / 4 == i % 3 { 200 + grain } else { grain }) as u8
    };
    let images = (0..count).flat_map(|i| (0..16).map(move |at| pixel(i, at))).collect();
    Dataset::new(Shape::new(4, 4, 1), images, labels)
}

fn options<'a>(epochs: usize, batch_size: usize) -> FitOptions<'a> {
    FitOptions { epochs, batch_size, seed: 7, ..FitOptions::default() }
}

fn fitted(seed: u64, threads: usize) -> Vec<f32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut model = Model::new(Net::GRAPH, 3).compile(Adadelta::default(), Loss::CategoricalCrossentropy);
        model.fit(&stripes(100, 0), FitOptions { seed, ..options(3, 8) }, &mut []).unwrap();
        model.model().weights().to_vec()
    })
}

#[test]
fn learns() {
    let (train, test) = (stripes(300, 0), stripes(90, 13));
    let mut model = Model::new(Net::GRAPH, 3).compile(Adam::default(), Loss::CategoricalCrossentropy);
    let before = model.evaluate(&test).unwrap();
    let options = FitOptions { validation: Some(&test), ..options(20, 10) };
    let history = model.fit(&train, options, &mut []).unwrap();
    let after = model.evaluate(&test).unwrap();
    assert!(before.accuracy < Some(0.9) && after.accuracy > Some(0.98), "{before} {after}");
    let last = history.last().unwrap();
    assert_eq!((last.epoch, last.steps), (20, 30));
    assert_eq!((last.val_loss, last.val_accuracy), (Some(after.loss), after.accuracy));

    let outputs = model.model().predict(test.image(1)).unwrap();
    assert_eq!(thumbnet::train::argmax(&outputs), 1);
}

#[test]
fn the_seed_decides_and_the_threads_do_not() {
    let weights = fitted(1, 1);
    assert_eq!(weights, fitted(1, 1));
    assert_eq!(weights, fitted(1, 3));
    assert_ne!(weights, fitted(2, 1));
}

/// Every sample is used once an epoch, the last batch is shorter, and the order changes from epoch to epoch.
#[test]
fn callbacks_see_every_step() {
    #[derive(Default)]
    struct Log(Vec<String>);
    impl Callback for Log {
        fn epoch_begins(&mut self, epoch: usize, steps: usize) -> CallbackResult {
            self.0.push(format!("begin {epoch} {steps}"));
            Ok(())
        }
        fn step_ends(&mut self, step: usize, running: &Running) -> CallbackResult {
            self.0.push(format!("step {step} {}", running.evaluation().samples));
            Ok(())
        }
        fn validation_begins(&mut self) -> CallbackResult {
            self.0.push("validation".into());
            Ok(())
        }
        fn epoch_ends(&mut self, epoch: &Epoch, training: &mut Training<'_>) -> CallbackResult {
            self.0.push(format!("end {} {}", epoch.epoch, training.weights.len()));
            if epoch.epoch == 2 { Err("enough".into()) } else { Ok(()) }
        }
    }
    let data = stripes(10, 0);
    let mut log = Log::default();
    let mut model = Model::new(Net::GRAPH, 3).compile(Sgd::default(), Loss::CategoricalCrossentropy);
    let options = FitOptions { validation: Some(&data), ..options(5, 4) };
    let error = model.fit(&data, options, &mut [&mut log]).unwrap_err();
    assert_eq!(error.to_string(), "enough");
    let end = format!("end 1 {}", Net::PARAMETERS);
    let first = ["begin 1 3", "step 1 4", "step 2 8", "step 3 10", "validation", end.as_str(), "begin 2 3"];
    assert_eq!(log.0[..7], first);
    assert_eq!(log.0.len(), 12, "the error ended the training");
}

/// SGD that notes the learning rate of each step.
#[derive(Clone)]
struct Noted(Sgd, Arc<Mutex<Vec<f32>>>);

impl Optimizer for Noted {
    const SLOTS: usize = Sgd::SLOTS;

    fn learning_rate(&mut self) -> &mut f32 {
        self.0.learning_rate()
    }

    fn next_step(&mut self) {
        self.1.lock().unwrap().push(self.0.learning_rate);
    }

    fn update(&self, backend: Backend, parameters: Trainable<'_>, gradient: &[f32]) {
        self.0.update(backend, parameters, gradient);
    }

    fn check(&self) -> Result<(), SettingError> {
        self.0.check()
    }
}

/// One schedule goes over the steps of all epochs, and a second `fit` begins it anew.
#[test]
fn the_schedule_goes_over_all_steps() {
    let (rates, data) = (Arc::default(), stripes(10, 0));
    let optimizer = Noted(Sgd { learning_rate: 0.5, ..Sgd::default() }, Arc::clone(&rates));
    let mut model = Model::new(Net::GRAPH, 3).compile(optimizer, Loss::CategoricalCrossentropy);
    let schedule = Schedule::Cosine { warmup: 0.4 };
    let cosine: Vec<f32> = (0..6).map(|step| schedule.learning_rate(0.5, step, 6)).collect();
    for _ in 0..2 {
        model.fit(&data, FitOptions { schedule, ..options(2, 4) }, &mut []).unwrap();
        assert_eq!(*rates.lock().unwrap(), cosine);
        rates.lock().unwrap().clear();
    }
    model.fit(&data, options(2, 4), &mut []).unwrap();
    assert_eq!(*rates.lock().unwrap(), [0.5; 6]);
}

#[test]
fn options_out_of_range_are_refused() {
    let data = stripes(10, 0);
    let error = |optimizer: Sgd, options| {
        let mut model = Model::new(Net::GRAPH, 3).compile(optimizer, Loss::CategoricalCrossentropy);
        model.fit(&data, options, &mut []).unwrap_err().to_string()
    };
    let rate = |learning_rate| Sgd { learning_rate, ..Sgd::default() };
    assert_eq!(error(rate(0.1), options(0, 5)), "epochs is 0, but must be at least 1");
    assert!(error(rate(0.1), options(1, 0)).starts_with("batch size is 0, but must be in 1..=10"));
    assert!(error(rate(0.1), options(1, 11)).starts_with("batch size is 11, but must be in 1..=10"));
    assert_eq!(error(rate(0.0), options(1, 5)), "learning_rate is 0, but must be finite and above 0");
    assert!(error(rate(f32::NAN), options(1, 5)).starts_with("learning_rate is NaN"));
    assert!(error(rate(-1.0), options(1, 5)).starts_with("learning_rate is -1"));
    for (warmup, told) in [(1.0, "1"), (-0.1, "-0.1"), (f32::NAN, "NaN")] {
        let text = error(rate(0.1), FitOptions { schedule: Schedule::Cosine { warmup }, ..options(1, 5) });
        assert_eq!(text, format!("warm-up is {told} of the steps, but must be at least 0 and below 1"));
    }
    let text = error(rate(1e30), options(9, 5));
    assert!(text.contains("training diverged; try a smaller learning rate"), "{text}");
}

#[test]
fn data_of_other_shapes_is_refused() {
    let model = Model::new(Net::GRAPH, 1);
    let other = Dataset::new(Shape::new(2, 8, 1), vec![0; 16], vec![0]);
    let error = model.evaluate(&other, Loss::CategoricalCrossentropy).unwrap_err();
    assert_eq!(error.to_string(), "the data set's samples are of shape (2, 8, 1), but Net takes (4, 4, 1)");
    let label = Dataset::new(Shape::new(4, 4, 1), vec![0; 32], vec![2, 3]);
    let error = model.evaluate(&label, Loss::CategoricalCrossentropy).unwrap_err();
    assert_eq!(error.to_string(), "label 3 at index 1, but Net has 3 classes (labels 0 to 2)");
    let fit = |data: &Dataset, validation| {
        let mut model = Model::new(Net::GRAPH, 1).compile(Sgd::default(), Loss::CategoricalCrossentropy);
        model.fit(data, FitOptions { validation: Some(validation), ..options(1, 1) }, &mut []).unwrap_err().to_string()
    };
    let fits = stripes(3, 0);
    for (data, validation) in [(&label, &fits), (&fits, &label)] {
        assert!(fit(data, validation).starts_with("label 3 at index 1, but Net has 3 classes"));
    }
    assert!(fit(&fits, &other).starts_with("the data set's samples are of shape (2, 8, 1), but"));
    assert!(model.predict(&[0u8; 16]).unwrap_err().to_string().starts_with("how values are scaled is not known"));
    model.adapted(About::default()).predict(&[0u8; 15]).unwrap_err();
}

#[test]
fn outputs_that_are_no_numbers_are_errors() {
    let huge = Model::new(Net::GRAPH, 3).weights().iter().map(|weight| weight * 1e30).collect::<Vec<_>>();
    let (model, data) = (Model::from_weights(Net::GRAPH, &huge), stripes(9, 0));
    let error = model.evaluate(&data, Loss::CategoricalCrossentropy).unwrap_err();
    assert!(error.to_string().starts_with("loss is "), "{error}");
    let error = model.adapted(About::of(&data, Scale::Unit)).predict(data.image(0)).unwrap_err();
    assert!(error.to_string().starts_with("a score is NaN"), "{error}");
}

thumbnet::sequential! {
    struct OneSigmoid: [4, 4, 1] {
        flatten: Flatten,
        hidden: Dense { units: 8, activation: Tanh },
        score: Dense { units: 1, activation: Sigmoid },
    }
}

thumbnet::sequential! {
    struct OneSoftmax: [4, 4, 1] {
        flatten: Flatten,
        score: Dense { units: 1, activation: Softmax },
    }
}

thumbnet::sequential! {
    struct OneNumber: [4, 4, 1] {
        flatten: Flatten,
        number: Dense { units: 1 },
    }
}

/// Images of a bright stripe in one of two places; the place is the label.
fn two_stripes(count: usize) -> Dataset {
    let pixel = |i: usize, at: usize| if at / 8 == i % 2 { 200 + i % 50 } else { i % 40 } as u8;
    let images = (0..count).flat_map(|i| (0..16).map(move |at| pixel(i, at))).collect();
    Dataset::new(Shape::new(4, 4, 1), images, (0..count).map(|i| (i % 2) as u8).collect())
}

#[test]
fn one_sigmoid_tells_two_classes_apart() {
    let data = two_stripes(80);
    let model = Model::new(OneSigmoid::GRAPH, 1).adapted(About::of(&data, Scale::Unit));
    let mut model = model.compile(Adam::default(), Loss::MeanSquaredError);
    // Right where y > 0.5 is what t > 0.5 is: an untrained unit is right about some, and about all only when trained.
    let judged = |model: &Model<'_>| {
        let right = |i: &usize| (model.predict(data.image(*i)).unwrap()[0] > 0.5) == (data.label(*i) == 1);
        (0..data.len()).filter(right).count()
    };
    let before = model.evaluate(&data).unwrap();
    assert_eq!(before.correct, Some(judged(model.model())));
    assert!(before.accuracy < Some(0.8), "{before}");
    let history = model.fit(&data, options(60, 8), &mut []).unwrap();
    let after = model.evaluate(&data).unwrap();
    assert_eq!((after.correct, after.accuracy), (Some(80), Some(1.0)), "{after}");
    assert!(history[0].accuracy < Some(1.0) && history.last().unwrap().accuracy == Some(1.0));

    let third = Dataset::new(Shape::new(4, 4, 1), vec![0; 48], vec![0, 1, 2]);
    let error = model.fit(&third, options(1, 1), &mut []).unwrap_err();
    assert_eq!(error.to_string(), "label 2 at index 2, but OneSigmoid has 2 classes (labels 0 to 1)");
    let error = model.model().evaluate(&data, Loss::CategoricalCrossentropy).unwrap_err();
    assert!(error.to_string().contains("needs a last layer with activation Softmax"), "{error}");

    // Two classes are no reason to speak of labels.
    let mut model = Model::new(OneSoftmax::GRAPH, 1).compile(Adam::default(), Loss::CategoricalCrossentropy);
    for error in [model.fit(&data, options(1, 8), &mut []).unwrap_err(), model.evaluate(&data).unwrap_err()] {
        assert!(error.to_string().starts_with("the network ends with a softmax of one value"), "{error}");
    }
}

#[test]
fn one_number_has_a_loss_and_no_accuracy() {
    let sizes = (0..60).flat_map(|i| [(4 * i) as u8; 16]).collect();
    let data = Dataset::new(Shape::new(4, 4, 1), sizes, (0..60).collect());
    let mut model = Model::new(OneNumber::GRAPH, 1).compile(Adam::new(0.05, 0.9, 0.999, 1e-7), Loss::MeanSquaredError);
    let fit = FitOptions { validation: Some(&data), ..options(300, 10) };
    let history = model.fit(&data, fit, &mut []).unwrap();
    let last = history.last().unwrap();
    assert!(last.loss < 1.0 && last.val_loss < Some(1.0), "{last:?}");
    assert!(history.iter().all(|epoch| epoch.accuracy.is_none() && epoch.val_accuracy.is_none()));
    let evaluation = model.evaluate(&data).unwrap();
    assert_eq!((evaluation.correct, evaluation.accuracy), (None, None));
    let error = evaluation.mean_absolute_error.unwrap();
    assert!(error > 0.0 && error * error <= evaluation.loss);
    assert_eq!(evaluation.to_string(), format!("loss: {:.4} - mean absolute error: {error:.4}", evaluation.loss));
    assert!((model.model().predict(data.image(40)).unwrap()[0] - 40.0).abs() < 2.0);
}

/// A training of some epochs that stops early, reduces its rate and has dropout: its weights and losses, and all the
/// snapshots on its way.
fn long(resume: Option<&[u8]>) -> (Vec<f32>, Vec<f64>, Vec<Vec<u8>>) {
    let (data, test) = (stripes(50, 0), stripes(30, 5));
    let mut snapshots = Vec::new();
    let mut write = |snapshot: &Snapshot<'_>| {
        snapshots.push(snapshot.write());
        Ok(())
    };
    let (mut early, mut plateau) =
        (EarlyStopping::new(Monitor::Loss, 2), ReduceLrOnPlateau::new(Monitor::Accuracy, 1, 0.5, 0.0));
    let mut model = Model::new(Net::GRAPH, 3).compile(Adam::new(0.02, 0.9, 0.999, 1e-7), Loss::CategoricalCrossentropy);
    let resume = resume.map(|bytes| Snapshot::read(bytes).unwrap());
    let options = FitOptions {
        validation: Some(&test),
        schedule: Schedule::Cosine { warmup: 0.1 },
        save: Some(Save { every: Duration::ZERO, write: &mut write }),
        resume: resume.as_ref(),
        ..options(12, 8)
    };
    let history = model.fit(&data, options, &mut [&mut early, &mut plateau]).unwrap();
    let losses = history.iter().flat_map(|epoch| [epoch.loss, epoch.val_loss.unwrap()]).collect();
    (model.model().weights().to_vec(), losses, snapshots)
}

/// From whichever step an interrupted training goes on, its weights and history are those of one without interruption.
#[test]
fn a_resumed_training_ends_with_the_same_bits() {
    let (weights, losses, snapshots) = long(None);
    assert!(snapshots.len() > 20);
    for snapshot in snapshots.iter().step_by(3).chain(snapshots.last()) {
        let resumed = long(Some(snapshot));
        assert_eq!((&resumed.0, &resumed.1), (&weights, &losses));
        assert!(resumed.2.len() < snapshots.len());
    }
}

#[test]
fn a_training_is_not_resumed_as_another() {
    let (data, mut snapshots) = (stripes(20, 0), Vec::new());
    let mut write = |snapshot: &Snapshot<'_>| {
        snapshots.push(snapshot.write());
        Ok(())
    };
    let mut model = Model::new(Net::GRAPH, 3).compile(Sgd::default(), Loss::CategoricalCrossentropy);
    let save = Some(Save { every: Duration::MAX, write: &mut write });
    model.fit(&data, FitOptions { save, ..options(2, 8) }, &mut []).unwrap();
    assert_eq!(snapshots.len(), 2, "one an epoch");
    let snapshot = Snapshot::read(&snapshots[0]).unwrap();
    let resume = |data: &Dataset, options, callbacks: &mut [&mut dyn Callback]| {
        let mut model = Model::new(Net::GRAPH, 3).compile(Sgd::default(), Loss::CategoricalCrossentropy);
        let options = FitOptions { resume: Some(&snapshot), ..options };
        model.fit(data, options, callbacks).map(drop).map_err(|error| error.to_string())
    };
    resume(&data, options(2, 8), &mut []).unwrap();
    let others = "the training cannot be resumed: it was begun with another set of training data";
    assert_eq!(resume(&stripes(20, 1), options(2, 8), &mut []).unwrap_err(), others);
    // Its validation decides when it stops and which weights are the best.
    let validated = FitOptions { validation: Some(&data), ..options(2, 8) };
    assert_eq!(resume(&data, validated, &mut []).unwrap_err(), others);
    let error = resume(&data, options(3, 9), &mut []).unwrap_err();
    assert!(error.ends_with("it was begun with another number of epochs, another batch size"), "{error}");
    let error = resume(&data, options(2, 8), &mut [&mut EarlyStopping::new(Monitor::Loss, 1)]).unwrap_err();
    assert!(error.ends_with("begun with another list of callbacks"), "{error}");
    let mut adam = Model::new(Net::GRAPH, 3).compile(Adam::default(), Loss::CategoricalCrossentropy);
    let error = adam.fit(&data, FitOptions { resume: Some(&snapshot), ..options(2, 8) }, &mut []).unwrap_err();
    assert!(error.to_string().ends_with("begun with another optimizer"), "{error}");
    // As many values beside each weight, of another meaning.
    let mut adadelta = Model::new(Net::GRAPH, 3).compile(Adadelta::default(), Loss::CategoricalCrossentropy);
    let mut of_adadelta = Vec::new();
    let mut write = |snapshot: &Snapshot<'_>| {
        of_adadelta = snapshot.write();
        Ok(())
    };
    let save = Some(Save { every: Duration::MAX, write: &mut write });
    adadelta.fit(&data, FitOptions { save, ..options(2, 8) }, &mut []).unwrap();
    let snapshot_of_adadelta = Snapshot::read(&of_adadelta).unwrap();
    let mut adam = Model::new(Net::GRAPH, 3).compile(Adam::default(), Loss::CategoricalCrossentropy);
    let error =
        adam.fit(&data, FitOptions { resume: Some(&snapshot_of_adadelta), ..options(2, 8) }, &mut []).unwrap_err();
    assert!(error.to_string().ends_with("begun with another optimizer"), "{error}");
    for len in 0..snapshots[0].len() {
        Snapshot::read(&snapshots[0][..len]).unwrap_err();
    }
}
