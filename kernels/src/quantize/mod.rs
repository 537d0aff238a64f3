//! Post-training quantisation: f32 weights and calibrated ranges in, an int8 network out.
//!
//! # The scale of a channel
//!
//! One number decides how a channel is quantised: the scale `s` of its accumulators, `input scale x weight scale`. It
//! is the least that all of these allow:
//!
//! - `s >= input scale x max |weight| / 127`, so that weights fit in -127..=127. In nearly every channel this decides.
//! - `s >= |bias| / 2^30`, so that the bias takes the middle half of 32 bits and leaves the other to the sum. This is
//!   TFLite's `AdjustWeightsForBiasScale`, and decides where weights are tiny beside the bias.
//! - `s >= output scale / 2^32`, so that the multiplier `s / output scale` is at least 2^-32, the least that there is.
//!   This decides where there are no weights, and no bias to speak of.
//!
//! The last two lose nothing that shows. A weight is rounded by at most half a step and its input is at most 255 steps,
//! so `K` weights are off by at most `127.5 K s`. Where the output's range holds the bias, `255 output scale >= |bias|`
//! and `s` is at most `255 / 2^30` of the output's scale: `K / 33,000` of its steps. (A bias that only the weights
//! bring into that range decides in layers of more than 33,000 inputs alone.)
//!
//! A bias beyond all that the output's range and the sum of the weights can make up for saturates the output, whatever
//! the input is. So does the least bias of that kind, which is taken for it where it would decide.
//!
//! # The range of a sum
//!
//! Inputs are anything in -128..=127, so a sum reaches from `bias' + Σ min(127 w, -128 w)` to `bias' + Σ max(127 w,
//! -128 w)`, where `bias'` has the input's zero point folded in. Both must fit in 32 bits, and then no part of the sum
//! wraps either: an input of 0 leaves its weight out. `2^30 + K x 127 x 255` is an upper bound, so that only a layer of
//! more than 33,000 inputs can fail.

mod calibrate;
mod error;
mod fold;

pub use calibrate::{Calibration, Calibrator, Range};
pub use error::QuantizeError;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use fold::Folded;

use crate::graph::{Activation, Graph, Node, Op};
use crate::int8::{
    AddS8, Affine, MeanS8, MulS8, QuantizedMultiplier, RescaleS8, SoftmaxS8, fold_zero_point, logistic,
    quantize_multiplier, scale_of, tanh,
};
use crate::plan::{Fusion, PlanBuf, Step};

/// A quantised network before it is packed, as [`quantize`] makes it and [`blob::write`](crate::blob::write()) takes
/// it.
///
/// Other tools may fill it as well, such as one that reads networks which TFLite has quantised. There is one entry for
/// each step of the [plan](crate::plan::PlanBuf) with [`Fusion::Int8`], and not for each node: a pooling behind a
/// convolution, a padding before one, a batch normalisation and what only passes on values have none.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedNetwork {
    /// Scale and zero point of the input.
    pub input: Affine,
    /// The steps.
    pub steps: Vec<QuantizedStep>,
}

/// One step. What has no weights has empty vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedStep {
    /// A row of weights for each filter or unit: OHWI, or `[units, inputs]`; for a depthwise convolution one for each
    /// tap: HWO.
    pub weights: Vec<i8>,
    /// The bias of each channel, with the input's zero point folded in.
    pub bias: Vec<i32>,
    /// Multiplier of each channel.
    pub multiplier: Vec<i32>,
    /// Shift of each channel.
    pub shift: Vec<i8>,
    /// Zero point of what the accumulators become. What has none, such as a pooling or an activation by itself, has its
    /// input's.
    pub zero_point: i8,
    /// Least and largest value that they become: -128 and 127 where nothing is clamped.
    pub activation: [i8; 2],
    /// The factors of a sum ([`AddS8::factors`]): of both inputs, and of the output; of a concatenation: of both
    /// inputs; of a product or a mean: the first. Zeros elsewhere. The inputs are in the order of the plan's
    /// [sources](Step::sources), which is not always the node's: where the second is the term whose place the output
    /// takes, it comes first.
    pub factors: [QuantizedMultiplier; 3],
    /// What follows.
    pub after: OwnedAfter,
    /// Scale and zero point of the step's output, after all.
    pub output: Affine,
}

