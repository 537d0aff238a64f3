//! Max pooling and its gradient of one sample, written once for both vector widths: a vector holds as many channels of one
//! pixel. See [`scalar::pool_f32`](crate::arch::scalar::pool_f32) for what they compute.

/// Defines `max_pool` and `max_pool_gradient` in terms of the module `super::vector`, for a token type and its instructions.
macro_rules! define_pool_f32 {
    ($token:ident, $features:literal) => {
        use super::vector::{self, LANES, Mask, Vector};
        use crate::{
            arch::{
                scalar::pool_f32::{for_each_window, windows_tile},
                x86_64::$token,
            },
            geometry::Geometry,
        };

        /// As [`Backend::max_pool`](crate::arch::Backend::max_pool), of one sample.
        pub(in crate::arch) fn max_pool(_: $token, g: &Geometry, x: &[f32], y: &mut [f32]) {
            assert_eq!((x.len(), y.len()), (g.input.len(), g.output.len()), "samples of another shape");
            // SAFETY: the token proves that the CPU has the instructions.
            unsafe { maxima(g, x, y) }
        }

        /// As [`Backend::max_pool_gradient`](crate::arch::Backend::max_pool_gradient), of one sample.
        pub(in crate::arch) fn max_pool_gradient(
            _: $token,
            g: &Geometry,
            x: &[f32],
            y: &[f32],
            dy: &[f32],
            dx: &mut [f32],
        ) {
            assert_eq!((x.len(), y.len()), (g.input.len(), g.output.len()), "samples of another shape");
            assert_eq!((dx.len(), dy.len()), (x.len(), y.len()), "samples of another shape");
            // SAFETY: as above.
            unsafe {
                if windows_tile(g) {
                    give::<false>(g, x, y, dy, dx);
                } else {
                    dx.fill(0.0);
                    give::<true>(g, x, y, dy, dx);
                }
            }
        }

        /// Channels `at..` of a pixel: as many as a vector holds, or fewer at the end.
        #[derive(Clone, Copy)]
        struct Lanes {
            at: usize,
            whole: bool,
            mask: Mask,
        }

        impl Lanes {
            #[inline]
            #[target_feature(enable = $features)]
            fn of(channels: usize, at: usize) -> Self {
                let left = channels - at;
                Self { at, whole: left >= LANES, mask: vector::mask(left.min(LANES)) }
            }

            /// # Safety
            ///
            /// These channels of the pixel must be readable.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn load(self, pixel: *const f32) -> Vector {
                let from = pixel.wrapping_add(self.at);
                // SAFETY: the caller's promise.
                unsafe { if self.whole { vector::load(from) } else { vector::load_masked(from, self.mask) } }
            }

            /// # Safety
            ///
            /// These channels of the pixel must be writable.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn store(self, pixel: *mut f32, values: Vector) {
                let to = pixel.wrapping_add(self.at);
                // SAFETY: the caller's promise.
                unsafe {
                    if self.whole { vector::store(to, values) } else { vector::store_masked(to, self.mask, values) }
                }
            }
        }

        #[target_feature(enable = $features)]
        fn maxima(g: &Geometry, x: &[f32], y: &mut [f32]) {
            let channels = g.input.channels;
            let row = g.input.width * channels;
            for_each_window(g, |output, input, taps| {
                let (x, y) = (x.as_ptr().wrapping_add(input), y.as_mut_ptr().wrapping_add(output));
                for c in (0..channels).step_by(LANES) {
                    let lanes = Lanes::of(channels, c);
                    let mut largest = vector::splat(f32::NEG_INFINITY);
                    let mut raise = |ky: usize, kx: usize| {
                        // SAFETY: a tap that reads a pixel of the input.
                        largest = vector::max(unsafe { lanes.load(x.wrapping_add(ky * row + kx * channels)) }, largest);
                    };
                    if taps == [2, 2] {
                        [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().for_each(|(ky, kx)| raise(ky, kx));
                    } else {
                        for ky in 0..taps[0] {
                            (0..taps[1]).for_each(|kx| raise(ky, kx));
                        }
                    }
                    // SAFETY: a pixel of the output.
                    unsafe { lanes.store(y, largest) }
                }
            });
        }

        /// Gives the gradients of outputs to the inputs of their windows; adds them where `ADD`.
        #[target_feature(enable = $features)]
        fn give<const ADD: bool>(g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
            let channels = g.input.channels;
            let row = g.input.width * channels;
            for_each_window(g, |output, input, taps| {
                let (y, dy) = (y.as_ptr().wrapping_add(output), dy.as_ptr().wrapping_add(output));
                let (x, dx) = (x.as_ptr().wrapping_add(input), dx.as_mut_ptr().wrapping_add(input));
                for c in (0..channels).step_by(LANES) {
                    let lanes = Lanes::of(channels, c);
                    // SAFETY: a pixel of the output.
                    let (y, mut left) = unsafe { (lanes.load(y), lanes.load(dy)) };
                    let mut give = |ky: usize, kx: usize| {
                        let at = ky * row + kx * channels;
                        let to = dx.wrapping_add(at);
                        // SAFETY: a tap that reads a pixel of the input; `x` and `dx` have its shape.
                        unsafe {
                            let x = lanes.load(x.wrapping_add(at));
                            let given = vector::if_equal(x, y, left, vector::zero());
                            left = vector::if_equal(x, y, vector::zero(), left);
                            lanes.store(to, if ADD { vector::add(lanes.load(to), given) } else { given });
                        }
                    };
                    if taps == [2, 2] {
                        [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().for_each(|(ky, kx)| give(ky, kx));
                    } else {
                        for ky in 0..taps[0] {
                            (0..taps[1]).for_each(|kx| give(ky, kx));
                        }
                    }
                }
            });
        }
    };
}

pub(super) use define_pool_f32;
