//! From a graph to steps: what runs together, and where each tensor lies. All of it can be computed at compile time.
//!
//! A [`Step`] is one call of a kernel. Layers that only pass values on have none. A max pooling may be fused into the
//! convolution before it; in int8 a batch normalisation is folded into the weights before or behind it, and a zero
//! padding into the window behind it. A sum, a product or an activation by itself takes the place of a term that
//! nothing reads any more.

mod gradient;
mod place;

#[cfg(feature = "alloc")]
pub use gradient::GradientPlanBuf;
pub use gradient::{GradientPlan, GradientStep, PlannedGradients, node_scratch_len, statistics_len, stored_len};
pub use place::{Slot, bound, place};

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

use crate::arch::{Backend, Cores};
use crate::geometry::{Geometry, Padding};
use crate::graph::{Activation, Graph, Op};

/// Which layers run as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fusion {
    /// What int8 inference fuses: a max pooling behind any convolution but one that ends with softmax; a batch
    /// normalisation and the layer with weights before it, or else behind it; a zero padding and the convolution behind
    /// it.
    Int8,
    /// What the f32 kernels fuse in inference: a max pooling where [`Backend::fuses_max_pool`], behind an activation
    /// that is part of the convolution's kernel.
    F32,
    /// Nothing, so that each layer's output can be seen.
    Nothing,
}

/// The place of what is no tensor in the network's own memory: the input, which the caller holds.
pub const INPUT: usize = usize::MAX;

/// One call of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node that is computed.
    pub node: u16,
    /// The node before it that is part of it, or 0: a zero padding of its window, or a batch normalisation of its
    /// inputs that is folded into its weights.
    pub before: u16,
    /// The batch normalisation of its outputs that is folded into its weights, or 0.
    pub normalization: u16,
    /// The max pooling that is computed with it, or 0.
    pub pool: u16,
    /// The nodes whose outputs are read. The first is the one whose place the output takes, where it does.
    pub sources: [u16; 2],
    /// Where these lie in the activations of one sample, or [`INPUT`].
    pub inputs: [usize; 2],
    /// Where the output lies.
    pub output: usize,
}

/// What a step's kernels multiply with scratch: a convolution and the pooling behind it, one of each channel by itself,
/// or a dense layer's inputs and units.
enum Products<'a> {
    Convolution(Geometry, Option<&'a Geometry>),
    Depthwise(Geometry),
    Dense(usize, usize),
    None,
}

impl Step {
    const EMPTY: Self =
        Self { node: 0, before: 0, normalization: 0, pool: 0, sources: [0; 2], inputs: [INPUT; 2], output: 0 };

    /// The node whose output this step makes.
    pub const fn makes(&self) -> usize {
        if self.pool == 0 { self.accumulates() } else { self.pool as usize }
    }

    /// The node whose output this step makes before it pools.
    pub const fn accumulates(&self) -> usize {
        if self.normalization == 0 { self.node as usize } else { self.normalization as usize }
    }

    /// The activation that the step ends with.
    pub const fn activation(&self, graph: &Graph<'_>) -> Activation {
        graph.op(self.accumulates()).activation()
    }

    /// The window of the step: the layer's, with the zero padding that is folded into it; of a batch normalisation by
    /// itself that of a depthwise convolution of single positions.
    pub const fn window(&self, graph: &Graph<'_>) -> Option<Geometry> {
        let node = &graph.nodes[self.node as usize];
        match (&node.op, node.op.window()) {
            (Op::BatchNormalization { .. }, _) => {
                let [kernel, strides] = [[1, 1]; 2];
                match Geometry::new(node.output, node.output.channels, kernel, strides, Padding::Valid) {
                    Ok(geometry) => Some(geometry),
                    Err(_) => None,
                }
            }
            (_, Some(geometry)) if is_padding(graph, self.before as usize) => {
                behind(graph, self.before as usize, geometry)
            }
            (_, Some(geometry)) => Some(*geometry),
            (_, None) => None,
        }
    }

