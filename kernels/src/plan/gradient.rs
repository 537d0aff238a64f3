//! The memory of a training step: every layer's output, and the gradients for them, each for as long as it is needed.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};

use super::{Slot, max, place};
use crate::arch::Backend;
use crate::graph::{Graph, Node, Op};

/// Values of one sample that the forward pass keeps for the backward pass: the output of every layer that makes values
/// of its own.
pub const fn stored_len(graph: &Graph<'_>) -> usize {
    let (mut len, mut i) = (0, 1);
    while i < graph.nodes.len() {
        if !graph.is_alias(i, true) {
            len += graph.nodes[i].output.len();
        }
        i += 1;
    }
    len
}

/// The means and variances of the batch that the forward pass keeps for the backward pass, of every batch
/// normalisation.
pub const fn statistics_len(graph: &Graph<'_>) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < graph.nodes.len() {
        len += graph.nodes[i].statistics_len();
        i += 1;
    }
    len
}

/// What the forward pass keeps of one node, and the gradients that its backward pass reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GradientStep {
    /// Where the node's own output lies among what is kept, in values of one sample.
    pub stored: usize,
    /// Where the gradient of the loss for it lies.
    pub output: usize,
    /// Where those for its inputs lie, or [`super::INPUT`] where none is wanted.
    pub inputs: [usize; 2],
    /// Whether another reader of the input has left its gradient there, to which this one's is added.
    pub adds: [bool; 2],
    /// Where the gradient is made that is then added.
    pub part: usize,
}

impl GradientStep {
    pub(crate) const EMPTY: Self = Self { stored: 0, output: 0, inputs: [super::INPUT; 2], adds: [false; 2], part: 0 };
}

/// The gradients of every node by its number, and the memory for those of one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GradientPlan<'a> {
    /// By the node's number.
    pub steps: &'a [GradientStep],
    /// Values of memory.
    pub values: usize,
}

impl GradientPlan<'_> {
    /// How many `f32` a training step works in for a batch: every layer's output, gradients, statistics, and scratch.
    pub const fn memory_len(&self, graph: &Graph<'_>, batch: usize) -> usize {
        batch * (stored_len(graph) + self.values) + statistics_len(graph) + scratch_len(graph, batch)
    }
}

/// A [`GradientPlan`] with its steps, one for each node.
#[derive(Clone, Copy, Debug)]
pub struct PlannedGradients<const NODES: usize> {
    steps: [GradientStep; NODES],
    values: usize,
}

impl<const NODES: usize> PlannedGradients<NODES> {
    /// The plan of a graph with `NODES` nodes.
    pub const fn new(graph: &Graph<'_>) -> Self {
        let mut steps = [GradientStep::EMPTY; NODES];
        let mut slots = [[Slot::new(0, 0, 0); 2]; NODES];
        let values = plan_into(graph, &mut steps, slots.as_flattened_mut());
        Self { steps, values }
    }

    /// The plan, borrowed.
    pub const fn plan(&self) -> GradientPlan<'_> {
        GradientPlan { steps: &self.steps, values: self.values }
    }
}

/// A [`GradientPlan`] of a network that is known only when the program runs.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug)]
pub struct GradientPlanBuf {
    steps: Vec<GradientStep>,
    values: usize,
}

#[cfg(feature = "alloc")]
impl GradientPlanBuf {
    /// The plan of a graph.
    pub fn new(graph: &Graph<'_>) -> Self {
        let nodes = graph.nodes.len();
        let (mut steps, mut slots) = (vec![GradientStep::EMPTY; nodes], vec![Slot::new(0, 0, 0); 2 * nodes]);
        let values = plan_into(graph, &mut steps, &mut slots);
        Self { steps, values }
    }

    /// The plan, borrowed.
    pub fn plan(&self) -> GradientPlan<'_> {
        GradientPlan { steps: &self.steps, values: self.values }
    }
}