/// What follows on a stage's clamp.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedAfter {
    /// Nothing.
    Nothing,
    /// Softmax.
    Softmax(SoftmaxS8),
    /// A table, for any other activation that is no clamp.
    Table(Vec<i8>),
}

/// Quantises a network: weights symmetric for each output channel, activations by the calibrated ranges, TFLite's int8
/// scheme.
///
/// A pooling that is fused into a convolution decides its output's range, which is narrower than the convolution's own.
///
/// # Errors
///
/// [`QuantizeError`] tells what of which layer cannot be quantised.
///
/// # Examples
///
/// ```
/// use thumbnet::Network;
/// use thumbnet::arch::Backend;
/// use thumbnet::quantize::{Calibrator, Range, quantize};
///
/// thumbnet::sequential! {
///     pub struct Sum: [2] {
///         out: Dense { units: 1 },
///     }
/// }
///
/// let weights = [1.0, 1.0, 0.0];
/// let mut calibrator = Calibrator::new(Sum::GRAPH, Range::MinMax);
/// let mut memory = vec![0.0; calibrator.memory_len(2)];
/// // Samples as those that the device will see.
/// calibrator.observe(Backend::detect(), &weights, &[-1.0, -1.0, 1.0, 1.0], &mut memory)?;
/// let network = quantize(&Sum::GRAPH, &weights, &calibrator.finish())?;
/// // `blob::write` makes a file of it.
/// assert_eq!(network.steps[0].weights, [127, 127]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn quantize(
    graph: &Graph<'_>,
    weights: &[f32],
    calibration: &Calibration,
) -> Result<QuantizedNetwork, QuantizeError> {
    if weights.len() != graph.parameters() {
        return Err(QuantizeError::Weights { len: weights.len(), needed: graph.parameters() });
    }
    check(calibration, graph)?;
    let [min, max] = calibration.input;
    let input = Affine::from_range(min, max);
    // By the number of the node that makes the tensor.
    let mut tensors = vec![input; graph.nodes.len()];
    let mut steps = Vec::new();
    for step in PlanBuf::new(graph, Fusion::Int8).plan().steps {
        let node = &graph.nodes[usize::from(step.node)];
        let inputs = step.sources.map(|source| tensors[usize::from(source)]);
        let folded = fold::folded(graph, step, weights)?;
        let quantized = quantize_step(graph, step, node, &folded, inputs, calibration)?;
        tensors[step.makes()] = quantized.output;
        steps.push(quantized);
    }
    Ok(QuantizedNetwork { input, steps })
}

/// Checks the ranges of the input and of every layer.
fn check(calibration: &Calibration, graph: &Graph<'_>) -> Result<(), QuantizeError> {
    let is_range = |[min, max]: [f32; 2]| min.is_finite() && max.is_finite() && min <= max;
    let Calibration { input, layers: ranges } = calibration;
    let layers = graph.layers();
    if ranges.len() != layers.len() {
        return Err(QuantizeError::Layers { len: ranges.len(), needed: layers.len() });
    }
    if !is_range(*input) || *input == [0.0; 2] {
        return Err(QuantizeError::InputRange { range: *input });
    }
    match layers.iter().zip(ranges).find(|(_, range)| !is_range(**range)) {
        Some((layer, range)) => Err(QuantizeError::Range { layer: layer.name.into(), range: *range }),
        None => Ok(()),
    }
}