    /// The window of the max pooling that is computed with it.
    pub const fn pool<'a>(&self, graph: &Graph<'a>) -> Option<&'a Geometry> {
        if self.pool == 0 { None } else { graph.nodes[self.pool as usize].op.window() }
    }

    /// Values of the activations that the step works on: its inputs but for the network's own, and its output.
    pub const fn activation_bytes(&self, graph: &Graph<'_>) -> usize {
        let mut bytes = graph.nodes[self.makes()].output.len();
        let mut i = 0;
        while i < graph.nodes[self.node as usize].op.arity() {
            if self.inputs[i] != INPUT && self.inputs[i] != self.output {
                bytes += graph.nodes[self.sources[i] as usize].output.len();
            }
            i += 1;
        }
        bytes
    }

    /// Bytes of int8 scratch on this target.
    pub const fn scratch_bytes(&self, graph: &Graph<'_>) -> usize {
        4 * match self.products(graph) {
            Products::Convolution(geometry, pool) => Backend::conv_s8_scratch_len(&geometry, pool),
            Products::Depthwise(geometry) => Backend::depthwise_conv_s8_scratch_len(&geometry),
            Products::Dense(inputs, units) => Backend::dense_s8_scratch_len(inputs, units),
            Products::None => 0,
        }
    }

    /// Bytes of int8 scratch on a device with such a core.
    pub const fn scratch_bytes_on(&self, cores: Cores, graph: &Graph<'_>) -> usize {
        4 * match self.products(graph) {
            Products::Convolution(geometry, pool) => cores.conv_s8_scratch_len(&geometry, pool),
            Products::Depthwise(geometry) => cores.depthwise_conv_s8_scratch_len(&geometry),
            Products::Dense(inputs, units) => cores.dense_s8_scratch_len(inputs, units),
            Products::None => 0,
        }
    }

    /// What the step's kernels multiply.
    const fn products<'a>(&self, graph: &Graph<'a>) -> Products<'a> {
        let node = &graph.nodes[self.node as usize];
        match (&node.op, self.window(graph)) {
            (Op::Conv2D { .. }, Some(geometry)) => Products::Convolution(geometry, self.pool(graph)),
            // A batch normalisation by itself is computed as one of single positions.
            (Op::DepthwiseConv2D { .. } | Op::BatchNormalization { .. }, Some(geometry)) => {
                Products::Depthwise(geometry)
            }
            (Op::Dense { inputs, .. }, _) => Products::Dense(*inputs, node.output.channels),
            (
                Op::Conv2D { .. }
                | Op::Input
                | Op::DepthwiseConv2D { .. }
                | Op::MaxPooling2D { .. }
                | Op::GlobalMaxPooling2D { .. }
                | Op::AveragePooling2D { .. }
                | Op::GlobalAveragePooling2D { .. }
                | Op::Flatten
                | Op::Reshape
                | Op::Dropout { .. }
                | Op::BatchNormalization { .. }
                | Op::Activation { .. }
                | Op::ZeroPadding2D { .. }
                | Op::Concatenate
                | Op::Add { .. }
                | Op::Multiply { .. },
                _,
            ) => Products::None,
        }
    }

    /// How many `f32` of scratch it works in, forward, for a batch.
    pub const fn scratch_len(&self, graph: &Graph<'_>, batch: usize) -> usize {
        let node = &graph.nodes[self.node as usize];
        match (self.products(graph), &node.op) {
            (Products::Convolution(geometry, Some(pool)), _) => Backend::conv2d_max_pool_scratch_len(&geometry, pool),
            (Products::Convolution(geometry, None), _) => Backend::conv2d_scratch_len(&geometry, batch),
            (Products::Dense(inputs, units), _) => Backend::dense_scratch_len(inputs, units, batch),
            (_, Op::BatchNormalization { .. }) => gradient::node_scratch_len(node, batch),
            (Products::Depthwise(_) | Products::None, _) => 0,
        }
    }
}

