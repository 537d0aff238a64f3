//! 2D convolution of each channel by itself.

use core::marker::PhantomData;

use super::{ActivationKind, Layer, Linear, PaddingKind, Valid};
use crate::geometry::{Geometry, Shape};
use crate::graph::Op;

/// `y[i, j, c*M + m] = act(bias[c*M + m] + sum over u, v of x[i*SH + u - top, j*SW + v - left, c] * kernel[u, v, c,
/// m])`, inputs outside of `x` counting as 0: Keras's `DepthwiseConv2D`.
///
/// The input is `H x W x C`, the kernel `[KH, KW, C, M]`, `M` Keras's `depth_multiplier`, the strides `SH` and `SW`;
/// `P` is the padding, `A` the activation.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{Context, DepthwiseConv2D, Layer};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// // Two channels, each with a kernel of two rows and a bias.
/// type Differences = DepthwiseConv2D<2, 1, 2, 1, 2, 1>;
/// let weights = [1.0, 1.0, -1.0, 1.0, 0.0, 0.5];
/// let mut y = [0.0; 2];
/// Differences::new().forward(&cx, &weights, &[5.0, 6.0, 3.0, 4.0], &mut y, &mut []);
/// assert_eq!(y, [2.0, 10.5]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DepthwiseConv2D<
    const H: usize,
    const W: usize,
    const C: usize,
    const M: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize = 1,
    const SW: usize = 1,
    P = Valid,
    A = Linear,
    const BIAS: bool = true,
>(PhantomData<(P, A)>);

/// Writes the eleven parameters once.
macro_rules! depthwise_conv2d {
    (impl [$($of:tt)*] { $($items:tt)* }) => {
        impl<
            const H: usize,
            const W: usize,
            const C: usize,
            const M: usize,
            const KH: usize,
            const KW: usize,
            const SH: usize,
            const SW: usize,
            P: PaddingKind,
            A: ActivationKind,
            const BIAS: bool,
        > $($of)* DepthwiseConv2D<H, W, C, M, KH, KW, SH, SW, P, A, BIAS>
        {
            $($items)*
        }
    };
}

depthwise_conv2d! {
    impl [] {
        /// The sizes of the window. A window that does not fit is an error at compile time.
        pub const GEOMETRY: Geometry = match Geometry::new(
            Shape::new(H, W, C), C.saturating_mul(M), [KH, KW], [SH, SW], P::PADDING,
        ) {
            Ok(geometry) => geometry,
            Err(error) => panic!("{}", error.message()),
        };

        /// The layer.
        pub const fn new() -> Self {
            Self(PhantomData)
        }

        /// The layer as data.
        pub const fn op(&self) -> Op {
            Op::DepthwiseConv2D { geometry: Self::GEOMETRY, use_bias: BIAS, activation: A::ACTIVATION }
        }
    }
}

depthwise_conv2d! {
    impl [Layer for] {
        const INPUT: Shape = Self::GEOMETRY.input();
        const OUTPUT: Shape = Self::GEOMETRY.output();

        fn op(&self) -> Op {
            self.op()
        }
    }
}
