//! 2D convolution.

use core::marker::PhantomData;

use super::{ActivationKind, Layer, Linear, PaddingKind, Valid};
use crate::geometry::{Geometry, Shape};
use crate::graph::{Node, Op};
use crate::plan::node_scratch_len;

/// `y[i, j, f] = act(bias[f] + sum over u, v, c of x[i*SH + u - top, j*SW + v - left, c] * kernel[u, v, c, f])`, inputs
/// outside of `x` counting as 0: Keras's `Conv2D`.
///
/// The input is `H x W x C`, the kernel `[KH, KW, C, F]`, the strides `SH` and `SW`; `P` is the padding, `A` the
/// activation.
///
/// By hand, forward and backward:
///
/// ```
/// use thumbnet::arch::Backend;
/// use thumbnet::layer::{Context, Conv2D, Layer, Relu, Valid};
/// use thumbnet::train::{Sgd, Trainable};
///
/// type Corners = Conv2D<3, 3, 1, 1, 2, 2, 1, 1, Valid, Relu>;
/// let layer = Corners::new();
/// // On a device, an array; on a PC, kernels may ask for megabytes.
/// let mut scratch = vec![0.0; Corners::scratch_len(1)];
/// let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
/// // The kernel [height, width, channels, filters], then the biases.
/// let mut weights = [1.0, 0.0, 0.0, -1.0, 5.0];
/// let mut y = [0.0; 4];
/// layer.forward(&cx, &weights, &x, &mut y, &mut scratch);
/// assert_eq!(y, [1.0; 4]);
///
/// let (mut dy, mut dx) = ([1.0; 4], [0.0; 9]);
/// let parameters = Trainable { weights: &mut weights, state: [&mut [], &mut []] };
/// let sgd = Sgd { learning_rate: 0.5, ..Sgd::default() };
/// layer.backward(&cx, &sgd, parameters, [&x, &y], &mut dy, Some(&mut dx), &mut scratch);
/// assert_eq!(dx, [1.0, 1.0, 0.0, 1.0, 0.0, -1.0, 0.0, -1.0, -1.0]);
/// // The gradients were 12, 16, 24, 28 and 4.
/// assert_eq!(weights, [-5.0, -8.0, -12.0, -15.0, 3.0]);
/// ```
///
/// The same in int8, of scale 1 throughout:
///
/// ```
/// # use thumbnet::arch::Backend;
/// # use thumbnet::layer::{Conv2D, Relu, Valid};
/// # type Corners = Conv2D<3, 3, 1, 1, 2, 2, 1, 1, Valid, Relu>;
/// use thumbnet::int8::{ConvS8, Packing, Requantize, quantize_multiplier};
///
/// let scale = quantize_multiplier(1.0);
/// let layer = ConvS8 {
///     geometry: &Corners::GEOMETRY,
///     pool: None,
///     input_zero_point: 0,
///     weights: &[1, 0, 0, -1],
///     packing: Packing::Plain,
///     bias: &[5],
///     requantize: Requantize {
///         multiplier: &[scale.multiplier],
///         shift: &[scale.shift],
///         zero_point: 0,
///         activation: [0, 127],
///     },
/// };
/// let mut scratch = [0; Backend::conv_s8_scratch_len(&Corners::GEOMETRY, None)];
/// let mut y = [0; 4];
/// Backend::detect().conv_s8(&layer, &[1, 2, 3, 4, 5, 6, 7, 8, 9], &mut y, &mut scratch);
/// assert_eq!(y, [1; 4]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Conv2D<
    const H: usize,
    const W: usize,
    const C: usize,
    const F: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize = 1,
    const SW: usize = 1,
    P = Valid,
    A = Linear,
    const BIAS: bool = true,
>(PhantomData<(P, A)>);

/// Writes the eleven parameters once.
macro_rules! conv2d {
    (impl [$($of:tt)*] { $($items:tt)* }) => {
        impl<
            const H: usize,
            const W: usize,
            const C: usize,
            const F: usize,
            const KH: usize,
            const KW: usize,
            const SH: usize,
            const SW: usize,
            P: PaddingKind,
            A: ActivationKind,
            const BIAS: bool,
        > $($of)* Conv2D<H, W, C, F, KH, KW, SH, SW, P, A, BIAS>
        {
            $($items)*
        }
    };
}

conv2d! {
    impl [] {
        /// The sizes of the window. A window that does not fit is an error at compile time.
        pub const GEOMETRY: Geometry = match Geometry::new(Shape::new(H, W, C), F, [KH, KW], [SH, SW], P::PADDING) {
            Ok(geometry) => geometry,
            Err(error) => panic!("{}", error.message()),
        };

        /// The layer.
        pub const fn new() -> Self {
            Self(PhantomData)
        }

        /// The layer as data.
        pub const fn op(&self) -> Op {
            Op::Conv2D { geometry: Self::GEOMETRY, use_bias: BIAS, activation: A::ACTIVATION }
        }

        /// Values of scratch for a batch, forward and backward.
        pub const fn scratch_len(batch: usize) -> usize {
            let output = Self::GEOMETRY.output();
            node_scratch_len(&Node { name: "", op: Self::new().op(), inputs: [0; 2], output, weights: 0 }, batch)
        }
    }
}

conv2d! {
    impl [Layer for] {
        const INPUT: Shape = Self::GEOMETRY.input();
        const OUTPUT: Shape = Self::GEOMETRY.output();

        fn op(&self) -> Op {
            self.op()
        }
    }
}
