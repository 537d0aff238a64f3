//! From f32 weights to a blob, and a blob run on the PC.

use rayon::prelude::*;
use thumbnet::{
    LengthError,
    arch::Backend,
    blob::{self, BlobError, Family, Loaded, RepackError, WriteError},
    graph::{AllOps, Graph},
    infer::{self, Parts, StepS8},
    input::InputTable,
    int8::Affine,
    quantize::{self, Calibrator, QuantizeError, Range},
};

use crate::{
    data::Samples,
    memory::Values,
    model::{About, Batch, Evaluation, FitError, Model, Running, check_fits, too_large, try_zeroed, usual_loss},
};

/// Images that go through the network together while calibrating.
const CALIBRATION_BATCH: usize = 50;
/// Images that one task classifies: enough to make reading the blob again for each task cheap.
const TASK: usize = 500;

/// How to quantise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantizeOptions {
    /// How ranges follow from the values seen.
    pub range: Range,
    /// How many images to calibrate with, the first ones of the data set.
    pub images: usize,
    /// The cores to write the weights for.
    pub family: Family,
}

impl Default for QuantizeOptions {
    /// TFLite's rule, on 500 images.
    fn default() -> Self {
        Self { range: Range::MinMax, images: 500, family: Family::default() }
    }
}

impl QuantizeOptions {
    /// Checks what can be checked without images.
    ///
    /// # Errors
    ///
    /// [`QuantizationError::Percentile`], if it is out of range.
    pub fn check(&self) -> Result<(), QuantizationError> {
        match self.range {
            Range::Percentile(percentile) if !(percentile > 50.0 && percentile <= 100.0) => {
                Err(QuantizationError::Percentile(percentile))
            }
            _ => Ok(()),
        }
    }
}

/// Why a model cannot be quantised.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizationError {
    /// An impossible number of images.
    #[error("{images} images to calibrate with, but must be in 1..={available}, the number of training samples")]
    Images {
        /// Images asked for.
        images: usize,
        /// Images in the data set.
        available: usize,
    },
    /// A percentile that leaves nothing, or more than there is.
    #[error("percentile is {0}, but must be above 50 and at most 100")]
    Percentile(f32),
    /// The data set does not fit the network.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The forward pass refused.
    #[error("{0}")]
    Forward(LengthError),
    /// The weights cannot be quantised.
    #[error("{0}")]
    Quantize(QuantizeError),
    /// The blob cannot be written.
    #[error("{0}")]
    Write(WriteError),
}

/// The blob of a model: calibrated on the first images of `data`, quantised to int8.
///
/// # Errors
///
/// [`QuantizationError`], for options out of range, or weights that do not quantise.
pub fn quantize(model: &Model<'_>, data: &dyn Samples, options: QuantizeOptions) -> Result<Vec<u8>, QuantizationError> {
    options.check()?;
    let QuantizeOptions { range, images, family } = options;
    if images == 0 || images > data.len() {
        return Err(QuantizationError::Images { images, available: data.len() });
    }
    let graph = model.graph();
    check_fits(&graph, data)?;
    let about = model.about_of(data)?;

    let mut calibrator = Calibrator::new(graph, range);
    let batch_size = CALIBRATION_BATCH.min(images);
    let mut memory = try_zeroed(calibrator.memory_len(batch_size), batch_size)?;
    let mut batch = Batch::new(&graph, &about);
    for start in (0..images).step_by(CALIBRATION_BATCH) {
        batch.gather(data, start..images.min(start + CALIBRATION_BATCH));
        calibrator
            .observe(model.backend(), model.weights(), &batch.x, &mut memory)
            .map_err(QuantizationError::Forward)?;
    }
    let quantized = quantize::quantize(&graph, model.weights(), &calibrator.finish());
    let quantized = quantized.map_err(|error| match too_large(&about, data) {
        Some(blamed) => blamed.into(),
        None => QuantizationError::Quantize(error),
    })?;
    about.lend(|about| blob::write(&graph, &quantized, family, about)).map_err(QuantizationError::Write)
}

/// A blob as [`QuantizedModel::read`] takes it: where a blob must lie, its weights in the order that a PC is fastest
/// with.
///
/// # Errors
///
/// What is off with the blob.
pub fn plain(blob: &[u8]) -> Result<Values<u8>, RepackError> {
    // Of a copy, which lies at a page, wherever the caller's does.
    Ok(Values::from(&*blob::repack(&Values::from(blob), Family::Plain)?))
}

/// A quantised network, whose graph and weights are in its blob.
#[derive(Clone, Debug)]
pub struct QuantizedModel<'a> {
    network: Loaded<'a>,
    backend: Backend,
    about: About,
}

