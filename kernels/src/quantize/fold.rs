//! The weights of a step, a batch normalisation folded into them.

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

/// The weights of a step. With the factor `f[c] = gamma[c] / sqrt(moving variance[c] + epsilon)` of a batch
/// normalisation, a kernel becomes `kernel[.., c] * f[c]`, and the bias `(bias[c] - moving mean[c]) * f[c] + beta[c]`.
/// One that no layer with weights comes before has the kernel `f` of a depthwise convolution.
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
    let (node, weights) = own(step.node)?;
    if let Op::BatchNormalization { .. } = node.op {
        return Folded { kernel: vec![1.0; node.output.channels], bias: Vec::new() }.and(node, weights);
    }
    let (kernel, bias) = weights.split_at(node.kernel_len());
    let folded = Folded { kernel: kernel.into(), bias: bias.into() };
    if step.normalization == 0 {
        return Ok(folded);
    }
    let (normalization, weights) = own(step.normalization)?;
    folded.and(normalization, weights)
}

impl Folded {
    /// The same with a batch normalisation behind it.
    fn and(mut self, node: &Node<'_>, weights: &[f32]) -> Result<Self, QuantizeError> {
        let Op::BatchNormalization { epsilon, .. } = node.op else { return Ok(self) };
        let channels = node.output.channels;
        self.bias.resize(channels, 0.0);
        let mut tensors = weights.chunks_exact(channels);
        let [gamma, beta, mean, variance] = core::array::from_fn(|_| tensors.next().unwrap_or_default());
        for c in 0..channels {
            let factor = f64::from(gamma[c]) / libm::sqrt(f64::from(variance[c]) + f64::from(epsilon));
            for weight in self.kernel.iter_mut().skip(c).step_by(channels) {
                *weight = (f64::from(*weight) * factor) as f32;
            }
            self.bias[c] = ((f64::from(self.bias[c]) - f64::from(mean[c])) * factor + f64::from(beta[c])) as f32;
        }
        // A variance below 0 has no root, and a factor may be too large.
        if self.kernel.iter().chain(&self.bias).all(|weight| weight.is_finite()) {
            Ok(self)
        } else {
            Err(QuantizeError::NotFinite { layer: node.name.into() })
        }
    }
}
