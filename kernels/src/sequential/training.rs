//! The forward and backward pass of a training step.

use core::mem;

use super::plan::{gradient_len, stored_len};
use super::{Network, Visitor};
use crate::arch::{Backend, split_mix};
use crate::layer::{Context, Gradient, Layer};
use crate::train::{Loss, Optimizer, Trainable};

/// One step on one batch: [`forward`](Self::forward), then [`backward`](Self::backward).
pub(crate) struct TrainingPass<'a, N> {
    network: &'a N,
    cx: Context,
    /// The step's own; each layer's masks are drawn from a seed that is drawn from it.
    seed: u64,
    x: &'a [f32],
    /// Every layer's output, first to last; layers that do nothing have none.
    stored: &'a mut [f32],
    gradients: [&'a mut [f32]; 2],
    scratch: &'a mut [f32],
}

impl<'a, N: Network> TrainingPass<'a, N> {
    /// A pass over `batch` samples `x`. `memory` has at least `N::training_len(batch)` values.
    pub(crate) fn new(
        network: &'a N,
        backend: Backend,
        batch: usize,
        seed: u64,
        x: &'a [f32],
        memory: &'a mut [f32],
    ) -> Self {
        let (stored, rest) = memory.split_at_mut(batch * stored_len(N::LAYERS));
        let gradient = batch * gradient_len(N::LAYERS);
        let (first, rest) = rest.split_at_mut(gradient);
        let (second, scratch) = rest.split_at_mut(gradient);
        let cx = Context { backend, batch, dropout_seed: Some(seed) };
        Self { network, cx, seed, x, stored, gradients: [first, second], scratch }
    }

    /// Computes and keeps the outputs of every layer.
    pub(crate) fn forward(self, weights: &[f32]) -> Self {
        let TrainingPass { network, cx, seed, x, stored, gradients, scratch } = self;
        network.visit(&mut Forward { cx, seed, layer: 0, weights, x, free: &mut *stored, scratch: &mut *scratch });
        TrainingPass { network, cx, seed, x, stored, gradients, scratch }
    }

    /// The network's outputs, once computed.
    pub(crate) fn outputs(&self) -> &[f32] {
        let start = self.stored.len() - self.cx.batch * N::OUTPUT.len();
        &self.stored[start..]
    }

    /// Computes the gradients, last layer first, and updates each layer's parameters as soon as its own gradients are there:
    /// the layers before it do not depend on them any more.
    pub(crate) fn backward<O: Optimizer>(self, loss: Loss, targets: &[f32], optimizer: &O, parameters: Trainable<'_>) {
        let TrainingPass { network, cx, seed, x, stored, gradients: [dy, dx], scratch } = self;
        let outputs = &stored[stored.len() - targets.len()..];
        loss.gradient(cx.batch, outputs, targets, &mut dy[..targets.len()]);
        network.visit_back(&mut Backward {
            cx,
            seed,
            layer: N::LAYERS.len(),
            optimizer,
            parameters: Some(parameters),
            x,
            stored,
            dy,
            dx,
            of_logits: loss.is_of_logits(),
            scratch,
        });
    }
}

/// The state between two layers, first to last.
struct Forward<'a> {
    cx: Context,
    seed: u64,
    layer: u64,
    weights: &'a [f32],
    x: &'a [f32],
    free: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Visitor for Forward<'_> {
    fn layer<L: Layer>(&mut self, layer: &L) {
        let (weights, after) = self.weights.split_at(L::KERNEL_LEN + L::BIAS_LEN);
        self.weights = after;
        let cx = Context { dropout_seed: Some(split_mix(self.seed, self.layer)), ..self.cx };
        self.layer += 1;
        if layer.is_identity(&cx) {
            return;
        }
        let (y, free) = mem::take(&mut self.free).split_at_mut(cx.batch * L::OUTPUT.len());
        layer.forward(&cx, weights, self.x, y, self.scratch);
        self.x = y;
        self.free = free;
    }
}

/// The state between two layers, last to first.
struct Backward<'a, O> {
    cx: Context,
    seed: u64,
    /// The number of the layer that was visited last.
    layer: usize,
    optimizer: &'a O,
    /// Those of the layers not yet visited. Always there between two visits.
    parameters: Option<Trainable<'a>>,
    /// The network's input.
    x: &'a [f32],
    /// The outputs of the layers not yet visited.
    stored: &'a [f32],
    dy: &'a mut [f32],
    dx: &'a mut [f32],
    of_logits: bool,
    scratch: &'a mut [f32],
}

impl<O: Optimizer> Visitor for Backward<'_, O> {
    fn layer<L: Layer>(&mut self, layer: &L) {
        self.layer -= 1;
        let cx = Context { dropout_seed: Some(split_mix(self.seed, self.layer as u64)), ..self.cx };
        if layer.is_identity(&cx) {
            return;
        }
        let Some(parameters) = self.parameters.take() else { return };
        let before = parameters.weights.len() - (L::KERNEL_LEN + L::BIAS_LEN);
        let (rest, own) = parameters.split_at(before);
        self.parameters = Some(rest);

        let (inputs, outputs) = (cx.batch * L::INPUT.len(), cx.batch * L::OUTPUT.len());
        let (stored, y) = self.stored.split_at(self.stored.len() - outputs);
        self.stored = stored;
        let (x, dx) = if stored.is_empty() {
            (self.x, None)
        } else {
            (&stored[stored.len() - inputs..], Some(&mut self.dx[..inputs]))
        };
        let of_logits = mem::take(&mut self.of_logits);
        let gradient = Gradient { x, y, dy: &mut self.dy[..outputs], dx, of_logits };
        layer.backward(&cx, self.optimizer, own, gradient, self.scratch);
        mem::swap(&mut self.dy, &mut self.dx);
    }
}