impl<'a> QuantizedModel<'a> {
    /// The network of a blob, which [`plain`] gives.
    ///
    /// # Errors
    ///
    /// What is off with the blob.
    pub fn read(blob: &'a [u8]) -> Result<Self, BlobError> {
        let network = Loaded::read(blob)?;
        let about = About::from(network.info().about());
        Ok(Self { network, backend: Backend::detect(), about })
    }

    /// The same network on other kernels than the fastest; its outputs are the same.
    #[must_use]
    pub fn with_backend(self, backend: Backend) -> Self {
        Self { backend, ..self }
    }

    /// The network, as its blob holds it.
    pub fn network(&self) -> &Loaded<'a> {
        &self.network
    }

    /// What goes in and comes out.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The same as a graph.
    pub fn graph(&self) -> Graph<'_> {
        self.network.graph()
    }

    /// The kernels that run.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Scale and zero point of the outputs.
    pub fn output(&self) -> Affine {
        self.network.parts().output()
    }

    /// The int8 input that stands for one sample of raw values, as a device makes it.
    pub fn input<T: Copy + Into<f32>>(&self, raw: &[T]) -> Vec<i8> {
        let mut values: Vec<f32> = raw.iter().map(|&value| value.into()).collect();
        self.about.apply(&mut values);
        let input = self.network.parts().input();
        values.into_iter().map(|value| input.quantize(value)).collect()
    }

    /// The int8 outputs for one sample of raw values.
    ///
    /// # Errors
    ///
    /// [`FitError::Image`] where it has another length than the network's input, [`FitError::Memory`] where there is
    /// none.
    pub fn predict<T: Copy + Into<f32>>(&self, raw: &[T]) -> Result<Vec<i8>, FitError> {
        let (graph, len) = (self.graph(), raw.len());
        let needed = graph.input().len();
        if len != needed {
            return Err(FitError::Image { network: graph.name.into(), len, needed });
        }
        let mut runner = Runner::new(self)?;
        runner.image = self.input(raw);
        Ok(runner.run().to_vec())
    }

    /// The int8 outputs for every sample of a data set, one after the other.
    ///
    /// # Errors
    ///
    /// [`FitError::Shape`], [`FitError::Label`] and [`FitError::Targets`] where it does not fit the network,
    /// [`FitError::Memory`] where there is none to run it in.
    pub fn outputs(&self, data: &dyn Samples) -> Result<Vec<i8>, FitError> {
        check_fits(&self.graph(), data)?;
        let samples = data.len();
        let run = |task: usize| {
            let mut runner = Runner::new(self)?;
            let mut outputs = Vec::with_capacity(TASK * self.graph().output().len());
            for sample in task * TASK..samples.min((task + 1) * TASK) {
                outputs.extend_from_slice(runner.predict(data, sample));
            }
            Ok(outputs)
        };
        let parts: Vec<_> = (0..samples.div_ceil(TASK)).into_par_iter().map(run).collect::<Result<_, FitError>>()?;
        Ok(parts.concat())
    }

    /// Loss and accuracy over a data set, of the numbers that int8 outputs stand for.
    ///
    /// # Errors
    ///
    /// As [`outputs`](Self::outputs)'.
    pub fn evaluate(&self, data: &dyn Samples) -> Result<Evaluation, FitError> {
        Ok(self.judge(&self.outputs(data)?, data))
    }

    /// Loss and accuracy of the [`outputs`](Self::outputs) for every sample of a data set.
    ///
    /// # Panics
    ///
    /// Where there are not outputs for every sample.
    pub fn judge(&self, outputs: &[i8], data: &dyn Samples) -> Evaluation {
        let graph = self.graph();
        let width = graph.output().len();
        assert_eq!(outputs.len(), width * data.len(), "outputs for every sample");
        let (loss, output) = (usual_loss(&graph), self.output());
        let (mut running, mut batch) = (Running::default(), Batch::new(&graph, &self.about));
        for (task, outputs) in outputs.chunks(TASK * width).enumerate() {
            let first = task * TASK;
            batch.gather(data, first..first + outputs.len() / width);
            let outputs: Vec<f32> = outputs.iter().map(|&value| output.dequantize(value)).collect();
            running.judge(&graph, loss, &outputs, &batch.targets);
        }
        running.evaluation()
    }
}

/// A network with all that one thread needs to run it.
struct Runner<'a> {
    model: &'a QuantizedModel<'a>,
    parts: Parts<'a>,
    steps: Vec<StepS8<'a>>,
    /// The int8 input for each byte, where all values are scaled alike.
    table: Option<InputTable>,
    values: Vec<f32>,
    image: Vec<i8>,
    activations: Values<i8>,
    scratch: Values<i32>,
}

