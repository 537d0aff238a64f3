#[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
use crate::arch::generic::{self, conv_f32::Window, winograd_f32};
use crate::{
    arch::{
        Backend, by_kind,
        parallel::{Rows, pieces},
        scalar,
    },
    geometry::Geometry,
};

impl Backend {
    /// How many f32 of scratch [`Self::conv2d`], [`Self::conv2d_input_gradient`] and [`Self::conv2d_kernel_gradient`]
    /// need at most. The scalar kernels need none, so that a device pays nothing.
    pub const fn conv2d_scratch_len(g: &Geometry, batch: usize) -> usize {
        #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
        let len = if winograd_f32::applies(g) {
            winograd_f32::scratch_len(g, batch)
        } else {
            let (turned, sums) =
                (g.patch() * g.output.channels, generic::conv_f32::kernel_gradient_scratch_len(g, batch));
            if turned > sums { turned } else { sums }
        };
        #[cfg(not(all(target_arch = "x86_64", not(thumbnet_backend = "scalar"))))]
        let len = 0;
        let _ = (g, batch);
        len
    }

    /// Two-dimensional convolution (cross-correlation, as Keras's `Conv2D`) of `batch` samples:
    /// `y[b, o, f] = bias[f] + sum over taps t and channels c of x[b, o * strides + t - padding, c] * kernel[t, c, f]`,
    /// then `max(y, 0)` where `relu`.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn conv2d(
        self,
        g: &Geometry,
        batch: usize,
        x: &[f32],
        kernel: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        check(g, batch, x, kernel, y);
        assert!(bias.is_none_or(|bias| bias.len() == g.output.channels), "bias: one value a filter");
        assert!(scratch.len() >= Self::conv2d_scratch_len(g, batch), "scratch is too short");
        by_kind!(
            self,
            scalar => for_each_sample(x, g.input.len(), y, g.output.len(), &|x, y| {
                scalar::conv_f32::conv2d(g, x, kernel, bias, relu, y);
            }),
            isa => if winograd_f32::applies(g) {
                winograd_f32::conv2d(isa, g, x, kernel, bias, relu, y, scratch);
            } else {
                generic::conv_f32::convolve(isa, &Window::forward(g), x, kernel, bias, relu, y);
            }
        );
    }

    /// The gradient of [`Self::conv2d`] with respect to its input, before the activation:
    /// `dx[b, i, c] = sum over o, t with o * strides + t - padding = i, and f, of dy[b, o, f] * kernel[t, c, f]`.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`.
    pub fn conv2d_input_gradient(
        self,
        g: &Geometry,
        batch: usize,
        dy: &[f32],
        kernel: &[f32],
        dx: &mut [f32],
        scratch: &mut [f32],
    ) {
        check(g, batch, dx, kernel, dy);
        assert!(scratch.len() >= Self::conv2d_scratch_len(g, batch), "scratch is too short");
        by_kind!(
            self,
            scalar => for_each_sample(dy, g.output.len(), dx, g.input.len(), &|dy, dx| {
                scalar::conv_f32::conv2d_input_gradient(g, dy, kernel, dx);
            }),
            isa => if winograd_f32::applies(g) {
                winograd_f32::conv2d_input_gradient(isa, g, dy, kernel, dx, scratch);
            } else {
                let turned = &mut scratch[..kernel.len()];
                generic::conv_f32::turn_kernel(isa, g, kernel, turned);
                generic::conv_f32::convolve(isa, &Window::backward(g), dy, turned, None, false, dx);
            }
        );
    }

    /// The gradients of [`Self::conv2d`] with respect to its parameters, summed over the batch:
    /// `dkernel[t, c, f] = sum over b and o of x[b, o * strides + t - padding, c] * dy[b, o, f]` and
    /// `dbias[f] = sum over b and o of dy[b, o, f]`. What the two slices held is overwritten.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn conv2d_kernel_gradient(
        self,
        g: &Geometry,
        batch: usize,
        x: &[f32],
        dy: &[f32],
        dkernel: &mut [f32],
        dbias: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) {
        check(g, batch, x, dkernel, dy);
        assert!(scratch.len() >= Self::conv2d_scratch_len(g, batch), "scratch is too short");
        if let Some(dbias) = dbias {
            self.bias_gradient(g.output.channels, batch * g.output.height * g.output.width, dy, dbias);
        }
        by_kind!(
            self,
            scalar => {
                dkernel.fill(0.0);
                for (x, dy) in x.chunks_exact(g.input.len()).zip(dy.chunks_exact(g.output.len())) {
                    scalar::conv_f32::conv2d_kernel_gradient(g, x, dy, dkernel);
                }
            },
            isa => if winograd_f32::applies(g) {
                winograd_f32::conv2d_kernel_gradient(isa, g, x, dy, dkernel, scratch);
            } else {
                generic::conv_f32::kernel_gradient(isa, g, x, dy, dkernel, scratch);
            }
        );
    }
}

/// Calls `work(sample, result)` for all samples, spread over threads.
fn for_each_sample(
    from: &[f32],
    from_len: usize,
    to: &mut [f32],
    to_len: usize,
    work: &(impl Fn(&[f32], &mut [f32]) + Sync),
) {
    pieces((Rows { items: from, width: from_len }, Rows { items: to, width: to_len }), 1, &|_, (from, to)| {
        from.items.chunks_exact(from_len).zip(to.items.chunks_exact_mut(to_len)).for_each(|(x, y)| work(x, y));
    });
}

fn check(g: &Geometry, batch: usize, x: &[f32], kernel: &[f32], y: &[f32]) {
    assert_eq!(x.len(), batch * g.input.len(), "input of {batch} samples");
    assert_eq!(y.len(), batch * g.output.len(), "output of {batch} samples");
    assert_eq!(kernel.len(), g.patch() * g.output.channels, "kernel [kh, kw, c, f]");
}
