//! Post-training quantisation: f32 weights and calibrated ranges in, an int8 network out.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::{Affine, Calibration, SoftmaxS8, fold_zero_point, quantize_multiplier};
use crate::layer::{Activation, LayerInfo};
use crate::sequential::{Network, Stage};

/// A quantised network before it is packed: one entry for each stage of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedNetwork {
    /// Scale and zero point of the input.
    pub input: Affine,
    /// The stages.
    pub stages: Vec<QuantizedStage>,
}

/// One stage. What has no weights has empty vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedStage {
    /// A row of weights for each filter or unit: OHWI, or `[units, inputs]`.
    pub weights: Vec<i8>,
    /// The bias of each channel, with the input's zero point folded in.
    pub bias: Vec<i32>,
    /// Multiplier of each channel.
    pub multiplier: Vec<i32>,
    /// Shift of each channel.
    pub shift: Vec<i8>,
    /// Zero point of what the accumulators become.
    pub zero_point: i8,
    /// Least and largest value that they become.
    pub activation: [i8; 2],
    /// What follows.
    pub after: OwnedAfter,
    /// Scale and zero point of the stage's output, after all.
    pub output: Affine,
}

/// What follows on a stage's clamp.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedAfter {
    /// Nothing.
    Nothing,
    /// Softmax.
    Softmax(SoftmaxS8),
    /// A table for sigmoid or tanh.
    Table(Vec<i8>),
}

/// Why a network cannot be quantised.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum QuantizeError {
    /// Not as many weights as the network has parameters.
    Weights {
        /// How many there are.
        len: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A weight or bias of this layer is NaN or infinite.
    NotFinite {
        /// The layer.
        layer: &'static str,
    },
    /// Scales of this layer do not fit fixed-point arithmetic: the real multiplier is out of `2^-32..2^30`.
    Scale {
        /// The layer.
        layer: &'static str,
        /// The multiplier, `input scale x weight scale / output scale`.
        multiplier: f64,
    },
}

impl fmt::Display for QuantizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weights { len, needed } => write!(f, "there are {len} weights, but the network has {needed}"),
            Self::NotFinite { layer } => write!(f, "layer `{layer}` has a weight or bias that is NaN or infinite"),
            Self::Scale { layer, multiplier } => {
                write!(f, "layer `{layer}` would need a multiplier of {multiplier:e}, outside of 2^-32..2^30")
            }
        }
    }
}

impl core::error::Error for QuantizeError {}

/// Quantises a network: weights symmetric for each output channel, activations by the calibrated ranges, TFLite's int8 scheme.
///
/// A pooling that is fused into a convolution decides its output's range, which is narrower than the convolution's own.
///
/// # Errors
///
/// [`QuantizeError`] tells what of which layer cannot be quantised.
pub fn quantize<N: Network>(weights: &[f32], calibration: &Calibration) -> Result<QuantizedNetwork, QuantizeError> {
    if weights.len() != N::PARAMETERS {
        return Err(QuantizeError::Weights { len: weights.len(), needed: N::PARAMETERS });
    }
    let [min, max] = calibration.input;
    let input = Affine::from_range(min, max);
    let mut current = input;
    let mut stages = Vec::new();
    for stage in N::STAGES {
        let before: usize = N::LAYERS[..stage.index].iter().map(LayerInfo::parameters).sum();
        let own = &weights[before..][..stage.layer.parameters()];
        if own.iter().any(|weight| !weight.is_finite()) {
            return Err(QuantizeError::NotFinite { layer: stage.layer.name });
        }
        let quantized = quantize_stage(stage, own, current, calibration)?;
        current = quantized.output;
        stages.push(quantized);
    }
    Ok(QuantizedNetwork { input, stages })
}