impl<'a> Runner<'a> {
    fn new(model: &'a QuantizedModel<'_>) -> Result<Self, FitError> {
        let (network, plan, graph) = (&model.network, model.network.plan(), model.graph());
        let (parts, input) = (network.parts(), graph.input().len());
        let table = match *model.about.scaling {
            [scaling] => Some(InputTable::new(scaling, parts.input())),
            _ => None,
        };
        Ok(Self {
            model,
            parts,
            steps: network.steps(),
            table,
            values: vec![0.0; input],
            image: vec![0; input],
            activations: try_zeroed(plan.values, 1)?,
            scratch: try_zeroed(plan.scratch_bytes(&graph) / size_of::<i32>(), 1)?,
        })
    }

    /// The outputs for a sample of data that fits the network.
    fn predict(&mut self, data: &dyn Samples, sample: usize) -> &[i8] {
        match (&self.table, data.bytes(sample)) {
            (Some(table), Some(bytes)) => {
                self.image.iter_mut().zip(bytes).for_each(|(value, &byte)| *value = table.get(byte));
            }
            _ => {
                data.read(sample, &mut self.values);
                self.image = self.model.input(&self.values);
            }
        }
        self.run()
    }

    /// The outputs for the input that `image` holds.
    fn run(&mut self) -> &[i8] {
        let Self { model, parts, steps, image, activations, scratch, .. } = self;
        infer::run::<AllOps>(model.backend, parts, steps, image, activations, scratch)
    }
}

#[cfg(test)]
mod tests {
    use thumbnet::{
        Network,
        geometry::Shape,
        train::{Adam, Loss},
    };

    use super::*;
    use crate::{data::Dataset, model::FitOptions};

    thumbnet::sequential! {
        struct Net: [2, 4, 1] {
            conv: Conv2D { filters: 4, kernel_size: 2, activation: Relu },
            flatten: Flatten,
            scores: Dense { units: 2, activation: Softmax },
        }
    }

    /// Which half is brighter.
    fn halves(count: usize) -> Dataset {
        let bright = |i: usize, at: usize| (at % 4 / 2 == i % 2, (i * 7 + at * 13) % 90);
        let pixel = |(is_bright, grain): (bool, usize)| (if is_bright { 160 + grain } else { grain }) as u8;
        let images = (0..count).flat_map(|i| (0..8).map(move |at| pixel(bright(i, at)))).collect();
        Dataset::new(Shape::new(2, 4, 1), images, (0..count).map(|i| (i % 2) as u8).collect())
    }

