//! Fully connected layer.

use core::marker::PhantomData;

use super::{ActivationKind, Layer, Linear};
use crate::geometry::Shape;
use crate::graph::{Node, Op};
use crate::plan::node_scratch_len;

/// `y[u] = act(bias[u] + sum over i of x[i] * kernel[i, u])`: Keras's `Dense`, from a vector of `INPUTS` to one of `UNITS` values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dense<const INPUTS: usize, const UNITS: usize, A = Linear, const BIAS: bool = true>(PhantomData<A>);

impl<const INPUTS: usize, const UNITS: usize, A: ActivationKind, const BIAS: bool> Dense<INPUTS, UNITS, A, BIAS> {
    /// The layer.
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The layer as data.
    pub const fn op(&self) -> Op {
        Op::Dense { inputs: INPUTS, use_bias: BIAS, activation: A::ACTIVATION }
    }

    /// Values of scratch for a batch, forward and backward.
    pub const fn scratch_len(batch: usize) -> usize {
        let output = Shape::vector(UNITS);
        node_scratch_len(&Node { name: "", op: Self::new().op(), inputs: [0; 2], output, weights: 0 }, batch)
    }
}

impl<const INPUTS: usize, const UNITS: usize, A: ActivationKind, const BIAS: bool> Layer
    for Dense<INPUTS, UNITS, A, BIAS>
{
    const INPUT: Shape = Shape::vector(INPUTS);
    const OUTPUT: Shape = Shape::vector(UNITS);

    fn op(&self) -> Op {
        self.op()
    }
}
