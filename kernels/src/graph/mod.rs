//! A network as a value: the layers in the order in which they run, and what each of them reads.
//!
//! A [`Graph`] is plain data that can be a constant, as `sequential!` makes it, or come out of a file. Everything that
//! must be known of a network follows from it: the summary, the memory plan, the blob, the forward and the backward
//! pass.

mod check;
mod op;

pub use check::GraphError;
pub use op::{Activation, AllOps, Op, Ops, Uses};

use crate::geometry::Shape;

/// One layer of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Node<'a> {
    /// The name: that of the field in the network's type.
    pub name: &'a str,
    /// What it computes.
    pub op: Op,
    /// The numbers of the nodes that it reads, of which the first [`Op::arity`] count.
    pub inputs: [u16; 2],
    /// Shape of one output sample.
    pub output: Shape,
    /// Where in the network's weights its own begin.
    pub weights: usize,
}

impl Node<'_> {
    /// The numbers of the nodes that it reads.
    pub const fn inputs(&self) -> &[u16] {
        self.inputs.split_at(self.op.arity()).0
    }

    /// How often it reads node `node`.
    pub(crate) const fn reads(&self, node: usize) -> usize {
        // The compiler interprets this for every pair of nodes of a network: what few of them are is asked first.
        let [first, second] = [self.inputs[0] as usize == node, self.inputs[1] as usize == node];
        if first || second {
            let arity = self.op.arity();
            (first && arity > 0) as usize + (second && arity > 1) as usize
        } else {
            0
        }
    }

    /// Values in the kernel; 0 for layers without one.
    pub const fn kernel_len(&self) -> usize {
        self.op.fan_in() * self.output.channels
    }

    /// Values in the bias; 0 for layers without one.
    pub const fn bias_len(&self) -> usize {
        if self.op.use_bias() { self.output.channels } else { 0 }
    }

    /// The moving averages of a batch normalisation, a mean and a variance for each channel; 0 for other layers.
    pub const fn statistics_len(&self) -> usize {
        if matches!(self.op, Op::BatchNormalization { .. }) { 2 * self.output.channels } else { 0 }
    }

    /// Its weights: kernel, then bias; of a batch normalisation gamma, beta, moving mean and moving variance.
    pub const fn parameters(&self) -> usize {
        self.kernel_len() + self.bias_len() + 2 * self.statistics_len()
    }

    /// The tensors of its weights, in their order: the names that Keras gives the variables, their dimensions, and how
    /// many of the four are used. What it does not have has no dimensions.
    pub const fn tensors(&self) -> [(&'static str, [usize; 4], usize); 4] {
        const NONE: (&str, [usize; 4], usize) = ("", [0; 4], 0);
        let vector = [self.output.channels, 0, 0, 0];
        if let Op::BatchNormalization { .. } = self.op {
            return [
                ("gamma", vector, 1),
                ("beta", vector, 1),
                ("moving_mean", vector, 1),
                ("moving_variance", vector, 1),
            ];
        }
        let (kernel, rank) = self.kernel_shape();
        [("kernel", kernel, rank), if self.op.use_bias() { ("bias", vector, 1) } else { NONE }, NONE, NONE]
    }

    /// Multiply-accumulates for one sample.
    pub const fn macs(&self) -> usize {
        self.output.len().saturating_mul(self.op.fan_in())
    }

    /// The dimensions of the kernel as Keras holds it: HWIO for a convolution, its last
    /// two the channels and the multiplier of a depthwise one, `[inputs, units]` for a dense layer, and how many
    /// of the four are used (0 without a kernel).
    pub const fn kernel_shape(&self) -> ([usize; 4], usize) {
        match &self.op {
            Op::Conv2D { geometry: g, .. } => {
                let [height, width] = g.kernel();
                ([height, width, g.input().channels, g.output().channels], 4)
            }
            Op::DepthwiseConv2D { geometry: g, .. } => {
                let ([height, width], channels) = (g.kernel(), g.input().channels);
                ([height, width, channels, g.output().channels / channels], 4)
            }
            Op::Dense { inputs, .. } => ([*inputs, self.output.channels, 0, 0], 2),
            Op::Input
            | Op::MaxPooling2D { .. }
            | Op::AveragePooling2D { .. }
            | Op::GlobalAveragePooling2D { .. }
            | Op::GlobalMaxPooling2D { .. }
            | Op::Flatten
            | Op::Reshape
            | Op::Dropout { .. }
            | Op::BatchNormalization { .. }
            | Op::Activation { .. }
            | Op::ZeroPadding2D { .. }
            | Op::Concatenate
            | Op::Add { .. }
            | Op::Multiply { .. } => ([0; 4], 0),
        }
    }
}

