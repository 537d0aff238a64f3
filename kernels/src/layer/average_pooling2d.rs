//! 2D average pooling.

use core::marker::PhantomData;

use super::{Layer, PaddingKind, Valid};
use crate::geometry::{Geometry, Shape};
use crate::graph::Op;

/// The mean of each window and channel; what lies outside of the input is not counted: Keras's `AveragePooling2D`.
///
/// The input is `H x W x C`, the window `KH x KW`, the strides `SH` and `SW` (Keras's default: the window), `P` the
/// padding.
///
/// ```
/// # use thumbnet::arch::Backend;
/// use thumbnet::layer::{AveragePooling2D, Context, Layer};
///
/// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
/// let mut y = [0.0];
/// AveragePooling2D::<2, 2, 1>::new().forward(&cx, &[], &[1.0, 2.0, 3.0, 6.0], &mut y, &mut []);
/// assert_eq!(y, [3.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AveragePooling2D<
    const H: usize,
    const W: usize,
    const C: usize,
    const KH: usize = 2,
    const KW: usize = 2,
    const SH: usize = KH,
    const SW: usize = KW,
    P = Valid,
>(PhantomData<P>);

/// Writes the eight parameters once.
macro_rules! average_pooling2d {
    (impl [$($of:tt)*] { $($items:tt)* }) => {
        impl<
            const H: usize,
            const W: usize,
            const C: usize,
            const KH: usize,
            const KW: usize,
            const SH: usize,
            const SW: usize,
            P: PaddingKind,
        > $($of)* AveragePooling2D<H, W, C, KH, KW, SH, SW, P>
        {
            $($items)*
        }
    };
}

average_pooling2d! {
    impl [] {
        /// The sizes of the window. A window that does not fit is an error at compile time.
        pub const GEOMETRY: Geometry = match Geometry::new(Shape::new(H, W, C), C, [KH, KW], [SH, SW], P::PADDING) {
            Ok(geometry) => geometry,
            Err(error) => panic!("{}", error.message()),
        };

        /// The layer.
        pub const fn new() -> Self {
            Self(PhantomData)
        }

        /// The layer as data.
        pub const fn op(&self) -> Op {
            Op::AveragePooling2D { geometry: Self::GEOMETRY }
        }
    }
}

average_pooling2d! {
    impl [Layer for] {
        const INPUT: Shape = Self::GEOMETRY.input();
        const OUTPUT: Shape = Self::GEOMETRY.output();

        fn op(&self) -> Op {
            self.op()
        }
    }
}
