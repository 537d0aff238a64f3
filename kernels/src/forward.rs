//! The f32 forward pass: a loop over the steps of a plan.

use core::ops::Range;

use crate::LengthError;
use crate::arch::{Backend, parallel};
use crate::geometry::Geometry;
use crate::graph::{Activation, AllOps, Graph, Node, Op, Uses};
use crate::plan::{self, Plan};

/// How a batch is computed.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The kernels that run.
    pub backend: Backend,
    /// Samples in the batch.
    pub batch: usize,
    /// The seed of this step's dropout masks while training; `None` in inference, where dropout does nothing.
    pub dropout_seed: Option<u64>,
}

/// Computes the outputs of a batch: `x.len() / graph.input().len()` samples, `graph.output().len()` values each.
///
/// `plan` is one of this graph, and `memory` has at least [`plan.memory_len(graph, batch)`](Plan::memory_len) values.
///
/// To `observe`, if there is one, the outputs of each step are shown as they are computed, with the number of the node that they
/// are the output of: those before sigmoid, tanh and softmax, as calibration needs them.
///
/// # Errors
///
/// [`LengthError`] names the buffer that has the wrong length.
pub fn forward<'m>(
    graph: &Graph<'_>,
    plan: &Plan<'_>,
    backend: Backend,
    weights: &[f32],
    x: &[f32],
    memory: &'m mut [f32],
    observe: Option<&mut Observer<'_>>,
) -> Result<&'m [f32], LengthError> {
    run::<AllOps>(graph, plan, backend, weights, x, memory, observe)
}

/// What is shown the outputs of each layer.
pub type Observer<'a> = dyn FnMut(usize, &[f32]) + Send + 'a;

pub(crate) fn run<'m, U: Uses>(
    graph: &Graph<'_>,
    plan: &Plan<'_>,
    backend: Backend,
    weights: &[f32],
    x: &[f32],
    memory: &'m mut [f32],
    mut observe: Option<&mut Observer<'_>>,
) -> Result<&'m [f32], LengthError> {
    let input = graph.input().len();
    let batch = x.len() / input;
    LengthError::expect("weights", weights.len(), graph.parameters())?;
    LengthError::expect("x", x.len(), batch.max(1) * input)?;
    LengthError::expect_at_least("memory", memory.len(), plan.memory_len(graph, batch))?;

    let cx = Context { backend, batch, dropout_seed: None };
    let (activations, scratch) = memory.split_at_mut(batch * plan.values);
    parallel::inside(batch.saturating_mul(graph.macs()), || {
        for step in plan.steps {
            let node = &graph.nodes[usize::from(step.node)];
            let output = batched(batch, step.output, graph.nodes[step.makes()].output.len());
            let len = |source: u16| graph.nodes[usize::from(source)].output.len();
            // A sum begins as its first term; then the other is what it reads.
            let mut read = 0;
            if let Op::Add { .. } = node.op {
                match step.inputs[0] {
                    plan::INPUT => activations[output.clone()].copy_from_slice(x),
                    at if at == step.output => {}
                    at => activations.copy_within(batched(batch, at, output.len() / batch), output.start),
                }
                read = 1;
            }
            let (x, y) = operands(activations, x, batch, step.inputs[read], len(step.sources[read]), output);
            let own = &weights[node.weights..][..node.parameters()];
            linear::<U>(&cx, node, own, step.pool(graph), x, y, scratch);
            if let Some(observe) = &mut observe {
                observe(step.makes(), y);
            }
            activate::<U>(&cx, node, y);
        }
    });
    Ok(match plan.steps {
        [.., last] => &activations[batched(batch, last.output, graph.output().len())],
        [] => &[],
    })
}

/// The values of a batch of a tensor that lies at `offset` in one sample's memory and has `len` values.
pub(crate) fn batched(batch: usize, offset: usize, len: usize) -> Range<usize> {
    batch * offset..batch * (offset + len)
}

