//! The memory plan: how many bytes a network needs, as constants.
//!
//! Inference keeps two tensors: the input of a layer at one end of the memory, its output at the other, in turn. In a chain
//! the input and the output of the same layer must both exist while it runs, so the largest sum of the two is the least that
//! any plan can do with, and this plan needs no more. Scratch is a second piece of memory, as large as any layer wants it: a
//! network whose largest activations and largest scratch are at different layers could do with less, by at most the smaller of
//! what the two layers have to spare. (A convnet's are at the same layer, as a rule.)

use crate::arch::{Backend, Cores};
use crate::geometry::{Geometry, Shape};
use crate::layer::{Activation, LayerInfo, LayerKind};

/// One step of the quantised network: a layer, and the max pooling that is computed in the same pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// The layer's number in the network.
    pub index: usize,
    /// The layer.
    pub layer: LayerInfo<'static>,
    /// The pooling that follows it.
    pub pool: Option<Geometry>,
}

impl Stage {
    /// The stage's output for one sample.
    pub const fn output(&self) -> Shape {
        match self.pool {
            Some(pool) => pool.output(),
            None => self.layer.output,
        }
    }

    /// Bytes of scratch on this target.
    pub const fn scratch_bytes(&self) -> usize {
        match self.layer.kind {
            LayerKind::Conv2D { geometry, .. } => 4 * Backend::conv_s8_scratch_len(&geometry, self.pool.as_ref()),
            LayerKind::Dense { .. } => {
                4 * Backend::dense_s8_scratch_len(self.layer.input.len(), self.layer.output.len())
            }
            _ => 0,
        }
    }

    /// Bytes of scratch on a device with such a core.
    pub const fn scratch_bytes_on(&self, cores: Cores) -> usize {
        match self.layer.kind {
            LayerKind::Conv2D { geometry, .. } => 4 * cores.conv_s8_scratch_len(&geometry, self.pool.as_ref()),
            LayerKind::Dense { .. } => 4 * cores.dense_s8_scratch_len(self.layer.input.len(), self.layer.output.len()),
            _ => 0,
        }
    }
}

