//! A network as a type: what [`sequential!`](crate::sequential!) makes of a description.

#[doc(hidden)]
pub mod define;
mod int8;
mod memory;
mod run;

pub use int8::Int8;
pub use memory::{Memory, SharedMemory, WorkingMemory, largest};
pub use run::Run;

use crate::LengthError;
use crate::arch::Backend;
use crate::blob::{self, BlobError, Integrity};
use crate::forward as pass;
use crate::geometry::Shape;
use crate::graph::{Activation, Graph, Uses};
use crate::infer::StepS8;
use crate::plan::{GradientPlan, Plan};
use crate::train::{Buffers, Optimizer, Settings, TrainError, Trainer};

/// A network whose sizes are all known at compile time. [`sequential!`](crate::sequential!) implements it; all that
/// follows from the description is in [`GRAPH`](Self::GRAPH).
///
/// The network itself holds no weights: they are one slice of `PARAMETERS` values, layer after layer, each layer's
/// kernel before its bias, in Keras's layouts; of a batch normalisation gamma, beta, moving mean and moving variance.
///
/// As its sizes are constants, firmware can hold a network to the memory that it has for it, before it runs. On the
/// device's own target `SCRATCH_BYTES` is the device's; on a PC [`Plan::scratch_bytes_on`] tells it:
///
/// ```
/// use thumbnet::{Network, arch::Cores};
///
/// thumbnet::sequential! {
///     pub struct MyNet: [16, 16, 1] {
///         conv: Conv2D { filters: 8, kernel_size: 3, activation: Relu },
///         pool: MaxPooling2D,
///         flatten: Flatten,
///         dense: Dense { units: 4, activation: Softmax },
///     }
/// }
///
/// #[cfg(target_os = "none")]
/// const _: () = assert!(MyNet::ACTIVATION_BYTES + MyNet::SCRATCH_BYTES <= 4 * 1024, "MyNet takes over 4 KiB of RAM");
///
/// // In a test that runs on the PC, for a Cortex-M4.
/// const SCRATCH: usize = MyNet::INFERENCE.scratch_bytes_on(Cores::Dsp, &MyNet::GRAPH);
/// const _: () = assert!(MyNet::ACTIVATION_BYTES + SCRATCH <= 4 * 1024, "MyNet takes over 4 KiB of RAM");
/// ```
pub trait Network: Sized + Copy + Send + Sync + 'static {
    /// The layers, and what each of them reads.
    const GRAPH: Graph<'static>;
    /// The steps of the f32 forward pass.
    const FORWARD: Plan<'static>;
    /// The gradients of a training step.
    const GRADIENTS: GradientPlan<'static>;
    /// The steps of the int8 forward pass.
    const INFERENCE: Plan<'static>;
    /// The same as a device reads them.
    const STEPS_S8: &'static [StepS8<'static>];

    /// The kinds of layers that the network has: code for others is not linked.
    type Uses: Uses;
    /// The kinds of steps that the int8 forward pass has, likewise.
    type UsesS8: Uses;
    /// One int8 image: `[i8; INPUT.len()]`.
    type Image: AsRef<[i8]> + AsMut<[i8]> + Copy + Send + Sync + for<'a> TryFrom<&'a [i8]>;
    /// The int8 outputs: `[i8; OUTPUT.len()]`.
    type Scores: AsRef<[i8]> + AsMut<[i8]> + Copy + Send + Sync;
    /// RAM of the int8 network: `ACTIVATION_BYTES` and `SCRATCH_BYTES`.
    type Memory: WorkingMemory + Send;

    /// An image of zeros, to be overwritten.
    const ZERO_IMAGE: Self::Image;
    /// Outputs of zero, to be overwritten.
    const ZERO_SCORES: Self::Scores;
    /// Memory of zeros.
    const ZERO_MEMORY: Self::Memory;

    /// The name of the type.
    const NAME: &'static str = Self::GRAPH.name;
    /// Shape of one input sample.
    const INPUT: Shape = Self::GRAPH.input();
    /// Shape of one output sample.
    const OUTPUT: Shape = Self::GRAPH.output();
    /// The last layer's activation.
    const OUTPUT_ACTIVATION: Activation = Self::GRAPH.output_activation();
    /// Values of its weights: trained ones, and the moving averages of batch normalisations.
    const PARAMETERS: usize = Self::GRAPH.parameters();
    /// Multiply-accumulates of one inference.
    const MACS: usize = Self::GRAPH.macs();
    /// RAM for the activations of the int8 network, in bytes. The input image is read where it lies and not counted.
    const ACTIVATION_BYTES: usize = Self::INFERENCE.values;
    /// RAM that the int8 kernels work in, in bytes.
    const SCRATCH_BYTES: usize = Self::INFERENCE.scratch_bytes(&Self::GRAPH);
    /// RAM that the int8 network works in, in bytes.
    const MEMORY_BYTES: usize = Self::ACTIVATION_BYTES + Self::SCRATCH_BYTES;
    /// Bytes that a training step works in at batch 1: activations, gradients and scratch, without the weights and the
    /// optimizer's state.
    const TRAINING_BYTES: usize = 4 * Self::GRADIENTS.memory_len(&Self::GRAPH, 1);

    /// Reads a quantised network of this type from its blob, which it borrows. See [`crate::blob`], and
    /// [`Int8::predict`] for an example.
    ///
    /// # Errors
    ///
    /// [`BlobError`], for anything that is off; afterwards nothing can fail.
    fn from_blob(blob: &[u8]) -> Result<Int8<'_, Self>, BlobError> {
        Integrity::check(blob)?;
        Self::from_trusted_blob(blob)
    }

    /// As [`from_blob`](Self::from_blob), in a few instructions a channel: the blob's CRC, whose computation reads
    /// every byte, is not looked at. For a blob that a boot loader has checked, or that [`Integrity`] checks meanwhile.
    /// Where the bytes are not those that were written, scores may be wrong; nothing else can happen.
    ///
    /// # Errors
    ///
    /// [`BlobError`], for anything else that is off; afterwards nothing can fail.
    fn from_trusted_blob(blob: &[u8]) -> Result<Int8<'_, Self>, BlobError> {
        blob::read::<Self::UsesS8>(blob, Self::STEPS_S8).map(Int8::new)
    }

    /// How many `f32` [`forward`] works in for a batch.
    fn inference_len(batch: usize) -> usize {
        Self::FORWARD.memory_len(&Self::GRAPH, batch)
    }

    /// How many `f32` a training step works in for a batch.
    fn training_len(batch: usize) -> usize {
        Self::GRADIENTS.memory_len(&Self::GRAPH, batch)
    }
}

/// Computes the outputs of a batch: `x.len() / INPUT.len()` samples, `OUTPUT.len()` values each.
///
/// `memory` has at least `N::inference_len(batch)` values. An example begins [the crate's page](crate).
///
/// # Errors
///
/// [`LengthError`] names the buffer that has the wrong length.
pub fn forward<'m, N: Network>(
    backend: Backend,
    weights: &[f32],
    x: &[f32],
    memory: &'m mut [f32],
) -> Result<&'m [f32], LengthError> {
    pass::run::<N::Uses>(&N::GRAPH, &N::FORWARD, backend, weights, x, memory, None)
}

impl<'a, O: Optimizer, U: Uses> Trainer<'a, O, U> {
    /// Begins to train a network type.
    ///
    /// # Errors
    ///
    /// As [`Trainer::new`].
    pub fn of<N: Network<Uses = U>>(settings: Settings<O>, buffers: Buffers<'a>) -> Result<Self, TrainError> {
        Self::begin(N::GRAPH, N::GRADIENTS, settings, buffers)
    }
}