/// A network: its nodes in an order in which each reads earlier ones only. The first is the input, the last one's
/// output is the network's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Graph<'a> {
    /// The network's name.
    pub name: &'a str,
    /// The nodes.
    pub nodes: &'a [Node<'a>],
}

impl<'a> Graph<'a> {
    /// The layers: every node but the input.
    pub const fn layers(&self) -> &'a [Node<'a>] {
        match self.nodes {
            [_, layers @ ..] => layers,
            [] => &[],
        }
    }

    /// Shape of one input sample.
    pub const fn input(&self) -> Shape {
        self.nodes[0].output
    }

    /// Shape of one output sample.
    pub const fn output(&self) -> Shape {
        self.nodes[self.nodes.len() - 1].output
    }

    /// The activation of the last layer that computes something.
    pub const fn output_activation(&self) -> Activation {
        self.op(self.source(self.nodes.len() - 1, true)).activation()
    }

    /// Shape of what node `node` reads first; of the input's own output for the input.
    pub const fn input_of(&self, node: usize) -> Shape {
        match self.nodes[node].inputs() {
            [first, ..] => self.nodes[*first as usize].output,
            [] => self.nodes[node].output,
        }
    }

    /// Values of its weights.
    pub const fn parameters(&self) -> usize {
        let last = &self.nodes[self.nodes.len() - 1];
        last.weights + last.parameters()
    }

    /// Multiply-accumulates of one inference.
    pub const fn macs(&self) -> usize {
        let (mut sum, mut i) = (0usize, 0);
        while i < self.nodes.len() {
            sum = usize::saturating_add(sum, self.nodes[i].macs());
            i += 1;
        }
        sum
    }

    /// Whether node `node` computes nothing: it is an [alias](Op::is_alias), or an activation that the layer before it
    /// applies as its own (see [`op`](Self::op)).
    pub const fn is_alias(&self, node: usize, training: bool) -> bool {
        let Node { op, inputs, .. } = &self.nodes[node];
        if let Op::Activation { activation } = op {
            let maker = inputs[0] as usize;
            let is_applied = self.nodes[maker].op.with_activation(*activation).is_some() && self.readers(maker) == 1;
            return activation.is_linear() || is_applied;
        }
        op.is_alias(training)
    }

    /// What node `node` computes: its operation, with the activation of the layer behind it where that is an
    /// `Activation`, its only reader, and can be applied at once.
    pub const fn op(&self, node: usize) -> Op {
        let op = self.nodes[node].op;
        let mut reader = node + 1;
        while reader < self.nodes.len() {
            if self.nodes[reader].inputs[0] as usize == node
                && let Op::Activation { activation } = &self.nodes[reader].op
                && let Some(activated) = op.with_activation(*activation)
                && self.readers(node) == 1
            {
                return activated;
            }
            reader += 1;
        }
        op
    }

    /// Node `node`, with [what it computes](Self::op).
    pub const fn node(&self, node: usize) -> Node<'a> {
        Node { op: self.op(node), ..self.nodes[node] }
    }

    /// The node that computes the values of node `node`'s output: the first before it, itself included, that is no
    /// [alias](Self::is_alias).
    pub const fn source(&self, node: usize, training: bool) -> usize {
        let mut node = node;
        while self.is_alias(node, training) {
            node = self.nodes[node].inputs[0] as usize;
        }
        node
    }

    /// How many layers read node `node`'s output.
    pub const fn readers(&self, node: usize) -> usize {
        // Layers read those before them.
        let (mut count, mut i) = (0, node + 1);
        while i < self.nodes.len() {
            count += self.nodes[i].reads(node);
            i += 1;
        }
        count
    }

    /// The bits of [`Uses`] for the kinds of operations and the activations that it has.
    pub const fn uses(&self) -> u32 {
        let (mut bits, mut i) = (0, 0);
        while i < self.nodes.len() {
            bits |= self.nodes[i].op.bit() | self.nodes[i].op.activation().bit();
            i += 1;
        }
        bits
    }
}

/// The nodes with [`Node::weights`] filled in: one layer's after the other's.
pub const fn with_weights<const LEN: usize>(mut nodes: [Node<'static>; LEN]) -> [Node<'static>; LEN] {
    let (mut at, mut i) = (0, 0);
    while i < LEN {
        nodes[i].weights = at;
        at += nodes[i].parameters();
        i += 1;
    }
    nodes
}
