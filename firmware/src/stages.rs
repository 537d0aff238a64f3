//! The measurement of each step.

use cortex_m::singleton;
use defmt::{info, unwrap};
use firmware::board::{Board, Counter, Parts, Selected};
use firmware::stack;
use thumbnet::blob::BlobError;
use thumbnet::infer::run_step;
use thumbnet::network::WorkingMemory;
use thumbnet::{Int8, Network};

use crate::images::IMAGES;
use crate::model::{BLOB, Model};

const PIXELS: usize = Model::INPUT.len();

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

/// Logs one line for each step, and one for the whole.
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

    // One step after the other, as `predict` does. A second run of a step works on what the first has left, which takes
    // as long.
    let (activations, scratch) = memory.parts();
    for (k, step) in Model::STEPS_S8.iter().enumerate() {
        let (backend, parts) = (network.backend(), network.parts());
        let mut run = || {
            run_step::<<Model as Network>::UsesS8>(backend, &parts, Model::STEPS_S8, k, image, activations, scratch);
        };
        let ((), count) = counter.count(&mut run);
        let ((), stack) = stack::used_by(run);
        let planned = &Model::INFERENCE.steps[k];
        info!(
            "layer {=str}: macs {=usize}, instructions {=u64}, ram_bytes {=usize}, stack_bytes {=usize}",
            step.name(),
            Model::GRAPH.nodes[usize::from(planned.node)].macs(),
            count,
            planned.activation_bytes(&Model::GRAPH) + planned.scratch_bytes(&Model::GRAPH),
            stack
        );
    }
    Ok(())
}