/// The steps of a pass, and the memory for the activations of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The steps, in the order in which they run.
    pub steps: &'a [Step],
    /// Values of memory.
    pub values: usize,
    /// The values that exist at the same time, at most: no plan can do with less.
    pub bound: usize,
}

impl Plan<'_> {
    /// Bytes of int8 scratch on this target: the largest of the steps'.
    pub const fn scratch_bytes(&self, graph: &Graph<'_>) -> usize {
        let (mut bytes, mut i) = (0, 0);
        while i < self.steps.len() {
            bytes = max(bytes, self.steps[i].scratch_bytes(graph));
            i += 1;
        }
        bytes
    }

    /// Bytes of int8 scratch on a device with such a core, whatever this target is.
    pub const fn scratch_bytes_on(&self, cores: Cores, graph: &Graph<'_>) -> usize {
        let (mut bytes, mut i) = (0, 0);
        while i < self.steps.len() {
            bytes = max(bytes, self.steps[i].scratch_bytes_on(cores, graph));
            i += 1;
        }
        bytes
    }

    /// How many `f32` of scratch a forward pass works in for a batch.
    pub const fn scratch_len(&self, graph: &Graph<'_>, batch: usize) -> usize {
        let (mut len, mut i) = (0, 0);
        while i < self.steps.len() {
            len = max(len, self.steps[i].scratch_len(graph, batch));
            i += 1;
        }
        len
    }

    /// The window of a node: of one that has a step, [that](Step::window) of the step.
    pub const fn window(&self, graph: &Graph<'_>, node: usize) -> Option<Geometry> {
        let mut i = 0;
        while i < self.steps.len() {
            if self.steps[i].node as usize == node {
                return self.steps[i].window(graph);
            }
            i += 1;
        }
        match graph.nodes[node].op.window() {
            Some(geometry) => Some(*geometry),
            None => None,
        }
    }

    /// The bits of [`Uses`](crate::graph::Uses) for the kinds of operations that the steps compute.
    pub const fn uses(&self, graph: &Graph<'_>) -> u32 {
        let (mut bits, mut i) = (0, 0);
        while i < self.steps.len() {
            let step = &self.steps[i];
            bits |= graph.nodes[step.node as usize].op.bit() | step.activation(graph).bit();
            i += 1;
        }
        bits
    }

    /// The most units of any dense layer.
    pub const fn units(&self, graph: &Graph<'_>) -> u32 {
        let (mut units, mut i) = (0, 0);
        while i < self.steps.len() {
            let node = &graph.nodes[self.steps[i].node as usize];
            if matches!(node.op, Op::Dense { .. }) {
                units = max(units, node.output.channels);
            }
            i += 1;
        }
        units as u32
    }

    /// How many `f32` a forward pass works in for a batch: activations and scratch.
    pub const fn memory_len(&self, graph: &Graph<'_>, batch: usize) -> usize {
        batch * self.values + self.scratch_len(graph, batch)
    }
}

/// A [`Plan`] with its steps, of which there are [`count`].
#[derive(Clone, Copy, Debug)]
pub struct Planned<const STEPS: usize> {
    steps: [Step; STEPS],
    values: usize,
    bound: usize,
}

impl<const STEPS: usize> Planned<STEPS> {
    /// The plan of a pass.
    pub const fn new(graph: &Graph<'_>, fusion: Fusion) -> Self {
        let mut steps = [Step::EMPTY; STEPS];
        let mut slots = [Slot::new(0, 0, 0); STEPS];
        let Memory { values, bound } = plan_into(graph, fusion, &mut steps, &mut slots);
        Self { steps, values, bound }
    }

    /// The plan, borrowed.
    pub const fn plan(&self) -> Plan<'_> {
        Plan { steps: &self.steps, values: self.values, bound: self.bound }
    }
}

