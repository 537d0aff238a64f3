//! How far the int8 network is from the f32 one, layer by layer.

use std::collections::HashMap;

use thumbnet::{
    forward::forward,
    graph::{Activation, AllOps},
    infer,
    plan::{Fusion, PlanBuf},
};

use crate::{
    data::Samples,
    memory::Values,
    model::{Batch, FitError, Model, try_zeroed},
    quantized::QuantizedModel,
};

/// What quantisation cost one layer, with what the layers before it had lost already.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerError {
    /// The layer whose output was measured.
    pub name: String,
    /// The root of the mean square of its f32 outputs.
    pub signal: f64,
    /// The root of the mean square of the difference.
    pub error: f64,
    /// What one step of its int8 outputs means.
    pub scale: f32,
}

impl LayerError {
    /// How far the error lies below the signal, in decibels.
    pub fn decibels(&self) -> f64 {
        20.0 * (self.signal.max(1e-30) / self.error.max(1e-30)).log10()
    }
}

/// The errors over the first `count` samples.
pub(super) fn errors(
    model: &Model<'_>,
    quantized: &QuantizedModel<'_>,
    data: &dyn Samples,
    count: usize,
) -> Result<Vec<LayerError>, FitError> {
    let graph = model.graph();
    let about = model.about_of(data)?;
    let plan = PlanBuf::new(&graph, Fusion::Nothing);
    let mut memory = try_zeroed(plan.plan().memory_len(&graph, 1), 1)?;
    let (network, own) = (quantized.network(), quantized.graph());
    let (int8, parts, steps) = (network.plan(), network.parts(), network.steps());
    let mut activations: Values<i8> = try_zeroed(int8.values, 1)?;
    let mut scratch: Values<i32> = try_zeroed(int8.scratch_bytes(&own) / size_of::<i32>(), 1)?;
    let mut sums = vec![[0.0_f64; 2]; steps.len()];
    let (mut batch, mut raw) = (Batch::new(&graph, &about), vec![0.0; data.shape().len()]);
    for sample in 0..count {
        batch.gather(data, sample..sample + 1);
        let mut seen: HashMap<usize, Vec<f32>> = HashMap::new();
        let mut observe = |node: usize, values: &[f32]| drop(seen.insert(node, values.to_vec()));
        forward(&graph, &plan.plan(), model.backend(), model.weights(), &batch.x, &mut memory, Some(&mut observe))
            .map_err(FitError::Forward)?;
        data.read(sample, &mut raw);
        let image = quantized.input(&raw);
        for (k, (step, sums)) in int8.steps.iter().zip(&mut sums).enumerate() {
            infer::run_step::<AllOps>(quantized.backend(), &parts, &steps, k, &image, &mut activations, &mut scratch);
            let (Some(layer), node) = (parts.layer(k, &steps[k].op()), step.makes()) else { continue };
            let Some(wanted) = seen.get_mut(&node) else { continue };
            let shape = own.nodes[node].output;
            activate(step.activation(&own), shape.channels, wanted);
            let (output, values) = (layer.record.output(), &activations[step.output..][..shape.len()]);
            for (&wanted, &value) in wanted.iter().zip(values) {
                sums[0] += f64::from(wanted).powi(2);
                sums[1] += f64::from(wanted - output.dequantize(value)).powi(2);
            }
        }
    }
    let error = |(k, [signal, error]): (usize, [f64; 2])| {
        let node = &own.nodes[int8.steps[k].makes()];
        let values = (count * node.output.len()) as f64;
        let scale = parts.layer(k, &steps[k].op()).map_or(0.0, |layer| layer.record.output().scale);
        let [signal, error] = [signal, error].map(|sum| (sum / values).sqrt());
        LayerError { name: node.name.into(), signal, error, scale }
    };
    Ok(sums.into_iter().enumerate().map(error).collect())
}

/// The activations that a forward pass shows the inputs of.
fn activate(activation: Activation, channels: usize, values: &mut [f32]) {
    match activation {
        Activation::Sigmoid => values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp())),
        Activation::Tanh => values.iter_mut().for_each(|value| *value = value.tanh()),
        Activation::Softmax => {
            for values in values.chunks_exact_mut(channels) {
                let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                values.iter_mut().for_each(|value| *value = (*value - most).exp());
                let sum: f32 = values.iter().sum();
                values.iter_mut().for_each(|value| *value /= sum);
            }
        }
        Activation::Linear | Activation::Relu | Activation::Relu6 | Activation::LeakyRelu { .. } => {}
    }
}