/// Fills `steps`, one for each node, and returns the memory for the gradients of one sample. `slots` are twice as many,
/// to work with.
///
/// A gradient comes to be when the last reader of a tensor leaves it, and is needed until the node that made the tensor
/// has read it.
pub(super) const fn plan_into(graph: &Graph<'_>, steps: &mut [GradientStep], slots: &mut [Slot]) -> usize {
    const NONE: usize = super::INPUT;
    let nodes = graph.nodes;
    let output = graph.source(nodes.len() - 1, true);
    // Until all have a place, the offsets are the numbers of slots.
    let mut used = 0;
    let (mut stored, mut node) = (0, 0);
    while node < nodes.len() {
        steps[node] = GradientStep { stored, output: NONE, part: NONE, ..GradientStep::EMPTY };
        if node > 0 && !graph.is_alias(node, true) {
            stored += nodes[node].output.len();
        }
        node += 1;
    }
    slots[used] = Slot::new(nodes[output].output.len(), 0, 0);
    steps[output].output = used;
    used += 1;
    let mut node = nodes.len();
    while node > 1 {
        node -= 1;
        if graph.is_alias(node, true) {
            continue;
        }
        let time = nodes.len() - node;
        slots[steps[node].output].last = time;
        let inputs = nodes[node].inputs();
        let mut i = 0;
        while i < inputs.len() {
            let source = graph.source(inputs[i] as usize, true);
            if source > 0 {
                let there = steps[source].output != NONE;
                if !there {
                    slots[used] = Slot::new(nodes[source].output.len(), time, time);
                    steps[source].output = used;
                    used += 1;
                }
                steps[node].inputs[i] = steps[source].output;
                steps[node].adds[i] = there;
                // With two inputs, gradients are added as they are made.
                if there && inputs.len() == 1 {
                    slots[used] = Slot::new(nodes[source].output.len(), time, time);
                    steps[node].part = used;
                    used += 1;
                }
            }
            i += 1;
        }
    }
    let slots = slots.split_at_mut(used).0;
    let values = place(slots);
    let mut node = 0;
    while node < nodes.len() {
        let step = &mut steps[node];
        step.output = offset(slots, step.output);
        step.part = offset(slots, step.part);
        step.inputs = [offset(slots, step.inputs[0]), offset(slots, step.inputs[1])];
        node += 1;
    }
    values
}

/// Where a slot lies; what is no slot stays.
const fn offset(slots: &[Slot], slot: usize) -> usize {
    if slot == super::INPUT { slot } else { slots[slot].offset }
}

/// How many `f32` of scratch any layer works in, forward or backward, for a batch.
const fn scratch_len(graph: &Graph<'_>, batch: usize) -> usize {
    let (mut len, mut i) = (0, 0);
    while i < graph.nodes.len() {
        len = max(len, node_scratch_len(&graph.nodes[i], batch));
        i += 1;
    }
    len
}

/// How many `f32` of scratch one layer works in, forward or backward, for a batch.
pub const fn node_scratch_len(node: &Node<'_>, batch: usize) -> usize {
    match &node.op {
        // The gradient of a convolution's parameters and of a bias is made as a whole, that of a dense kernel in
        // blocks.
        Op::Conv2D { geometry, .. } => node.parameters() + Backend::conv2d_scratch_len(geometry, batch),
        Op::DepthwiseConv2D { .. } => node.parameters(),
        Op::BatchNormalization { .. } => {
            node.statistics_len() + Backend::batch_normalization_scratch_len(node.output, batch)
        }
        Op::Dense { inputs, .. } => node.bias_len() + Backend::dense_scratch_len(*inputs, node.output.channels, batch),
        Op::Input
        | Op::MaxPooling2D { .. }
        | Op::AveragePooling2D { .. }
        | Op::GlobalAveragePooling2D { .. }
        | Op::GlobalMaxPooling2D { .. }
        | Op::Flatten
        | Op::Reshape
        | Op::Dropout { .. }
        | Op::Activation { .. }
        | Op::ZeroPadding2D { .. }
        | Op::Concatenate
        | Op::Add { .. }
        | Op::Multiply { .. } => 0,
    }
}