fn quantize_step(
    graph: &Graph<'_>,
    step: &Step,
    node: &Node<'_>,
    weights: &Folded,
    inputs: [Affine; 2],
    calibration: &Calibration,
) -> Result<QuantizedStep, QuantizeError> {
    // The range is that of what the step makes, unless an activation that is no clamp comes before the pooling.
    let activation = step.activation(graph);
    let observed = if activation.is_clamp() { step.makes() } else { step.accumulates() };
    let [min, max] = calibration.layers[observed - 1];
    let linear = Affine::from_range(min, max);
    let mut quantized = QuantizedStep {
        weights: Vec::new(),
        bias: Vec::new(),
        multiplier: Vec::new(),
        shift: Vec::new(),
        zero_point: linear.zero_point,
        activation: clamp(activation, linear),
        factors: [QuantizedMultiplier::ZERO; 3],
        after: OwnedAfter::Nothing,
        output: linear,
    };
    match node.op {
        Op::Conv2D { .. } | Op::DepthwiseConv2D { .. } | Op::Dense { .. } | Op::BatchNormalization { .. } => {
            (quantized.after, quantized.output) = after(node, activation, linear)?;
            quantize_channels(node, weights, inputs[0], linear, &mut quantized)?;
            if matches!(node.op, Op::DepthwiseConv2D { .. }) {
                quantized.weights = transposed(&quantized.weights, node.op.fan_in());
            }
        }
        Op::Activation { .. } => {
            quantized.zero_point = inputs[0].zero_point;
            quantized.activation = [-128, 127];
            (quantized.after, quantized.output) = after(node, activation, inputs[0])?;
        }
        Op::Multiply { .. } => {
            quantized.factors[0] = MulS8::factor(inputs.map(|input| input.scale), linear.scale);
        }
        Op::Concatenate => {
            let part = |read: usize| RescaleS8::quantize(inputs[read], linear).factors[0];
            (quantized.factors[0], quantized.factors[1]) = (part(0), part(1));
        }
        Op::Add { .. } => {
            quantized.factors = AddS8::factors(inputs.map(|input| input.scale), linear.scale);
        }
        Op::GlobalAveragePooling2D { ref geometry } | Op::AveragePooling2D { ref geometry }
            if !MeanS8::is_window(geometry) =>
        {
            return Err(QuantizeError::Mean { layer: node.name.into(), geometry: *geometry });
        }
        Op::GlobalAveragePooling2D { ref geometry } => {
            let [height, width] = geometry.kernel();
            quantized.factors[0] = MeanS8::new(inputs[0], linear, height * width).factor;
        }
        // They keep scale and zero point.
        Op::MaxPooling2D { .. }
        | Op::GlobalMaxPooling2D { .. }
        | Op::AveragePooling2D { .. }
        | Op::ZeroPadding2D { .. }
        | Op::Input
        | Op::Flatten
        | Op::Reshape
        | Op::Dropout { .. } => {
            quantized.zero_point = inputs[0].zero_point;
            quantized.activation = [-128, 127];
            quantized.output = inputs[0];
        }
    }
    Ok(quantized)
}

/// Quantises a kernel and its biases, channel by channel.
fn quantize_channels(
    node: &Node<'_>,
    Folded { kernel, bias: biases }: &Folded,
    input: Affine,
    linear: Affine,
    quantized: &mut QuantizedStep,
) -> Result<(), QuantizeError> {
    let layer = || String::from(node.name);
    let channels = node.output.channels;
    let mut rows = vec![0; kernel.len()];
    for (channel, row) in rows.chunks_exact_mut(kernel.len() / channels).enumerate() {
        // Keras keeps the output channel innermost.
        let column = kernel.iter().skip(channel).step_by(channels);
        let real_bias = biases.get(channel).map_or(0.0, |&bias| f64::from(bias));
        let (scale, real_bias) = accumulator_scale(column.clone(), real_bias, input, linear);

        let weight_scale = (scale / f64::from(input.scale)) as f32;
        for (q, w) in row.iter_mut().zip(column) {
            // No weight is so large that this clamps but for rounding; 0 / 0 becomes 0.
            *q = libm::roundf(w / weight_scale).clamp(-127.0, 127.0) as i8;
        }
        let plain_bias = libm::round(real_bias / scale) as i32;
        if let Some(sum) = outgrown(plain_bias, input.zero_point, row.iter()) {
            return Err(QuantizeError::Sum { layer: layer(), channel, sum });
        }
        let real = scale / f64::from(linear.scale);
        if real >= libm::ldexp(1.0, 30) {
            return Err(QuantizeError::Scale { layer: layer(), multiplier: real });
        }
        let fixed = quantize_multiplier(real);
        quantized.bias.push(fold_zero_point(plain_bias, input.zero_point, row));
        quantized.multiplier.push(fixed.multiplier);
        quantized.shift.push(fixed.shift);
    }
    quantized.weights = rows;
    Ok(())
}

