//! The forward and backward pass of a training step: loops over the nodes of a graph.

use super::backward::{Gradient, backward, before_activation, merged};
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
    /// Computes and keeps the output of every node that makes values of its own, and returns the network's. `stored`
    /// has `batch` times [`plan::stored_len`] values, `statistics` [`plan::statistics_len`]. Of the weights, moving
    /// averages change.
    pub(crate) fn forward<'m, U: Uses>(
        &self,
        weights: &mut [f32],
        stored: &'m mut [f32],
        mut statistics: &mut [f32],
        scratch: &mut [f32],
    ) -> &'m [f32] {
        let mut at = 0;
        for (number, node) in self.computing() {
            let (before, free) = stored.split_at_mut(at);
            let y = &mut free[..self.batch * node.output.len()];
            if node.op.begins_as_its_first_input() {
                y.copy_from_slice(self.kept(before, node.inputs[0]));
            }
            let cx = self.context(number);
            let own = &mut weights[node.weights..][..node.parameters()];
            for read in forward::reads(&node) {
                let x = self.kept(before, node.inputs[read]);
                forward::linear::<U>(&cx, &node, read, own, None, x, y, scratch);
            }
            activate::<U>(&cx, &node, y);
            if let Op::BatchNormalization { momentum, .. } = node.op {
                let (moments, rest) = statistics.split_at_mut(node.statistics_len());
                statistics = rest;
                moments.copy_from_slice(&scratch[..moments.len()]);
                for (moving, new) in own[moments.len()..].iter_mut().zip(&*moments) {
                    *moving = momentum * *moving + (1.0 - momentum) * new;
                }
            }
            at += y.len();
        }
        // The last that was computed.
        let len = self.batch * self.graph.output().len();
        &stored[at - len..at]
    }

    /// Computes the gradients, last layer first, and updates each layer's parameters as soon as its own gradients are
    /// there: the layers before it do not depend on them any more. `gradients` has `batch` times
    /// [`GradientPlan::values`] values.
    pub(crate) fn backward<U: Uses, O: Optimizer>(
        &self,
        loss: Loss,
        targets: &[f32],
        optimizer: &O,
        mut parameters: Trainable<'_>,
        [stored, mut statistics]: [&[f32]; 2],
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
                before_activation::<U>(self.backend, &node, y, &mut gradients[dy.clone()]);
            }
            if node.op.arity() == 2 {
                self.pass_on::<U>(number, &node, stored, gradients);
                continue;
            }
            let moments;
            (statistics, moments) = statistics.split_at(statistics.len() - node.statistics_len());
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
            let gradient = Gradient { x, y, moments, dy, dx };
            backward::<U, O>(&self.context(number), &node, optimizer, own, gradient, scratch);
            if step.adds[0] {
                self.add(gradients, step.part, step.inputs[0], x.len() / self.batch);
            }
        }
    }

    /// Passes the gradient of a node with two inputs on to both.
    fn pass_on<U: Uses>(&self, number: usize, node: &Node<'_>, stored: &[f32], gradients: &mut [f32]) {
        let step = &self.plan.steps[number];
        for (read, (to, adds)) in step.inputs.into_iter().zip(step.adds).enumerate() {
            if to == plan::INPUT {
                continue;
            }
            let [x, other] = [node.inputs[read], node.inputs[1 - read]].map(|input| self.kept(stored, input));
            let dy = batched(self.batch, step.output, node.output.len());
            let dx = batched(self.batch, to, x.len() / self.batch);
            let [dy, dx] = gradients.get_disjoint_mut([dy, dx]).expect(APART);
            match (node.op, adds) {
                (Op::Add { .. }, false) => dx.copy_from_slice(dy),
                (_, false) => {
                    dx.fill(0.0);
                    merged::<U>(&self.context(number), node, read, other, dy, dx);
                }
                (_, true) => merged::<U>(&self.context(number), node, read, other, dy, dx),
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
    fn computing(&self) -> impl DoubleEndedIterator<Item = (usize, Node<'_>)> {
        let numbers = (1..self.graph.nodes.len()).filter(|&number| !self.graph.is_alias(number, true));
        numbers.map(|number| (number, self.graph.node(number)))
    }

    /// The values that node `node` gives, of those that are kept or the network's input.
    fn kept<'k>(&'k self, stored: &'k [f32], node: u16) -> &'k [f32] {
        let source = self.graph.source(usize::from(node), true);
        if source == 0 {
            return self.x;
        }
        let at = self.plan.steps[source].stored;
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