/// A [`Plan`] of a network that is known only when the program runs.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug)]
pub struct PlanBuf {
    steps: Vec<Step>,
    values: usize,
    bound: usize,
}

#[cfg(feature = "alloc")]
impl PlanBuf {
    /// The plan of a pass.
    pub fn new(graph: &Graph<'_>, fusion: Fusion) -> Self {
        let count = count(graph, fusion);
        let (mut steps, mut slots) = (vec![Step::EMPTY; count], vec![Slot::new(0, 0, 0); count]);
        let Memory { values, bound } = plan_into(graph, fusion, &mut steps, &mut slots);
        Self { steps, values, bound }
    }

    /// The plan, borrowed.
    pub fn plan(&self) -> Plan<'_> {
        Plan { steps: &self.steps, values: self.values, bound: self.bound }
    }
}

/// How many steps a pass has.
pub const fn count(graph: &Graph<'_>, fusion: Fusion) -> usize {
    let (mut count, mut i) = (0, 1);
    while i < graph.nodes.len() {
        let runs = !graph.is_alias(i, false) && computed_with(graph, fusion, i) == i;
        count += runs as usize;
        i += 1;
    }
    count
}

/// The node whose step computes node `i` with it; for most nodes `i` itself.
pub const fn computed_with(graph: &Graph<'_>, fusion: Fusion, i: usize) -> usize {
    match &graph.nodes[i].op {
        Op::MaxPooling2D { .. } => {
            let maker = computed_with(graph, fusion, graph.source(graph.nodes[i].inputs[0] as usize, false));
            if fused_pool(graph, fusion, maker) == i { maker } else { i }
        }
        Op::BatchNormalization { .. } => {
            let maker = graph.source(graph.nodes[i].inputs[0] as usize, false);
            if folded_normalization(graph, fusion, maker) == i { maker } else { folded_into_reader(graph, fusion, i) }
        }
        Op::ZeroPadding2D { .. } => folded_into_reader(graph, fusion, i),
        Op::Input
        | Op::Conv2D { .. }
        | Op::DepthwiseConv2D { .. }
        | Op::GlobalMaxPooling2D { .. }
        | Op::AveragePooling2D { .. }
        | Op::GlobalAveragePooling2D { .. }
        | Op::Flatten
        | Op::Reshape
        | Op::Dense { .. }
        | Op::Dropout { .. }
        | Op::Activation { .. }
        | Op::Concatenate
        | Op::Add { .. }
        | Op::Multiply { .. } => i,
    }
}

/// The node behind node `i` that it is folded into; `i` itself where there is none.
const fn folded_into_reader(graph: &Graph<'_>, fusion: Fusion, i: usize) -> usize {
    let reader = only_reader(graph, i, false);
    if reader != 0 && folded_before(graph, fusion, reader) == i { reader } else { i }
}

/// The node before node `i` that is folded into it, or 0: a zero padding, or a batch normalisation, unless windows read
/// zeros beside it, since these are not normalised.
const fn folded_before(graph: &Graph<'_>, fusion: Fusion, i: usize) -> usize {
    let node = &graph.nodes[i];
    if !matches!(fusion, Fusion::Int8) {
        return 0;
    }
    let source = graph.source(node.inputs[0] as usize, false);
    let folds = match (&node.op, &graph.nodes[source].op) {
        (Op::Conv2D { geometry, .. } | Op::DepthwiseConv2D { geometry, .. }, Op::ZeroPadding2D { .. }) => {
            only_reader(graph, source, true) == i && behind(graph, source, geometry).is_some()
        }
        (Op::Conv2D { geometry, .. } | Op::DepthwiseConv2D { geometry, .. }, Op::BatchNormalization { .. }) => {
            only_reader(graph, source, true) == i && geometry.is_inside() && is_left(graph, fusion, source)
        }
        (Op::Dense { .. }, Op::BatchNormalization { .. }) => {
            only_reader(graph, source, false) == i && is_left(graph, fusion, source)
        }
        _ => false,
    };
    if folds { source } else { 0 }
}