/// What a step reads, and what it writes. The plan gives both places of their own.
fn operands<'a>(
    activations: &'a mut [f32],
    x: &'a [f32],
    batch: usize,
    input: usize,
    len: usize,
    output: Range<usize>,
) -> (&'a [f32], &'a mut [f32]) {
    if input == plan::INPUT {
        return (x, &mut activations[output]);
    }
    let [x, y] = activations
        .get_disjoint_mut([batched(batch, input, len), output])
        .expect("a plan keeps apart what exists at the same time");
    (x, y)
}

/// Computes `y`, a node's output up to an activation that only clamps: sigmoid, tanh and softmax are left to [`activate`]. With `pool`,
/// which only convolutions get, `y` is what this max pooling makes of it. Of a sum, `y` holds the first term.
pub(crate) fn linear<U: Uses>(
    cx: &Context,
    node: &Node<'_>,
    weights: &[f32],
    pool: Option<&Geometry>,
    x: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
) {
    let (kernel, bias) = weights.split_at(node.kernel_len());
    let bias = node.op.use_bias().then_some(bias);
    match &node.op {
        Op::Conv2D { geometry, activation, .. } => {
            if const { U::BITS & Op::CONV2D != 0 } {
                let relu = matches!(activation, Activation::Relu);
                match pool {
                    Some(pool) => {
                        cx.backend.conv2d_max_pool(geometry, pool, cx.batch, x, kernel, bias, relu, y, scratch);
                    }
                    None => cx.backend.conv2d(geometry, cx.batch, x, kernel, bias, relu, y, scratch),
                }
            }
        }
        Op::DepthwiseConv2D { geometry, activation, .. } => {
            if const { U::BITS & Op::DEPTHWISE_CONV2D != 0 } {
                let relu = matches!(activation, Activation::Relu);
                cx.backend.depthwise_conv2d(geometry, cx.batch, x, kernel, bias, relu, y);
            }
        }
        Op::Dense { inputs, activation, .. } => {
            if const { U::BITS & Op::DENSE != 0 } {
                let relu = matches!(activation, Activation::Relu);
                cx.backend.dense(*inputs, node.output.channels, cx.batch, x, kernel, bias, relu, y, scratch);
            }
        }
        Op::MaxPooling2D { geometry } => {
            if const { U::BITS & Op::MAX_POOLING2D != 0 } {
                cx.backend.max_pool(geometry, cx.batch, x, y);
            }
        }
        Op::AveragePooling2D { geometry } | Op::GlobalAveragePooling2D { geometry } => {
            if const { U::BITS & (Op::AVERAGE_POOLING2D | Op::GLOBAL_AVERAGE_POOLING2D) != 0 } {
                cx.backend.average_pool(geometry, cx.batch, x, y);
            }
        }
        Op::Add { activation } => {
            if const { U::BITS & Op::ADD != 0 } {
                cx.backend.add(x, y);
                if matches!(activation, Activation::Relu) {
                    cx.backend.relu(y);
                }
            }
        }
        Op::Dropout { rate } => {
            y.copy_from_slice(x);
            if let Some(seed) = cx.dropout_seed {
                cx.backend.dropout(seed, *rate, y);
            }
        }
        Op::Input | Op::Flatten => y.copy_from_slice(x),
    }
    if const { U::BITS & Activation::Relu6.bit() != 0 } && matches!(node.op.activation(), Activation::Relu6) {
        cx.backend.relu6(y);
    }
}

/// Applies in place what [`linear`] left out. Softmax runs over the channels.
pub(crate) fn activate<U: Uses>(cx: &Context, node: &Node<'_>, y: &mut [f32]) {
    match node.op.activation() {
        Activation::Linear | Activation::Relu | Activation::Relu6 => {}
        Activation::Sigmoid => {
            if const { U::BITS & Activation::Sigmoid.bit() != 0 } {
                cx.backend.sigmoid(y);
            }
        }
        Activation::Tanh => {
            if const { U::BITS & Activation::Tanh.bit() != 0 } {
                cx.backend.tanh(y);
            }
        }
        Activation::Softmax => {
            if const { U::BITS & Activation::Softmax.bit() != 0 } {
                cx.backend.softmax(node.output.channels, y);
            }
        }
    }
}
