//! `Model` on a data set that is made here: learning, reproducibility, quantisation, refusals.

use host_train::data::Dataset;
use host_train::int8::{BlobFile, count_correct, scores};
use host_train::model::{Callback, EpochReport, FitError, FitOptions, Model, Running};
use thumbnet::blob::{Family, write};
use thumbnet::geometry::Shape;
use thumbnet::quant::Range;
use thumbnet::sequential;
use thumbnet::train::{Adadelta, Sgd};

sequential! {
    struct Bars: [8, 8, 1] {
        conv: Conv2D { filters: 4, kernel_size: 3, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2 },
        flatten: Flatten,
        drop: Dropout { rate: 0.2 },
        out: Dense { units: 2, activation: Softmax },
    }
}

/// Horizontal bars (label 0) and vertical ones (label 1), of any place and brightness.
fn bars(count: usize) -> Dataset {
    let (mut images, mut labels) = (vec![0u8; count * 64], Vec::new());
    for (i, image) in images.as_chunks_mut::<64>().0.iter_mut().enumerate() {
        let (label, place, ink) = (i % 2, i * 5 % 8, 120 + (i * 37 % 136) as u8);
        for k in 0..8 {
            image[if label == 0 { place * 8 + k } else { k * 8 + place }] = ink;
        }
        image[i * 29 % 64] ^= 0x40;
        labels.push(label as u8);
    }
    Dataset::new(Shape::new(8, 8, 1), images, labels)
}

/// Keeps the reports, and checks each step's counts.
#[derive(Default)]
struct Recorder {
    steps: usize,
    reports: Vec<EpochReport>,
}

impl Callback for Recorder {
    fn epoch_begin(&mut self, _epoch: usize, _epochs: usize, steps: usize) {
        assert_eq!(steps, 13, "12 full batches and one of 8 images");
        self.steps = 0;
    }

    fn batch_end(&mut self, running: &Running) {
        self.steps += 1;
        assert_eq!((running.step, running.samples), (self.steps, (self.steps * 16).min(200)));
    }

    fn epoch_end(&mut self, report: &EpochReport) {
        assert_eq!(self.steps, 13);
        self.reports.push(*report);
    }
}

const OPTIONS: FitOptions = FitOptions { epochs: 8, batch_size: 16, seed: 4 };

fn trained() -> (Model<Bars>, Vec<EpochReport>) {
    let mut model = Model::<Bars>::new(4);
    let mut recorder = Recorder::default();
    model.fit(Adadelta::default(), &bars(200), Some(&bars(60)), OPTIONS, &mut recorder).unwrap();
    (model, recorder.reports)
}

#[test]
fn learns_quantises_and_reports() {
    let (model, reports) = trained();
    assert_eq!(reports.len(), 8);
    assert!(reports[7].loss < reports[0].loss && reports[7].val_accuracy > Some(0.97), "{reports:?}");
    let test = bars(60);
    let evaluation = model.evaluate(&test);
    assert_eq!(Some(evaluation.loss), reports[7].val_loss);
    assert_eq!(evaluation.correct as f32 / 60.0, evaluation.accuracy);

    for range in [Range::MinMax, Range::Percentile(99.9)] {
        let blob = write::<Bars>(&model.quantize(&bars(200), 100, range).unwrap(), Family::Plain).unwrap();
        let file = BlobFile::new(&blob);
        let correct = count_correct(&scores(&file.network::<Bars>().unwrap(), &test), &test);
        assert!(correct.abs_diff(evaluation.correct) <= 1, "{range:?}: {correct} and {}", evaluation.correct);
    }
}

#[test]
fn the_seed_decides_the_weights_and_threads_do_not() {
    let weights = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| trained().0.weights().to_vec())
    };
    let one = weights(1);
    assert_eq!(one, weights(1));
    assert_eq!(one, weights(3));
    let mut other = Model::<Bars>::new(4);
    other.fit(Adadelta::default(), &bars(200), None, FitOptions { seed: 5, ..OPTIONS }, &mut ()).unwrap();
    assert_ne!(one, other.weights());
}

#[test]
fn refuses_and_keeps_the_weights() {
    let mut model = Model::<Bars>::new(1);
    let before = model.weights().to_vec();
    let data = bars(20);
    let mut fit = |rate, options| model.fit(Sgd { learning_rate: rate, ..Sgd::default() }, &data, None, options, &mut ());
    let options = FitOptions { epochs: 3, batch_size: 5, seed: 1 };
    assert!(matches!(fit(0.1, FitOptions { epochs: 0, ..options }), Err(FitError::NoEpochs)));
    for batch_size in [0, 21] {
        let error = fit(0.1, FitOptions { batch_size, ..options }).unwrap_err();
        assert!(matches!(error, FitError::BatchSize { images: 20, .. }), "{error}");
    }
    assert_eq!(fit(0.0, options).unwrap_err().to_string(), "learning_rate is 0, but must be finite and above 0");
    let diverged = fit(1e30, options).unwrap_err();
    assert!(matches!(diverged, FitError::NotFinite { .. }), "{diverged}");
    assert_eq!(model.weights(), before);
    assert!(Model::<Bars>::from_weights(before[1..].to_vec()).is_none());
}