fn quantize_stage(
    stage: &Stage,
    weights: &[f32],
    input: Affine,
    calibration: &Calibration,
) -> Result<QuantizedStage, QuantizeError> {
    let layer = &stage.layer;
    let channels = layer.output.channels;
    if layer.kernel_len() == 0 {
        let empty = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (weights, bias, multiplier, shift) = empty;
        let (activation, after) = ([-128, 127], OwnedAfter::Nothing);
        return Ok(QuantizedStage {
            weights,
            bias,
            multiplier,
            shift,
            zero_point: input.zero_point,
            activation,
            after,
            output: input,
        });
    }
    let observed = stage.index + usize::from(stage.pool.is_some() && layer.activation().is_clamp());
    let [min, max] = calibration.layers[observed];
    let linear = Affine::from_range(min, max);
    let (kernel, biases) = weights.split_at(layer.kernel_len());

    let (rows, scales) = quantize_kernel(layer, kernel);
    let mut bias = vec![0; channels];
    let mut multiplier = vec![0; channels];
    let mut shift = vec![0; channels];
    for (c, row) in rows.chunks_exact(layer.fan_in()).enumerate() {
        let accumulator_scale = f64::from(input.scale) * f64::from(scales[c]);
        // A float to integer cast saturates, as the bias must.
        let real = biases.get(c).map_or(0.0, |&bias| f64::from(bias));
        bias[c] = fold_zero_point(libm::round(real / accumulator_scale) as i32, input.zero_point, row);
        let real = accumulator_scale / f64::from(linear.scale);
        // Zero is a channel without weights; anything else must be representable.
        if !(real == 0.0 || (libm::ldexp(1.0, -32)..libm::ldexp(1.0, 30)).contains(&real)) {
            return Err(QuantizeError::Scale { layer: layer.name, multiplier: real });
        }
        let fixed = quantize_multiplier(real);
        multiplier[c] = fixed.multiplier;
        shift[c] = fixed.shift;
    }

    let (after, output) = after(layer.activation(), linear);
    Ok(QuantizedStage {
        weights: rows,
        bias,
        multiplier,
        shift,
        zero_point: linear.zero_point,
        activation: clamp(layer.activation(), linear),
        after,
        output,
    })
}

/// The rows of a kernel, one for each output channel, and the channels' scales: `max |w| / 127`.
fn quantize_kernel(layer: &LayerInfo<'_>, kernel: &[f32]) -> (Vec<i8>, Vec<f32>) {
    let (channels, fan_in) = (layer.output.channels, layer.fan_in());
    let mut rows = vec![0; kernel.len()];
    let mut scales = vec![0.0; channels];
    for c in 0..channels {
        // Keras keeps the output channel innermost.
        let column = || kernel.iter().skip(c).step_by(channels);
        let largest = column().fold(0.0f32, |largest, w| largest.max(w.abs()));
        // A channel of zeros may have any scale.
        scales[c] = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        for (q, w) in rows[c * fan_in..][..fan_in].iter_mut().zip(column()) {
            *q = libm::roundf(w / scales[c]).clamp(-127.0, 127.0) as i8;
        }
    }
    (rows, scales)
}

/// The ends of the clamp that an activation is.
fn clamp(activation: Activation, linear: Affine) -> [i8; 2] {
    match activation {
        Activation::Relu => [linear.zero_point, 127],
        Activation::Relu6 => [linear.zero_point, linear.quantize(6.0)],
        _ => [-128, 127],
    }
}

/// What follows on the clamp, and the output's scale and zero point.
fn after(activation: Activation, linear: Affine) -> (OwnedAfter, Affine) {
    let table = |output: Affine, function: fn(f32) -> f32| {
        let entry = |q: i16| output.quantize(function(linear.dequantize(q as i8)));
        (OwnedAfter::Table((-128..=127).map(entry).collect()), output)
    };
    match activation {
        Activation::Linear | Activation::Relu | Activation::Relu6 => (OwnedAfter::Nothing, linear),
        Activation::Softmax => (OwnedAfter::Softmax(SoftmaxS8::new(f64::from(linear.scale))), Affine::PROBABILITY),
        Activation::Sigmoid => table(Affine::PROBABILITY, |x| 1.0 / (1.0 + libm::expf(-x))),
        Activation::Tanh => table(Affine::TANH, libm::tanhf),
    }
}
