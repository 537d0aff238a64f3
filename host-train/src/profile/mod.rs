//! Where the time of a training step goes: each layer and phase by itself, beside what the machine allows (its
//! roofline).
//!
//! A layer is timed alone, on buffers of its own, through the same functions as in training. The gradient for its
//! inputs is what the backward pass takes longer when it is wanted. Operations are those of the textbook's formulas: a
//! kernel that needs fewer can exceed 100 % of the peak, which is that of f32, and so can one of bf16. Bytes are each
//! value once, in or out: what must move if no cache held it.

mod machine;
mod table;

use serde::Serialize;
use thumbnet::{
    arch::{Backend, Trainable},
    graph::Graph,
    layer::{Context, backward, forward},
    plan::GradientPlanBuf,
    train::{Adadelta, Buffers, Initializer, Optimizer, Settings, Trainer, initialize},
};

use crate::{
    memory::{NoMemory, Values},
    model::usual_loss,
};
pub use machine::Machine;
use machine::seconds;

/// Where the time of one training step goes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    /// The network's name.
    pub network: String,
    /// The kernels that ran.
    pub backend: &'static str,
    /// Threads.
    pub threads: usize,
    /// Samples in the batch.
    pub batch: usize,
    /// What the machine can do.
    pub machine: Machine,
    /// Layer after layer, phase after phase; layers that do nothing are left out.
    pub rows: Vec<Row>,
    /// Seconds of a whole training step, measured by itself.
    pub step_seconds: f64,
}

/// One phase of one layer, for the whole batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The layer's name.
    pub layer: String,
    /// The phase.
    pub phase: Phase,
    /// Seconds, the least of all repetitions.
    pub seconds: f64,
    /// Floating-point operations by the textbook: two a multiply-accumulate; others are not counted.
    pub flops: f64,
    /// Bytes in and out.
    pub bytes: f64,
    /// Seconds below which this machine cannot do the operations, or move the bytes from and to memory. What a cache
    /// holds can be faster.
    pub bound_seconds: f64,
    /// Whether it is the bytes that bind.
    pub memory_bound: bool,
}

/// A part of the training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Outputs from inputs.
    Forward,
    /// The gradient for the inputs.
    InputGradient,
    /// The gradients for kernel and bias, and their update.
    Update,
}

/// Profiles one Adadelta training step of a network on a batch of `batch` samples; each phase is repeated `repeats`
/// times and the fastest counts. Both are at least 1.
///
/// # Errors
///
/// [`NoMemory`] where so large a batch, or what the machine is measured with, does not fit.
pub fn profile(graph: &Graph<'_>, backend: Backend, batch: usize, repeats: usize) -> Result<Profile, NoMemory> {
    let scratch = Values::try_zeroed(GradientPlanBuf::new(graph).plan().memory_len(graph, batch))?;
    let machine = Machine::measure(backend)?;
    let mut weights = Values::try_zeroed(graph.parameters())?;
    initialize(graph, Initializer::default(), &mut weights, 1);
    let mut rows = Vec::new();
    let cx = Context { backend, batch, dropout_seed: Some(1) };
    let mut timer = Timer { cx, repeats, graph, weights: &weights, scratch, machine, rows: &mut rows };
    for number in 1..graph.nodes.len() {
        timer.layer(number);
    }
    let step_seconds = step(graph, backend, batch, repeats, &mut weights)?;
    let threads = rayon::current_num_threads();
    Ok(Profile { network: graph.name.into(), backend: backend.name(), threads, batch, machine, rows, step_seconds })
}

/// Seconds of a whole training step, the least of some.
fn step(
    graph: &Graph<'_>,
    backend: Backend,
    batch: usize,
    repeats: usize,
    weights: &mut [f32],
) -> Result<f64, NoMemory> {
    let classes = graph.output().len();
    let x = noise(batch * graph.input().len());
    let targets: Vec<f32> =
        (0..batch * classes).map(|i| f32::from(u8::from(i % classes == i / classes % classes))).collect();
    let mut slots = Values::try_zeroed(Adadelta::SLOTS * graph.parameters())?;
    let plan = GradientPlanBuf::new(graph);
    let mut memory = Values::try_zeroed(plan.plan().memory_len(graph, batch))?;
    let settings = Settings { backend, optimizer: Adadelta::default(), loss: usual_loss(graph), seed: 1 };
    let buffers = Buffers { weights, slots: &mut slots, memory: &mut memory };
    let mut trainer =
        Trainer::new(*graph, plan.plan(), settings, buffers).expect("the buffers have the network's lengths");
    let step = |()| trainer.step(&x, &targets).map(drop).expect("the batch has the network's lengths");
    Ok(least(repeats, || (), step))
}

/// Seconds of `work` on what `prepare` made: the least of `repeats`, after one that does not count.
fn least<T>(repeats: usize, mut prepare: impl FnMut() -> T, mut work: impl FnMut(T)) -> f64 {
    work(prepare());
    let mut run = || {
        let prepared = prepare();
        seconds(|| work(prepared))
    };
    (0..repeats).map(|_| run()).fold(f64::INFINITY, f64::min)
}