/// Whether a batch normalisation is left to the layer behind it: the one before it does not take it, and no activation
/// comes between.
const fn is_left(graph: &Graph<'_>, fusion: Fusion, normalization: usize) -> bool {
    let maker = graph.source(graph.nodes[normalization].inputs[0] as usize, false);
    folded_normalization(graph, fusion, maker) != normalization && graph.op(normalization).activation().is_linear()
}

/// Whether a node is a zero padding.
const fn is_padding(graph: &Graph<'_>, i: usize) -> bool {
    matches!(graph.nodes[i].op, Op::ZeroPadding2D { .. })
}

/// A window over the output of a zero padding, as one over what that reads.
const fn behind(graph: &Graph<'_>, padding: usize, geometry: &Geometry) -> Option<Geometry> {
    let Op::ZeroPadding2D { padding: [[above, _], [left, _]] } = &graph.nodes[padding].op else { return None };
    geometry.behind_padding(graph.input_of(padding), [*above, *left])
}

/// The batch normalisation that is folded into the weights of node `i`, or 0.
const fn folded_normalization(graph: &Graph<'_>, fusion: Fusion, i: usize) -> usize {
    let has_weights = matches!(graph.nodes[i].op, Op::Conv2D { .. } | Op::DepthwiseConv2D { .. } | Op::Dense { .. });
    if !matches!(fusion, Fusion::Int8) || !has_weights || !graph.op(i).activation().is_linear() {
        return 0;
    }
    let reader = only_reader(graph, i, true);
    if matches!(graph.nodes[reader].op, Op::BatchNormalization { .. }) { reader } else { 0 }
}

/// The max pooling that is computed with node `i`, or 0.
const fn fused_pool(graph: &Graph<'_>, fusion: Fusion, i: usize) -> usize {
    let Op::Conv2D { geometry, .. } = &graph.nodes[i].op else { return 0 };
    let normalization = folded_normalization(graph, fusion, i);
    let last = if normalization == 0 { i } else { normalization };
    let reader = only_reader(graph, last, true);
    let Op::MaxPooling2D { geometry: pool } = &graph.nodes[reader].op else { return 0 };
    if !geometry.is_pooled_by(pool) {
        return 0;
    }
    let activation = graph.op(last).activation();
    let fuses = match fusion {
        // The other activations never fall, so that the maximum may be taken before.
        Fusion::Int8 => !matches!(activation, Activation::Softmax),
        Fusion::F32 => {
            matches!(activation, Activation::Linear | Activation::Relu) && Backend::fuses_max_pool(geometry, pool)
        }
        Fusion::Nothing => false,
    };
    if fuses { reader } else { 0 }
}

/// The only node that reads node `i`'s values, past those that pass them on, `in_shape` or not; 0 where there is none,
/// or more.
const fn only_reader(graph: &Graph<'_>, i: usize, in_shape: bool) -> usize {
    let mut node = i;
    loop {
        if graph.readers(node) != 1 {
            return 0;
        }
        let mut reader = node + 1;
        while graph.nodes[reader].reads(node) == 0 {
            reader += 1;
        }
        let reshapes = matches!(graph.nodes[reader].op, Op::Flatten | Op::Reshape);
        if !graph.is_alias(reader, false) || in_shape && reshapes {
            return reader;
        }
        node = reader;
    }
}

/// What [`plan_into`] finds; see [`Plan`].
struct Memory {
    values: usize,
    bound: usize,
}

