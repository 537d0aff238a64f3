//! Fully connected layer.

use core::marker::PhantomData;

use super::{ActivationKind, Layer, Linear};
use crate::geometry::Shape;
use crate::graph::{Node, Op};
use crate::plan::node_scratch_len;

/// `y[u] = act(bias[u] + sum over i of x[i] * kernel[i, u])`: Keras's `Dense`, from a vector of `INPUTS` to one of
/// `UNITS` values.
///
/// By hand, forward and backward:
///
/// ```
/// use thumbnet::arch::Backend;
/// use thumbnet::layer::{Context, Dense, Layer, Relu};
/// use thumbnet::train::{Sgd, Trainable};
///
/// type Hidden = Dense<2, 3, Relu>;
/// let layer = Hidden::new();
/// // On a device, an array; on a PC, kernels may ask for megabytes.
/// let mut scratch = vec![0.0; Hidden::scratch_len(1)];
/// let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// let x = [1.0, 1.0];
/// // The kernel [inputs, units], then the biases.
/// let mut weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 0.5, -30.0];
/// let mut y = [0.0; 3];
/// layer.forward(&cx, &weights, &x, &mut y, &mut scratch);
/// assert_eq!(y, [5.0, 7.5, 0.0]);
///
/// let (mut dy, mut dx) = ([1.0; 3], [0.0; 2]);
/// let parameters = Trainable { weights: &mut weights, state: [&mut [], &mut []] };
/// let sgd = Sgd { learning_rate: 0.5, ..Sgd::default() };
/// layer.backward(&cx, &sgd, parameters, [&x, &y], &mut dy, Some(&mut dx), &mut scratch);
/// // The third unit gives 0 whatever changes a little.
/// assert_eq!((dy, dx), ([1.0, 1.0, 0.0], [3.0, 9.0]));
/// assert_eq!(weights, [0.5, 1.5, 3.0, 3.5, 4.5, 6.0, -0.5, 0.0, -30.0]);
/// ```
///
/// The same in int8, of scale 1 throughout:
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::int8::{DenseS8, Packing, Requantize, quantize_multiplier};
///
/// let scale = quantize_multiplier(1.0);
/// let layer = DenseS8 {
///     inputs: 2,
///     units: 3,
///     // A row for each unit.
///     weights: &[1, 4, 2, 5, 3, 6],
///     packing: Packing::Plain,
///     bias: &[0, 1, -30],
///     requantize: Requantize {
///         multiplier: &[scale.multiplier; 3],
///         shift: &[scale.shift; 3],
///         zero_point: 0,
///         activation: [0, 127],
///     },
/// };
/// let mut scratch = [0; Backend::dense_s8_scratch_len(2, 3)];
/// let mut y = [0; 3];
/// Backend::detect().dense_s8(&layer, &[1, 1], &mut y, &mut scratch);
/// assert_eq!(y, [5, 8, 0]);
/// ```
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