/// Rows of `len` values each as columns.
fn transposed(rows: &[i8], len: usize) -> Vec<i8> {
    (0..len).flat_map(|column| rows.iter().skip(column).step_by(len)).copied().collect()
}

/// The scale of a channel's accumulators, and its bias, which differs from `bias` only where no bias of that size can
/// show in the output. See the module's text.
fn accumulator_scale<'a>(
    weights: impl Iterator<Item = &'a f32> + Clone,
    bias: f64,
    input: Affine,
    output: Affine,
) -> (f64, f64) {
    const LARGEST_BIAS: f64 = (1 << 30) as f64;
    let (input, output) = (f64::from(input.scale), f64::from(output.scale));
    let largest = weights.clone().fold(0.0f32, |largest, w| largest.max(w.abs()));
    let for_weights = if largest > 0.0 { input * f64::from(scale_of(largest / 127.0)) } else { 0.0 };
    let scale = for_weights.max(libm::ldexp(output, -32));
    if bias.abs() <= LARGEST_BIAS * scale {
        return (scale, bias);
    }
    let most = 255.0 * (output + input * weights.map(|w| f64::from(w.abs())).sum::<f64>());
    let bias = bias.clamp(-most, most);
    (scale.max(bias.abs() / LARGEST_BIAS), bias)
}

/// What the sum of a filter or unit can reach, if that is more than 32 bits hold.
pub(crate) fn outgrown<'a>(bias: i32, input_zero_point: i8, weights: impl Iterator<Item = &'a i8>) -> Option<i64> {
    let ends = |w: i8| [-128, 127].map(|x| i64::from(w) * (x - i64::from(input_zero_point)));
    let [mut least, mut largest] = [i64::from(bias); 2];
    for [a, b] in weights.copied().map(ends) {
        least += a.min(b);
        largest += a.max(b);
    }
    [least, largest].into_iter().find(|&sum| i32::try_from(sum).is_err())
}

/// The ends of the clamp that an activation is.
fn clamp(activation: Activation, linear: Affine) -> [i8; 2] {
    match activation {
        Activation::Relu => [linear.zero_point, 127],
        Activation::Relu6 => [linear.zero_point, linear.quantize(6.0)],
        Activation::Linear
        | Activation::LeakyRelu { .. }
        | Activation::Sigmoid
        | Activation::Tanh
        | Activation::Softmax => [-128, 127],
    }
}

/// What follows on the clamp, and the output's scale and zero point. What a layer with weights clamps needs nothing
/// more; an activation by itself is a table.
fn after(node: &Node<'_>, activation: Activation, linear: Affine) -> Result<(OwnedAfter, Affine), QuantizeError> {
    let table = |output: Affine, function: &dyn Fn(i8) -> i8| {
        Ok((OwnedAfter::Table((-128..=127).map(function).collect()), output))
    };
    let [least, largest] = [-128, 127].map(|end| linear.dequantize(end));
    let is_alone = matches!(node.op, Op::Activation { .. });
    let classes = node.output.channels;
    match activation {
        Activation::Relu | Activation::Relu6 if is_alone => {
            let most = if matches!(activation, Activation::Relu6) { 6.0 } else { f32::INFINITY };
            let output = Affine::from_range(0.0, largest.clamp(0.0, most));
            let rule = RescaleS8::relu(linear, output, clamp(activation, output));
            table(output, &|value| rule.apply(value))
        }
        Activation::Linear | Activation::Relu | Activation::Relu6 => Ok((OwnedAfter::Nothing, linear)),
        Activation::LeakyRelu { negative_slope } => {
            let output = Affine::from_range(least.min(0.0) * negative_slope, largest);
            let rule = RescaleS8::leaky_relu(linear, output, negative_slope);
            table(output, &|value| rule.apply(value))
        }
        Activation::Softmax if classes > SoftmaxS8::MAX_CLASSES => {
            Err(QuantizeError::Classes { layer: node.name.into(), classes })
        }
        Activation::Softmax => Ok((OwnedAfter::Softmax(SoftmaxS8::new(f64::from(linear.scale))), Affine::PROBABILITY)),
        Activation::Sigmoid => table(Affine::PROBABILITY, &|value| logistic(linear, value)),
        Activation::Tanh => table(Affine::TANH, &|value| tanh(linear, value)),
    }
}
