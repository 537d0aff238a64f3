//! Max pooling and its gradient of one sample, written once for both vector widths: a vector holds as many channels of
//! one pixel. See [`scalar::pool_f32`](crate::arch::scalar::pool_f32) for what they compute.

use crate::geometry::Geometry;

/// Fails unless these samples have these shapes, of whose channels windows change nothing.
pub(super) fn check(g: &Geometry, inputs: &[usize], outputs: &[usize]) {
    assert_eq!(g.input().channels, g.output().channels, "pooling keeps the channels");
    assert!(inputs.iter().all(|&input| g.input().checked_len() == Some(input)), "inputs of another shape: {inputs:?}");
    assert!(
        outputs.iter().all(|&output| g.output().checked_len() == Some(output)),
        "outputs of another shape: {outputs:?}"
    );
}

/// Whether windows lie side by side and hold every input, each one once: nothing to add to.
pub(super) fn windows_tile(g: &Geometry) -> bool {
    let covers = |output: usize, stride: usize, kernel: usize, input: usize| {
        kernel == stride && output * stride >= input || kernel >= input && output == 1
    };
    covers(g.output().height, g.strides()[0], g.kernel()[0], g.input().height)
        && covers(g.output().width, g.strides()[1], g.kernel()[1], g.input().width)
}

/// Defines `max_pool` and `max_pool_gradient` in terms of the module `super::vector`, for a token type and its
/// instructions.
macro_rules! define_pool_f32 {
    ($token:ident, $features:literal) => {
        use super::vector::{self, LANES, Mask, Vector};
        use crate::{
            arch::{
                scalar::pool_f32::for_each_window,
                x86_64::{
                    pool_f32::{check, windows_tile},
                    $token,
                },
            },
            geometry::Geometry,
        };

        /// As [`Backend::max_pool`](crate::arch::Backend::max_pool), of one sample.
        pub(in crate::arch) fn max_pool(_: $token, g: &Geometry, x: &[f32], y: &mut [f32]) {
            check(g, &[x.len()], &[y.len()]);
            // SAFETY: the token proves that the CPU has the instructions, and the samples have the shapes of `g`.
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
            check(g, &[x.len(), dx.len()], &[y.len(), dy.len()]);
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

        /// Calls `work(row, column)` for the taps of a window in row-major order.
        #[inline]
        #[target_feature(enable = $features)]
        fn for_each_tap(taps: [usize; 2], mut work: impl FnMut(usize, usize)) {
            if taps == [2, 2] {
                // The usual window, without loops.
                return [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().for_each(|(ky, kx)| work(ky, kx));
            }
            for ky in 0..taps[0] {
                (0..taps[1]).for_each(|kx| work(ky, kx));
            }
        }

        /// # Safety
        ///
        /// The samples must have the shapes of `g`.
        #[target_feature(enable = $features)]
        unsafe fn maxima(g: &Geometry, x: &[f32], y: &mut [f32]) {
            let channels = g.input().channels;
            let row = g.input().width * channels;
            for_each_window(g, |output, input, taps| {
                let (x, y) = (x.as_ptr().wrapping_add(input), y.as_mut_ptr().wrapping_add(output));
                for c in (0..channels).step_by(LANES) {
                    let lanes = Lanes::of(channels, c);
                    let mut largest = vector::splat(f32::NEG_INFINITY);
                    for_each_tap(taps, |ky, kx| {
                        // SAFETY: a tap that reads a pixel of the input.
                        largest = vector::max(unsafe { lanes.load(x.wrapping_add(ky * row + kx * channels)) }, largest);
                    });
                    // SAFETY: a pixel of the output.
                    unsafe { lanes.store(y, largest) }
                }
            });
        }

        /// Gives the gradients of outputs to the inputs of their windows; adds them where `ADD`.
        ///
        /// # Safety
        ///
        /// As [`maxima`].
        #[target_feature(enable = $features)]
        unsafe fn give<const ADD: bool>(g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
            let channels = g.input().channels;
            let row = g.input().width * channels;
            for_each_window(g, |output, input, taps| {
                let (y, dy) = (y.as_ptr().wrapping_add(output), dy.as_ptr().wrapping_add(output));
                let (x, dx) = (x.as_ptr().wrapping_add(input), dx.as_mut_ptr().wrapping_add(input));
                for c in (0..channels).step_by(LANES) {
                    let lanes = Lanes::of(channels, c);
                    // SAFETY: a pixel of the output.
                    let (y, mut left) = unsafe { (lanes.load(y), lanes.load(dy)) };
                    for_each_tap(taps, |ky, kx| {
                        let at = ky * row + kx * channels;
                        let to = dx.wrapping_add(at);
                        // SAFETY: a tap that reads a pixel of the input; `x` and `dx` have its shape.
                        unsafe {
                            let x = lanes.load(x.wrapping_add(at));
                            let given = vector::if_equal(x, y, left, vector::zero());
                            left = vector::if_equal(x, y, vector::zero(), left);
                            lanes.store(to, if ADD { vector::add(lanes.load(to), given) } else { given });
                        }
                    });
                }
            });
        }
    };
}

pub(super) use define_pool_f32;
