//! The weights of a step, the batch normalisations before and behind it folded into them.

use alloc::vec;
use alloc::vec::Vec;

use super::QuantizeError;
use crate::graph::{Graph, Node, Op};
use crate::plan::Step;

/// The kernel of a step and its bias, which may be empty.
pub(super) struct Folded {
    pub(super) kernel: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// A batch normalisation: `x` of channel `c` becomes `(x - mean[c]) * factor[c] + beta[c]`.
struct Normalization<'a> {
    node: &'a Node<'a>,
    /// `gamma[c] / sqrt(moving variance[c] + epsilon)`.
    factor: Vec<f64>,
    beta: &'a [f32],
    mean: &'a [f32],
}

/// The weights of a step. The [`Normalization`] behind it makes of a kernel `kernel[.., c] * factor[c]`, and of the
/// bias `(bias[c] - mean[c]) * factor[c] + beta[c]`. That before it, of the inputs `i`, makes of a kernel
/// `kernel[.., i, c] * factor[i]`, and adds `kernel[.., i, c] * (beta[i] - mean[i] * factor[i])` to the bias; inputs of
/// very different factors share an output channel's scale then, as they share the input's. One that neither takes has
/// the kernel `factor` of a depthwise convolution.
pub(super) fn folded(graph: &Graph<'_>, step: &Step, weights: &[f32]) -> Result<Folded, QuantizeError> {
    let own = |node: u16| {
        let node = &graph.nodes[usize::from(node)];
        let own = &weights[node.weights..][..node.parameters()];
        if own.iter().all(|weight| weight.is_finite()) {
            Ok((node, own))
        } else {
            Err(QuantizeError::NotFinite { layer: node.name.into() })
        }
    };
    let normalization = |node: u16| own(node).map(|(node, weights)| Normalization::new(node, weights));
    let (node, weights) = own(step.node)?;
    if let Some(normalization) = Normalization::new(node, weights) {
        return Folded { kernel: vec![1.0; node.output.channels], bias: Vec::new() }.and(&normalization);
    }
    let (kernel, bias) = weights.split_at(node.kernel_len());
    let mut folded = Folded { kernel: kernel.into(), bias: bias.into() };
    if let Some(normalization) = normalization(step.before)? {
        folded = folded.behind(&normalization, node)?;
    }
    if let Some(normalization) = normalization(step.normalization)? {
        folded = folded.and(&normalization)?;
    }
    Ok(folded)
}

impl<'a> Normalization<'a> {
    /// `None` for another layer.
    fn new(node: &'a Node<'a>, weights: &'a [f32]) -> Option<Self> {
        let Op::BatchNormalization { epsilon, .. } = node.op else { return None };
        let mut tensors = weights.chunks_exact(node.output.channels);
        let [gamma, beta, mean, variance] = core::array::from_fn(|_| tensors.next().unwrap_or_default());
        let root = |variance: &f32| libm::sqrt(f64::from(*variance) + f64::from(epsilon));
        let factor = gamma.iter().zip(variance).map(|(gamma, variance)| f64::from(*gamma) / root(variance)).collect();
        Some(Self { node, factor, beta, mean })
    }

    /// An error where the weights are not finite: a variance below 0 has no root, and a factor may be too large.
    fn check(&self, folded: Folded) -> Result<Folded, QuantizeError> {
        if folded.kernel.iter().chain(&folded.bias).all(|weight| weight.is_finite()) {
            Ok(folded)
        } else {
            Err(QuantizeError::NotFinite { layer: self.node.name.into() })
        }
    }
}

impl Folded {
    /// The same with a batch normalisation behind it.
    fn and(mut self, normalization: &Normalization<'_>) -> Result<Self, QuantizeError> {
        let Normalization { factor, beta, mean, .. } = normalization;
        let channels = factor.len();
        self.bias.resize(channels, 0.0);
        for (c, &factor) in factor.iter().enumerate() {
            for weight in self.kernel.iter_mut().skip(c).step_by(channels) {
                *weight = (f64::from(*weight) * factor) as f32;
            }
            self.bias[c] = ((f64::from(self.bias[c]) - f64::from(mean[c])) * factor + f64::from(beta[c])) as f32;
        }
        normalization.check(self)
    }

    /// The same of a layer `node` with a batch normalisation before it.
    fn behind(mut self, normalization: &Normalization<'_>, node: &Node<'_>) -> Result<Self, QuantizeError> {
        let Normalization { factor, beta, mean, .. } = normalization;
        let (inputs, outputs) = (factor.len(), node.output.channels);
        let is_depthwise = matches!(node.op, Op::DepthwiseConv2D { .. });
        self.bias.resize(outputs, 0.0);
        let mut bias: Vec<f64> = self.bias.iter().map(|&bias| f64::from(bias)).collect();
        for (at, weight) in self.kernel.iter_mut().enumerate() {
            let (row, output) = (at / outputs, at % outputs);
            // A depthwise convolution has a row for each tap, the others one for each tap and input.
            let i = if is_depthwise { output / (outputs / inputs) } else { row % inputs };
            bias[output] += f64::from(*weight) * (f64::from(beta[i]) - f64::from(mean[i]) * factor[i]);
            *weight = (f64::from(*weight) * factor[i]) as f32;
        }
        self.bias = bias.into_iter().map(|bias| bias as f32).collect();
        normalization.check(self)
    }
}