/// Values in -0.5..0.5 without a pattern, the same each time (a Weyl sequence).
fn noise(len: usize) -> Values {
    let value = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9) as f32 / 4_294_967_296.0 - 0.5;
    let mut values = Values::zeroed(len);
    values.iter_mut().enumerate().for_each(|(i, to)| *to = value(i));
    values
}

/// Times layers.
struct Timer<'a> {
    cx: Context,
    repeats: usize,
    graph: &'a Graph<'a>,
    weights: &'a [f32],
    scratch: Values,
    machine: Machine,
    rows: &'a mut Vec<Row>,
}

impl Timer<'_> {
    /// Adds a row for node `number`. `values` are the `f32` that move.
    fn row(&mut self, number: usize, phase: Phase, seconds: f64, values: usize) {
        let node = &self.graph.nodes[number];
        let flops = 2.0 * node.macs() as f64 * self.cx.batch as f64;
        let bytes = (size_of::<f32>() * values) as f64;
        let (bound_seconds, memory_bound) = self.machine.bound(flops, bytes);
        self.rows.push(Row { layer: node.name.into(), phase, seconds, flops, bytes, bound_seconds, memory_bound });
    }

    /// Times node `number`, unless it only passes values on.
    fn layer(&mut self, number: usize) {
        if self.graph.is_alias(number, true) {
            return;
        }
        let node = &self.graph.node(number);
        let (cx, repeats, parameters) = (self.cx, self.repeats, node.parameters());
        let weights = &self.weights[node.weights..][..parameters];
        let (inputs, outputs) = (cx.batch * self.graph.input_of(number).len(), cx.batch * node.output.len());
        let (x, mut y) = (noise(inputs), Values::zeroed(outputs));
        let scratch = &mut self.scratch;
        let forward = least(repeats, || (), |()| forward(&cx, node, weights, &x, &mut y, scratch));

        let mut weights = Values::from(weights);
        let mut state = [Values::zeroed(parameters), Values::zeroed(parameters)];
        let mut dx = Values::zeroed(inputs);
        let mut optimizer = Adadelta::default();
        let mut backward = |with_dx: bool| {
            let gradient = || noise(outputs);
            least(repeats, gradient, |mut dy| {
                optimizer.next_step();
                let [first, second] = &mut state;
                let parameters = Trainable { weights: &mut weights, state: [first, second] };
                let dx = with_dx.then_some(&mut *dx);
                backward(&cx, node, &optimizer, parameters, [&x, &y], &mut dy, dx, scratch);
            })
        };
        let update = if parameters > 0 { backward(false) } else { 0.0 };
        // The network's inputs are data, which nothing trains.
        let reads_input = self.graph.source(usize::from(node.inputs[0]), true) == 0;
        let input_gradient = (!reads_input).then(|| (backward(true) - update).max(0.0));
        let kernel = node.kernel_len();

        self.row(number, Phase::Forward, forward, inputs + parameters + outputs);
        if let Some(seconds) = input_gradient {
            self.row(number, Phase::InputGradient, seconds, outputs + kernel + inputs);
        }
        if parameters > 0 {
            // Weights and the two states are read and written.
            self.row(number, Phase::Update, update, inputs + outputs + 6 * parameters);
        }
    }
}

#[cfg(test)]
mod tests {
    use thumbnet::Network;
    use thumbnet_models::MnistSmall;

    use super::*;

    #[test]
    fn every_working_layer_has_its_phases_and_the_textbooks_operations() {
        let profile = profile(&MnistSmall::GRAPH, Backend::SCALAR, 2, 1).unwrap();
        let phases =
            |name| profile.rows.iter().filter(|row| row.layer == name).map(|row| row.phase).collect::<Vec<_>>();
        assert_eq!(phases("conv1"), [Phase::Forward, Phase::Update]);
        assert_eq!(phases("pool1"), [Phase::Forward, Phase::InputGradient]);
        assert_eq!(phases("conv2"), [Phase::Forward, Phase::InputGradient, Phase::Update]);
        assert_eq!(phases("flatten"), []);
        let forward: f64 = profile.rows.iter().filter(|row| row.phase == Phase::Forward).map(|row| row.flops).sum();
        assert_eq!(forward, (2 * 2 * MnistSmall::MACS) as f64);
        let dense = profile.rows.iter().find(|row| row.layer == "dense2" && row.phase == Phase::Update).unwrap();
        assert_eq!(dense.bytes, (4 * (2 * 32 + 2 * 10 + 6 * 330)) as f64);
        assert!(profile.rows.iter().all(|row| row.seconds >= 0.0 && row.bound_seconds > 0.0));
        assert!(profile.step_seconds > 0.0);
        let text = profile.to_string();
        assert!(text.contains("conv2") && text.contains("input gradient"), "{text}");
    }

    #[test]
    fn the_slower_roof_binds() {
        let machine = Machine { flops: 100.0, bytes: 10.0 };
        assert_eq!(machine.bound(200.0, 10.0), (2.0, false));
        assert_eq!(machine.bound(200.0, 30.0), (3.0, true));
    }
}
