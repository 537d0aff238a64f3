//! The forward and backward pass of a training step: loops over the nodes of a graph.

use super::backward::{Gradient, backward, before_activation};
use super::{Loss, Optimizer, Trainable};
use crate::arch::{Backend, split_mix};
use crate::forward::{self, Context, activate, batched};
use crate::graph::{Graph, Node, Op, Uses};
use crate::plan::{self, GradientPlan};

/// A step on one batch: [`forward`](Self::forward), then [`backward`](Self::backward).
pub(crate) struct Pass<'a> {
    pub(crate) graph: &'a Graph<'a>,
    pub(crate) plan: &'a GradientPlan<'a>,
    pub(crate) backend: Backend,
    pub(crate) batch: usize,
    /// The step's own; each layer's masks are drawn from a seed that is drawn from it.
    pub(crate) seed: u64,
    pub(crate) x: &'a [f32],
}

impl Pass<'_> {
    /// Computes and keeps the output of every node that makes values of its own, and returns the network's. `stored` has
    /// `batch` times [`plan::stored_len`] values.
    pub(crate) fn forward<'m, U: Uses>(
        &self,
        weights: &[f32],
        stored: &'m mut [f32],
        scratch: &mut [f32],
    ) -> &'m [f32] {
        let mut at = 0;
        for (number, node) in self.computing() {
            let (before, free) = stored.split_at_mut(at);
            let y = &mut free[..self.batch * node.output.len()];
            let mut x = self.kept(before, node.inputs[0]);
            if let Op::Add { .. } = node.op {
                y.copy_from_slice(x);
                x = self.kept(before, node.inputs[1]);
            }
            let cx = self.context(number);
            forward::linear::<U>(&cx, node, &weights[node.weights..][..node.parameters()], None, x, y, scratch);
            activate::<U>(&cx, node, y);
            at += y.len();
        }
        // The last that was computed.
        let len = self.batch * self.graph.output().len();
        &stored[at - len..at]
    }

    /// Computes the gradients, last layer first, and updates each layer's parameters as soon as its own gradients are there: the
    /// layers before it do not depend on them any more. `gradients` has `batch` times [`GradientPlan::values`] values.
    pub(crate) fn backward<U: Uses, O: Optimizer>(
        &self,
        loss: Loss,
        targets: &[f32],
        optimizer: &O,
        mut parameters: Trainable<'_>,
        stored: &[f32],
        [gradients, scratch]: [&mut [f32]; 2],
    ) {
        let last = self.graph.source(self.graph.nodes.len() - 1, true);
        let outputs = self.kept(stored, last as u16);
        let dy = batched(self.batch, self.plan.steps[last].output, outputs.len() / self.batch);
        loss.gradient(self.batch, outputs, targets, &mut gradients[dy]);
        for (number, node) in self.computing().rev() {
            let (rest, own) = parameters.split_at(node.weights);
            parameters = rest;
            let y = self.kept(stored, number as u16);
            let dy = batched(self.batch, self.plan.steps[number].output, node.output.len());
            if !(number == last && loss.is_of_logits()) {
                before_activation::<U>(self.backend, node, y, &mut gradients[dy.clone()]);
            }
            if let Op::Add { .. } = node.op {
                self.pass_on(number, node, gradients);
                continue;
            }
            let step = &self.plan.steps[number];
            let x = self.kept(stored, node.inputs[0]);
            let made = if step.adds[0] { step.part } else { step.inputs[0] };
            let (dy, dx) = if made == plan::INPUT {
                (&gradients[dy], None)
            } else {
                let dx = batched(self.batch, made, x.len() / self.batch);
                let [dy, dx] = gradients.get_disjoint_mut([dy, dx]).expect(APART);
                (&*dy, Some(dx))
            };
            backward::<U, O>(&self.context(number), node, optimizer, own, Gradient { x, y, dy, dx }, scratch);
            if step.adds[0] {
                self.add(gradients, step.part, step.inputs[0], x.len() / self.batch);
            }
        }
    }

    /// Passes the gradient of a sum on to both terms.
    fn pass_on(&self, number: usize, node: &Node<'_>, gradients: &mut [f32]) {
        let step = &self.plan.steps[number];
        for (to, adds) in step.inputs.into_iter().zip(step.adds) {
            if to == plan::INPUT {
                continue;
            }
            if adds {
                self.add(gradients, step.output, to, node.output.len());
            } else {
                let from = batched(self.batch, step.output, node.output.len());
                gradients.copy_within(from, self.batch * to);
            }
        }
    }

    /// Adds the gradient at `from` to that at `to`.
    fn add(&self, gradients: &mut [f32], from: usize, to: usize, len: usize) {
        let [part, sum] = [from, to].map(|at| batched(self.batch, at, len));
        let [part, sum] = gradients.get_disjoint_mut([part, sum]).expect(APART);
        self.backend.add(part, sum);
    }

    /// The nodes that make values of their own, with their numbers.
    fn computing(&self) -> impl DoubleEndedIterator<Item = (usize, &Node<'_>)> {
        self.graph.nodes.iter().enumerate().skip(1).filter(|(_, node)| !node.op.is_alias(true))
    }

    /// The values that node `node` gives, of those that are kept or the network's input.
    fn kept<'k>(&'k self, stored: &'k [f32], node: u16) -> &'k [f32] {
        let source = self.graph.source(usize::from(node), true);
        if source == 0 {
            return self.x;
        }
        let at = plan::stored_offset(self.graph, source);
        &stored[batched(self.batch, at, self.graph.nodes[source].output.len())]
    }

    /// How node `number` is computed: its masks have a seed of their own.
    fn context(&self, number: usize) -> Context {
        let seed = split_mix(self.seed, number as u64 - 1);
        Context { backend: self.backend, batch: self.batch, dropout_seed: Some(seed) }
    }
}

/// Why two gradients that are borrowed together never overlap.
const APART: &str = "a plan keeps apart what exists at the same time";
