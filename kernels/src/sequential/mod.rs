//! What [`sequential!`](crate::sequential!) expands to: the [`Network`] trait, and all that walks over a network's layers.

#[doc(hidden)]
pub mod define;
mod forward;
mod int8;
mod memory;
mod plan;
mod training;

pub use forward::{ForwardError, forward, forward_observed};
pub use int8::Int8;
pub use memory::{Memory, WorkingMemory};
pub use plan::{
    Stage, activation_bytes, inference_len, inference_scratch_len, observed_len, parameters, scratch_bytes,
    scratch_bytes_on, scratch_len, total_macs, training_len,
};
pub(crate) use training::TrainingPass;

use crate::blob::EncodedLayer;
use crate::geometry::{Geometry, Shape};
use crate::layer::{Activation, Layer, LayerInfo};
use crate::quant::LayerS8;

/// A chain of layers whose sizes are all known at compile time. [`sequential!`](crate::sequential!) implements it.
///
/// The network itself holds no weights: they are one slice of `PARAMETERS` values, layer after layer, each layer's kernel before
/// its bias, in Keras's layouts.
pub trait Network: Sized + Copy + Send + Sync + 'static {
    /// The network.
    const NEW: Self;
    /// The name of the type.
    const NAME: &'static str;
    /// Shape of one input sample.
    const INPUT: Shape;
    /// Shape of one output sample.
    const OUTPUT: Shape;
    /// Every layer, first to last.
    const LAYERS: &'static [LayerInfo<'static>];
    /// Every layer as a blob holds it.
    const ENCODED_LAYERS: &'static [EncodedLayer];
    /// What the quantised network runs: each convolution together with the max pooling that follows it, and no layers that do
    /// nothing in inference.
    const STAGES: &'static [Stage];

    /// Trained values.
    const PARAMETERS: usize = parameters(Self::LAYERS);
    /// Multiply-accumulates of one inference.
    const MACS: usize = total_macs(Self::LAYERS);
    /// The last layer's activation.
    const OUTPUT_ACTIVATION: Activation = match Self::LAYERS.last() {
        Some(layer) => layer.activation(),
        None => Activation::Linear,
    };
    /// RAM for the activations of the int8 network, in bytes. The input image is read where it lies and not counted.
    const ACTIVATION_BYTES: usize = activation_bytes(Self::STAGES);
    /// RAM that the int8 kernels work in, in bytes.
    const SCRATCH_BYTES: usize = scratch_bytes(Self::STAGES);
    /// Bytes that a training step works in at batch 1: activations, gradients and scratch, without the weights and the
    /// optimizer's state.
    const TRAINING_BYTES: usize = 4 * training_len(Self::LAYERS, 1);

    /// One int8 image: `[i8; INPUT.len()]`.
    type Image: AsRef<[i8]> + AsMut<[i8]> + Copy + Send + Sync + for<'a> TryFrom<&'a [i8]>;
    /// The int8 outputs: `[i8; OUTPUT.len()]`.
    type Scores: AsRef<[i8]> + AsMut<[i8]> + Copy + Send + Sync;
    /// RAM of the int8 network: `ACTIVATION_BYTES` and `SCRATCH_BYTES`.
    type Memory: WorkingMemory + Send;
    /// One place for the tensors of each stage.
    type Tensors<'a>: AsRef<[LayerS8<'a>]> + AsMut<[LayerS8<'a>]> + Copy + Send + Sync;

    /// An image of zeros, to be overwritten.
    const ZERO_IMAGE: Self::Image;
    /// Outputs of zero, to be overwritten.
    const ZERO_SCORES: Self::Scores;
    /// Memory of zeros, for a `static` or a device's stack; on a PC, [`WorkingMemory::boxed`] puts it on the heap.
    const ZERO_MEMORY: Self::Memory;

    /// Tensors of no values, to be overwritten.
    fn no_tensors<'a>() -> Self::Tensors<'a>;

    /// Visits every layer, first to last.
    fn visit(&self, visitor: &mut impl Visitor);
    /// Visits every layer, last to first.
    fn visit_back(&self, visitor: &mut impl Visitor);
    /// Visits the stages of the quantised network, first to last.
    fn visit_stages(visitor: &mut impl StageVisitor);

    /// Reads a quantised network of this type from its blob, which it borrows. See [`crate::blob`].
    ///
    /// # Errors
    ///
    /// [`BlobError`](crate::blob::BlobError), for anything that is off; afterwards nothing can fail.
    fn from_blob(blob: &[u8]) -> Result<Int8<'_, Self>, crate::blob::BlobError> {
        crate::blob::read(blob)
    }

    /// How many `f32` [`forward`] works in for a batch.
    fn inference_len(batch: usize) -> usize {
        inference_len(Self::LAYERS, batch)
    }

    /// How many `f32` [`forward_observed`] works in for a batch.
    fn observed_len(batch: usize) -> usize {
        observed_len(Self::LAYERS, batch)
    }

    /// How many `f32` a training step works in for a batch.
    fn training_len(batch: usize) -> usize {
        training_len(Self::LAYERS, batch)
    }
}

/// Something done to each layer in turn. The calls are written out by the macro, each with the layer's own type, so there is
/// no table to look in at run time and no code for layers that a network lacks.
pub trait Visitor {
    /// Does it to one layer.
    fn layer<L: Layer>(&mut self, layer: &L);
}

/// Something done to each stage of a quantised network in turn.
pub trait StageVisitor {
    /// Does it to one stage: a layer, and the max pooling that is fused into it.
    fn stage<L: Layer>(&mut self, pool: Option<&'static Geometry>);
}
