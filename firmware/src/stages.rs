//! The measurement of each step.

use core::hint::black_box;

use defmt::info;
use firmware::board::{Counter, Selected};
use firmware::stack;
use thumbnet::blob::BlobError;
use thumbnet::infer::run_step;
use thumbnet::network::WorkingMemory;
use thumbnet::{Int8, Network};

use crate::images::IMAGES;

/// The network's memory between canaries: its size is a result only as long as nothing else is touched.
#[repr(C)]
struct Fenced<M> {
    before: [u8; FENCE],
    memory: M,
    behind: [u8; FENCE],
}

const FENCE: usize = 64;
const CANARY: u8 = 0xa5;

impl<M: WorkingMemory> Fenced<M> {
    /// Runs the network with two fillings of its memory, and panics if the scores differ or a canary is gone.
    fn check<N: Network<Memory = M>>(&mut self, network: &Int8<'_, N>, image: &N::Image) {
        let scores = [(0x5a, i32::MAX), (-1, -1)].map(|(activation, word)| {
            let (activations, scratch) = self.memory.parts();
            activations.fill(activation);
            scratch.fill(word);
            let mut scores = N::ZERO_SCORES;
            network.predict_into(image, &mut self.memory, &mut scores);
            scores
        });
        let [a, b] = &scores;
        assert!(a.as_ref() == b.as_ref(), "the scores depend on what was in the memory");
        let intact = self.before.iter().chain(&self.behind).all(|&byte| byte == CANARY);
        assert!(intact, "something beyond the memory was written");
    }
}

/// Logs one line for the whole network, and one for each step.
///
/// # Errors
///
/// What is wrong with the blob.
#[inline(never)]
pub(crate) fn run<N: Network>(
    blob: &'static [u8],
    counter: &mut <Selected as firmware::board::Board>::Counter,
) -> Result<(), BlobError> {
    let (network, read_stack) = stack::used_by(|| N::from_blob(blob));
    let (_, read) = counter.count(|| N::from_blob(blob));
    let network = network?;
    let mut fenced = Fenced { before: [CANARY; FENCE], memory: N::ZERO_MEMORY, behind: [CANARY; FENCE] };
    black_box(&mut fenced);
    let mut image = N::ZERO_IMAGE;
    for (value, pixel) in image.as_mut().iter_mut().zip(IMAGES.iter().skip(1).take(784).cycle()) {
        *value = network.input().quantize(f32::from(*pixel) / 255.0);
    }

    fenced.check(&network, &image);
    let memory = &mut fenced.memory;
    let mut scores = N::ZERO_SCORES;
    let ((), total) = counter.count(|| network.predict_into(&image, memory, &mut scores));
    let ((), stack) = stack::used_by(|| network.predict_into(&image, memory, &mut scores));
    info!(
        "network {=str} {=str}: macs {=usize}, instructions {=u64}, ram_bytes {=usize}, stack_bytes {=usize}, \
         handle_bytes {=usize}, read_stack_bytes {=usize}, blob_bytes {=usize}, read_instructions {=u64}",
        N::NAME,
        network.backend().name(),
        N::MACS,
        total,
        N::ACTIVATION_BYTES + N::SCRATCH_BYTES,
        stack,
        size_of_val(&network),
        read_stack,
        blob.len(),
        read
    );

    // One step after the other, as `predict` does. A second run of a step works on what the first has left, which takes
    // as long.
    let (activations, scratch) = memory.parts();
    for (k, step) in N::STEPS_S8.iter().enumerate() {
        let (backend, parts) = (network.backend(), network.parts());
        let mut run = || {
            run_step::<N::UsesS8>(backend, &parts, N::STEPS_S8, k, image.as_ref(), activations, scratch);
        };
        let ((), count) = counter.count(&mut run);
        let ((), stack) = stack::used_by(run);
        let planned = &N::INFERENCE.steps[k];
        info!(
            "layer {=str}: macs {=usize}, outputs {=usize}, instructions {=u64}, ram_bytes {=usize}, \
             stack_bytes {=usize}",
            step.name(),
            N::GRAPH.nodes[usize::from(planned.node)].macs(),
            step.op().output_len(),
            count,
            planned.activation_bytes(&N::GRAPH) + planned.scratch_bytes(&N::GRAPH),
            stack
        );
    }
    Ok(())
}