/// Fills `steps` and gives each output a place; `slots` are as many, to work with.
const fn plan_into(graph: &Graph<'_>, fusion: Fusion, steps: &mut [Step], slots: &mut [Slot]) -> Memory {
    list(graph, fusion, steps);
    // Each step's output is a slot: a new one, or that of the term whose place it takes.
    let mut used = 0;
    let mut k = 0;
    while k < steps.len() {
        let last = last_reader(graph, steps, k);
        let mut shared = None;
        let terms = terms_in_place(graph, steps[k].node as usize);
        if terms < 2 || steps[k].sources[0] != steps[k].sources[1] {
            let mut term = 0;
            while term < terms && shared.is_none() {
                if let Some(maker) = maker(steps, steps[k].sources[term])
                    && last_reader(graph, steps, maker) == k
                {
                    shared = Some(steps[maker].output);
                    let [a, b] = steps[k].sources;
                    steps[k].sources = if term == 0 { [a, b] } else { [b, a] };
                }
                term += 1;
            }
        }
        steps[k].output = match shared {
            Some(slot) => slot,
            None => {
                slots[used] = Slot::new(graph.nodes[steps[k].makes()].output.len(), k, k);
                used += 1;
                used - 1
            }
        };
        slots[steps[k].output].last = last;
        k += 1;
    }
    let slots = slots.split_at_mut(used).0;
    let values = place(slots);
    let bound = bound(slots);
    let mut k = 0;
    while k < steps.len() {
        steps[k].output = slots[steps[k].output].offset;
        let arity = graph.nodes[steps[k].node as usize].op.arity();
        let mut i = 0;
        while i < arity {
            steps[k].inputs[i] = match maker(steps, steps[k].sources[i]) {
                Some(maker) => steps[maker].output,
                None => INPUT,
            };
            i += 1;
        }
        k += 1;
    }
    Memory { values, bound }
}

/// How many of a node's inputs its output may take the place of: the first ones, if they are as long.
const fn terms_in_place(graph: &Graph<'_>, node: usize) -> usize {
    let node = &graph.nodes[node];
    match node.inputs() {
        [_] if node.op.begins_as_its_first_input() => 1,
        [_, second] if node.op.begins_as_its_first_input() => {
            1 + (graph.nodes[*second as usize].output.len() == node.output.len()) as usize
        }
        _ => 0,
    }
}

/// Lists the steps, without places.
const fn list(graph: &Graph<'_>, fusion: Fusion, steps: &mut [Step]) {
    let (mut k, mut i) = (0, 1);
    while i < graph.nodes.len() {
        if !graph.is_alias(i, false) && computed_with(graph, fusion, i) == i {
            let before = folded_before(graph, fusion, i);
            let mut step = Step {
                node: i as u16,
                before: before as u16,
                normalization: folded_normalization(graph, fusion, i) as u16,
                pool: fused_pool(graph, fusion, i) as u16,
                ..Step::EMPTY
            };
            let reading = &graph.nodes[if before == 0 { i } else { before }];
            let mut input = 0;
            while input < reading.op.arity() {
                step.sources[input] = graph.source(reading.inputs[input] as usize, false) as u16;
                input += 1;
            }
            steps[k] = step;
            k += 1;
        }
        i += 1;
    }
}

/// The step that makes a node's output; `None` for the network's input.
const fn maker(steps: &[Step], node: u16) -> Option<usize> {
    let mut k = 0;
    while k < steps.len() {
        if steps[k].makes() == node as usize {
            return Some(k);
        }
        k += 1;
    }
    None
}

/// The last step that reads what step `k` makes; that after the last step for the network's output.
const fn last_reader(graph: &Graph<'_>, steps: &[Step], k: usize) -> usize {
    let made = steps[k].makes();
    if graph.source(graph.nodes.len() - 1, false) == made {
        return steps.len();
    }
    let (mut last, mut reader) = (k, k + 1);
    while reader < steps.len() {
        let arity = graph.nodes[steps[reader].node as usize].op.arity();
        let mut i = 0;
        while i < arity {
            if steps[reader].sources[i] as usize == made {
                last = reader;
            }
            i += 1;
        }
        reader += 1;
    }
    last
}

/// The larger of two numbers.
const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