    fn trained() -> Model<'static> {
        let mut model = Model::new(Net::GRAPH, 1).compile(Adam::default(), Loss::CategoricalCrossentropy);
        let options = FitOptions { epochs: 30, batch_size: 10, ..FitOptions::default() };
        model.fit(&halves(200), options, &mut []).unwrap();
        model.model().clone()
    }

    #[test]
    fn int8_recognises_what_f32_does() {
        let (model, data) = (trained(), halves(1200));
        assert!(model.evaluate(&data, Loss::CategoricalCrossentropy).unwrap().accuracy > Some(0.99));
        for range in [Range::MinMax, Range::Percentile(99.9)] {
            for family in [Family::Plain, Family::Dsp] {
                let options = QuantizeOptions { range, images: 120, family };
                let blob = quantize(&model, &data, options).unwrap();
                let blob = plain(&blob).unwrap();
                let quantized = QuantizedModel::read(&blob).unwrap();
                let accuracy = quantized.evaluate(&data).unwrap();
                assert!(accuracy.samples == 1200 && accuracy.accuracy > Some(0.99), "{options:?} {accuracy:?}");
                let scores = quantized.predict(data.image(1)).unwrap();
                let probabilities = model.predict(data.image(1)).unwrap();
                let output = quantized.output();
                for (score, probability) in scores.into_iter().zip(probabilities) {
                    assert!((output.dequantize(score) - probability).abs() < 0.05);
                }
            }
        }
    }

    thumbnet::sequential! {
        struct OneSigmoid: [2, 4, 1] {
            flatten: Flatten,
            score: Dense { units: 1, activation: Sigmoid },
        }
    }

    thumbnet::sequential! {
        struct OneNumber: [2, 4, 1] {
            flatten: Flatten,
            number: Dense { units: 1 },
        }
    }

    #[test]
    fn one_output_is_judged_as_in_f32() {
        let data = halves(200);
        let mut model = Model::new(OneSigmoid::GRAPH, 1).compile(Adam::default(), Loss::MeanSquaredError);
        model.fit(&data, FitOptions { epochs: 40, batch_size: 10, ..FitOptions::default() }, &mut []).unwrap();
        let options = QuantizeOptions { images: 100, ..QuantizeOptions::default() };
        let of = |model: &Model<'_>| {
            let f32 = model.evaluate(&data, Loss::MeanSquaredError).unwrap().accuracy.unwrap();
            let blob = quantize(model, &data, options).unwrap();
            (f32, QuantizedModel::read(&plain(&blob).unwrap()).unwrap().evaluate(&data).unwrap().accuracy.unwrap())
        };
        assert_eq!(of(model.model()), (1.0, 1.0));
        // Turned around, it is wrong about every image.
        let around: Vec<f32> = model.model().weights().iter().map(|weight| -weight).collect();
        assert_eq!(of(&Model::from_weights(OneSigmoid::GRAPH, &around)), (0.0, 0.0));

        let blob = quantize(&Model::new(OneNumber::GRAPH, 1), &data, options).unwrap();
        let number = QuantizedModel::read(&plain(&blob).unwrap()).unwrap().evaluate(&data).unwrap();
        let f32 = Model::new(OneNumber::GRAPH, 1).evaluate(&data, Loss::MeanSquaredError).unwrap();
        assert_eq!(number.accuracy, None);
        let near = |int8: f64, f32: f64| (int8 - f32).abs() < 0.02;
        assert!(
            near(number.loss, f32.loss) && near(number.mean_absolute_error.unwrap(), f32.mean_absolute_error.unwrap())
        );
    }

    thumbnet::sequential! {
        /// Its int8 activations and scratch are several times a thread's stack.
        struct Wide: [64, 64, 1] {
            wide: Conv2D { filters: 64, kernel_size: 3, padding: Same, activation: Relu },
            wider: Conv2D { filters: 64, kernel_size: 3, padding: Same, activation: Relu },
            flatten: Flatten,
            scores: Dense { units: 2, activation: Softmax },
        }
    }

    #[test]
    fn memory_larger_than_a_stack_is_no_matter() {
        const STACK: usize = 256 << 10;
        assert!(size_of::<<Wide as Network>::Memory>() > 2 * STACK);
        let data = Dataset::new(Shape::new(64, 64, 1), (0..4096).map(|i| (i % 251) as u8).collect(), vec![1]);
        let options = QuantizeOptions { images: 1, ..QuantizeOptions::default() };
        let blob = quantize(&Model::new(Wide::GRAPH, 1), &data, options).unwrap();
        let blob = plain(&blob).unwrap();
        let small = std::thread::Builder::new().stack_size(STACK);
        let scores = small
            .spawn(move || QuantizedModel::read(&blob).unwrap().predict(data.image(0)).unwrap())
            .unwrap()
            .join()
            .unwrap();
        assert_ne!(*scores, [0; 2]);
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let (model, data) = (Model::new(Net::GRAPH, 1), halves(10));
        let error = |options| quantize(&model, &data, options).unwrap_err().to_string();
        let options = QuantizeOptions::default();
        let text = "500 images to calibrate with, but must be in 1..=10, the number of training samples";
        assert_eq!(error(options), text);
        assert!(error(QuantizeOptions { images: 0, ..options }).starts_with("0 images"));
        for percentile in [50.0, 100.1, f32::NAN] {
            let range = Range::Percentile(percentile);
            assert!(error(QuantizeOptions { range, images: 5, ..options }).contains("above 50 and at most 100"));
        }
    }

    #[test]
    fn damaged_blobs_and_other_images_are_refused() {
        let (model, data) = (trained(), halves(10));
        let blob = quantize(&model, &data, QuantizeOptions { images: 5, ..QuantizeOptions::default() }).unwrap();
        for len in 0..blob.len() {
            plain(&blob[..len]).unwrap_err();
        }
        QuantizedModel::read(&plain(&blob).unwrap()).unwrap().predict(&[0u8; 7]).unwrap_err();
    }

    #[test]
    fn a_blob_may_lie_anywhere() {
        let (model, data) = (trained(), halves(10));
        let blob = quantize(&model, &data, QuantizeOptions { images: 5, ..QuantizeOptions::default() }).unwrap();
        for skip in 1..16 {
            let moved = [vec![0; skip], blob.clone()].concat();
            let of = |blob: &[u8]| QuantizedModel::read(&plain(blob).unwrap()).unwrap().evaluate(&data).unwrap();
            assert_eq!(of(&moved[skip..]), of(&blob));
        }
    }
}
