//! The mean or the maximum of each channel.

use super::Layer;
use crate::geometry::{Geometry, Padding, Shape};
use crate::graph::Op;

/// Declares a pooling of whole channels.
macro_rules! global_pooling {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name<const H: usize, const W: usize, const C: usize>;

        impl<const H: usize, const W: usize, const C: usize> $name<H, W, C> {
            /// The window, which is the whole input. One that is too large is an error at compile time.
            pub const GEOMETRY: Geometry =
                match Geometry::new(Shape::new(H, W, C), C, [H, W], [1, 1], Padding::Valid) {
                    Ok(geometry) => geometry,
                    Err(error) => panic!("{}", error.message()),
                };

            /// The layer.
            pub const fn new() -> Self {
                Self
            }

            /// The layer as data.
            pub const fn op(&self) -> Op {
                Op::$name { geometry: Self::GEOMETRY }
            }
        }

        impl<const H: usize, const W: usize, const C: usize> Layer for $name<H, W, C> {
            const INPUT: Shape = Self::GEOMETRY.input();
            const OUTPUT: Shape = Self::GEOMETRY.output();

            fn op(&self) -> Op {
                self.op()
            }
        }
    };
}

global_pooling! {
    /// The mean of each channel of an `H x W x C` input, as a vector of `C` values: Keras's `GlobalAveragePooling2D`.
    ///
    /// ```
    /// # use thumbnet::arch::Backend;
    /// use thumbnet::layer::{Context, GlobalAveragePooling2D, Layer};
    ///
    /// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
    /// // Two positions of two channels.
    /// let mut y = [0.0; 2];
    /// GlobalAveragePooling2D::<1, 2, 2>::new().forward(&cx, &[], &[1.0, 3.0, 3.0, 5.0], &mut y, &mut []);
    /// assert_eq!(y, [2.0, 4.0]);
    /// ```
    GlobalAveragePooling2D
}

global_pooling! {
    /// The maximum of each channel of an `H x W x C` input, as a vector of `C` values: Keras's `GlobalMaxPooling2D`.
    ///
    /// ```
    /// # use thumbnet::arch::Backend;
    /// use thumbnet::layer::{Context, GlobalMaxPooling2D, Layer};
    ///
    /// # let cx = Context { backend: Backend::detect(), batch: 1, dropout_seed: None };
    /// // Two positions of two channels.
    /// let mut y = [0.0; 2];
    /// GlobalMaxPooling2D::<1, 2, 2>::new().forward(&cx, &[], &[1.0, 3.0, 3.0, 5.0], &mut y, &mut []);
    /// assert_eq!(y, [3.0, 5.0]);
    /// ```
    GlobalMaxPooling2D
}
