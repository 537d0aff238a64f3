//! 2D convolution.

use core::marker::PhantomData;

use super::{ActivationKind, Layer, Linear, PaddingKind, Valid};
use crate::geometry::{Geometry, Shape};
use crate::graph::{Node, Op};
use crate::plan::node_scratch_len;

/// `y[i, j, f] = act(bias[f] + sum over u, v, c of x[i*SH + u - top, j*SW + v - left, c] * kernel[u, v, c, f])`, inputs outside of `x`
/// counting as 0: Keras's `Conv2D`.
///
/// The input is `H x W x C`, the kernel `[KH, KW, C, F]`, the strides `SH` and `SW`; `P` is the padding, `A` the activation.
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