/// The larger of two numbers.
const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// The sum of the layers' parameters.
pub const fn parameters(layers: &[LayerInfo<'_>]) -> usize {
    let (mut sum, mut i) = (0, 0);
    while i < layers.len() {
        sum += layers[i].parameters();
        i += 1;
    }
    sum
}

/// The sum of the layers' multiply-accumulates.
pub const fn total_macs(layers: &[LayerInfo<'_>]) -> usize {
    let (mut sum, mut i) = (0, 0);
    while i < layers.len() {
        sum += layers[i].macs();
        i += 1;
    }
    sum
}

/// Bytes for the activations of a quantised network: the largest sum of a stage's input and output. The first stage's input
/// is the caller's image and does not count.
pub const fn activation_bytes(stages: &[Stage]) -> usize {
    let mut bytes = 0;
    let mut i = 0;
    while i < stages.len() {
        let input = if i == 0 { 0 } else { stages[i - 1].output().len() };
        bytes = max(bytes, input + stages[i].output().len());
        i += 1;
    }
    bytes
}

/// Bytes of scratch for a quantised network on this target: the largest of its stages.
pub const fn scratch_bytes(stages: &[Stage]) -> usize {
    let (mut bytes, mut i) = (0, 0);
    while i < stages.len() {
        bytes = max(bytes, stages[i].scratch_bytes());
        i += 1;
    }
    bytes
}

/// Bytes of scratch for a quantised network on a device with such a core, whatever this target is.
pub const fn scratch_bytes_on(cores: Cores, stages: &[Stage]) -> usize {
    let (mut bytes, mut i) = (0, 0);
    while i < stages.len() {
        bytes = max(bytes, stages[i].scratch_bytes_on(cores));
        i += 1;
    }
    bytes
}

/// How many `f32` of scratch one layer works in, forward or backward, for a batch.
pub const fn scratch_len(layer: &LayerInfo<'_>, batch: usize) -> usize {
    match layer.kind {
        // The gradient of a convolution's parameters and of a bias is made as a whole, that of a dense kernel in blocks.
        LayerKind::Conv2D { geometry, .. } => layer.parameters() + Backend::conv2d_scratch_len(&geometry, batch),
        LayerKind::Dense { .. } => {
            layer.bias_len() + Backend::dense_scratch_len(layer.input.len(), layer.output.len(), batch)
        }
        _ => 0,
    }
}

/// The largest scratch of any layer.
pub(super) const fn largest_scratch(layers: &[LayerInfo<'_>], batch: usize) -> usize {
    let (mut scratch, mut i) = (0, 0);
    while i < layers.len() {
        scratch = max(scratch, scratch_len(&layers[i], batch));
        i += 1;
    }
    scratch
}

/// The max pooling that the forward pass computes together with layer `i`: the next layer, where layer `i` is a convolution
/// whose activation is part of its kernel, and the kernel takes the pooling as well.
pub(super) const fn fused_pool(layers: &[LayerInfo<'_>], i: usize) -> Option<Geometry> {
    if i + 1 >= layers.len() {
        return None;
    }
    match (layers[i].kind, layers[i + 1].kind) {
        (
            LayerKind::Conv2D { geometry, activation: Activation::Linear | Activation::Relu, .. },
            LayerKind::MaxPooling2D { geometry: pool },
        ) if Backend::fuses_max_pool(&geometry, &pool) => Some(pool),
        _ => None,
    }
}

/// How many `f32` of scratch layer `i` works in, forward, for a batch, together with the max pooling that is computed with it.
///
/// # Panics
///
/// If there are not so many layers.
pub const fn inference_scratch_len(layers: &[LayerInfo<'_>], i: usize, batch: usize) -> usize {
    match (layers[i].kind, fused_pool(layers, i)) {
        (LayerKind::Conv2D { geometry, .. }, Some(pool)) => Backend::conv2d_max_pool_scratch_len(&geometry, &pool),
        (LayerKind::Conv2D { geometry, .. }, None) => Backend::conv2d_scratch_len(&geometry, batch),
        (LayerKind::Dense { .. }, _) => {
            Backend::dense_scratch_len(layers[i].input.len(), layers[i].output.len(), batch)
        }
        _ => 0,
    }
}

/// The largest of these.
pub(super) const fn inference_scratch(layers: &[LayerInfo<'_>], batch: usize) -> usize {
    let mut scratch = 0;
    let mut i = 0;
    while i < layers.len() {
        scratch = max(scratch, inference_scratch_len(layers, i, batch));
        i += 1;
    }
    scratch
}

/// How many `f32` a forward pass works in: input and output of a layer, or of a convolution and the max pooling that is computed
/// with it; and scratch.
pub const fn inference_len(layers: &[LayerInfo<'_>], batch: usize) -> usize {
    batch * inference_values(layers, true) + inference_scratch(layers, batch)
}

/// As [`inference_len`], for a pass that shows the outputs of each layer and so computes them all.
pub const fn observed_len(layers: &[LayerInfo<'_>], batch: usize) -> usize {
    batch * inference_values(layers, false) + largest_scratch(layers, batch)
}

/// Values of one sample that the forward pass keeps, at most: a layer's input and output. The network's input is the caller's;
/// layers that only pass values on, other than the first, take no memory.
const fn inference_values(layers: &[LayerInfo<'_>], fuse: bool) -> usize {
    let (mut values, mut input) = (0, 0);
    let mut i = 0;
    while i < layers.len() {
        let pool = if fuse { fused_pool(layers, i) } else { None };
        let passes_on = matches!(layers[i].kind, LayerKind::Flatten | LayerKind::Dropout { .. });
        if i == 0 || !passes_on {
            let output = match pool {
                Some(pool) => pool.output().len(),
                None => layers[i].output.len(),
            };
            values = max(values, input + output);
            input = output;
        }
        i += if pool.is_some() { 2 } else { 1 };
    }
    values
}

/// How many `f32` a training step works in: every layer's output, two gradients, and scratch.
pub const fn training_len(layers: &[LayerInfo<'_>], batch: usize) -> usize {
    batch * (stored_len(layers) + 2 * gradient_len(layers)) + largest_scratch(layers, batch)
}

/// Values of one sample that the forward pass keeps for the backward pass.
pub(super) const fn stored_len(layers: &[LayerInfo<'_>]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < layers.len() {
        if !matches!(layers[i].kind, LayerKind::Flatten) {
            len += layers[i].output.len();
        }
        i += 1;
    }
    len
}

/// Values of the largest gradient of one sample.
pub(super) const fn gradient_len(layers: &[LayerInfo<'_>]) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < layers.len() {
        len = max(len, layers[i].output.len());
        i += 1;
    }
    len
}
