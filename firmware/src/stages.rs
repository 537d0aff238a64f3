//! The measurement of each stage.

use cortex_m::singleton;
use defmt::{info, unwrap};
use firmware::board::{Board, Counter, Parts, Selected};
use firmware::stack;
use thumbnet::blob::BlobError;
use thumbnet::geometry::Geometry;
use thumbnet::layer::Layer;
use thumbnet::quant::LayerS8;
use thumbnet::sequential::{StageVisitor, WorkingMemory};
use thumbnet::{Int8, Network, arch::Backend};

use crate::images::IMAGES;
use crate::model::{BLOB, Model};

type BoardCounter = <Selected as Board>::Counter;

const PIXELS: usize = Model::INPUT.len();
/// Room for the input or the output of any stage.
const LARGEST: usize = if Model::ACTIVATION_BYTES > PIXELS { Model::ACTIVATION_BYTES } else { PIXELS };

/// The network's memory between canaries: its size is a result only as long as nothing else is touched.
#[repr(C)]
struct Fenced {
    before: [u8; FENCE],
    memory: <Model as Network>::Memory,
    behind: [u8; FENCE],
}

const FENCE: usize = 64;
const CANARY: u8 = 0xa5;

impl Fenced {
    const NEW: Self = Self { before: [CANARY; FENCE], memory: Model::ZERO_MEMORY, behind: [CANARY; FENCE] };

    /// Runs the network with two fillings of its memory, and panics if the scores differ or a canary is gone.
    fn check(&mut self, network: &Int8<'_, Model>, image: &<Model as Network>::Image) {
        let scores = [(0x5a, i32::MAX), (-1, -1)].map(|(activation, word)| {
            let (activations, scratch) = self.memory.parts();
            activations.fill(activation);
            scratch.fill(word);
            network.predict(image, &mut self.memory)
        });
        let [a, b] = &scores;
        assert!(a == b, "the scores depend on what was in the memory");
        let intact = self.before.iter().chain(&self.behind).all(|&byte| byte == CANARY);
        assert!(intact, "something beyond the memory was written");
    }
}

/// Logs one line for each stage, and one for the whole.
///
/// # Errors
///
/// What is wrong with the blob.
pub(crate) fn run() -> Result<(), BlobError> {
    let Parts { mut counter, .. } = Selected::start();
    let (network, read_stack) = stack::used_by(|| Model::from_blob(BLOB));
    let network = network?;
    let fenced = unwrap!(singleton!(: Fenced = Fenced::NEW));
    let image = unwrap!(singleton!(: [i8; PIXELS] = [0; PIXELS]));
    for (value, pixel) in image.iter_mut().zip(&IMAGES[1..]) {
        *value = network.input().quantize(f32::from(*pixel) / 255.0);
    }

    fenced.check(&network, image);
    let memory = &mut fenced.memory;
    let (_, total) = counter.count(|| network.predict(image, memory));
    let (_, stack) = stack::used_by(|| network.predict(image, memory));
    info!(
        "total {=str}: macs {=usize}, instructions {=u64}, ram_bytes {=usize}, stack_bytes {=usize}, \
         handle_bytes {=usize}, read_stack_bytes {=usize}",
        network.backend().name(),
        Model::MACS,
        total,
        Model::ACTIVATION_BYTES + Model::SCRATCH_BYTES,
        stack,
        size_of_val(&network),
        read_stack
    );

    let mut x = [0; LARGEST];
    x[..PIXELS].copy_from_slice(image);
    let (_, scratch) = memory.parts();
    let tensors = network.tensors();
    let visitor = &mut Stages { backend: network.backend(), tensors, stage: 0, counter, x, y: [0; LARGEST], scratch };
    Model::visit_stages(visitor);
    Ok(())
}

/// The state between two stages.
struct Stages<'a> {
    backend: Backend,
    tensors: &'a [LayerS8<'a>],
    stage: usize,
    counter: BoardCounter,
    x: [i8; LARGEST],
    y: [i8; LARGEST],
    scratch: &'a mut [i32],
}

impl StageVisitor for Stages<'_> {
    fn stage<L: Layer>(&mut self, pool: Option<&'static Geometry>) {
        let (stage, tensors) = (&Model::STAGES[self.stage], &self.tensors[self.stage]);
        let x = &self.x[..L::INPUT.len()];
        let y = &mut self.y[..stage.output().len()];
        let mut forward = || L::forward_s8(self.backend, tensors, pool, x, y, self.scratch);
        let ((), count) = self.counter.count(&mut forward);
        let ((), stack) = stack::used_by(forward);
        // The network's input is the caller's.
        let input = if self.stage == 0 { 0 } else { L::INPUT.len() };
        info!(
            "layer {=str}: macs {=usize}, instructions {=u64}, ram_bytes {=usize}, stack_bytes {=usize}",
            stage.layer.name,
            stage.layer.macs(),
            count,
            input + stage.output().len() + stage.scratch_bytes(),
            stack
        );
        core::mem::swap(&mut self.x, &mut self.y);
        self.stage += 1;
    }
}
