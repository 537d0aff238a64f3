use super::{bands::band_len, check_bias, check_len, check_scratch, dense::MOST_LANES};
#[cfg(thumbnet_x86)]
use crate::arch::generic::{conv_f32, winograd_f32};
use crate::arch::{Backend, Kernels, Weights};
use crate::geometry::{Geometry, Shape};

impl Backend {
    /// How many f32 of scratch [`Self::conv2d`], [`Self::conv2d_input_gradient`] and [`Self::conv2d_kernel_gradient`]
    /// need at most. The scalar kernels need none, so that a device pays nothing.
    pub const fn conv2d_scratch_len(g: &Geometry, batch: usize) -> usize {
        core::cfg_select! {
            thumbnet_x86 => {
                if winograd_f32::applies(g) {
                    return winograd_f32::scratch_len(g, batch);
                }
                let (turned, sums) = (g.patch() * g.output().channels, conv_f32::kernel_gradient_scratch_len(g, batch));
                if turned > sums { turned } else { sums }
            }
            _ => {
                _ = (g, batch);
                0
            }
        }
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
        check(g, batch, x, kernel, g.output(), y);
        check_bias(bias, g.output().channels);
        check_scratch(scratch, Self::conv2d_scratch_len(g, batch));
        self.kernels().conv2d(g, x, Weights { kernel, bias, relu }, y, scratch);
    }

    /// Whether [`Self::conv2d_max_pool`] takes this convolution and this pooling of its output, on any back end of this
    /// target. It does not where windows of the pooling share rows, which would be convolved more than once, nor where
    /// vector back ends make the convolution by Winograd's minimal filtering and windows are not 2 x 2, side by side.
    pub const fn fuses_max_pool(g: &Geometry, pool: &Geometry) -> bool {
        let in_tiles = core::cfg_select! {
            thumbnet_x86 => !winograd_f32::applies(g) || winograd_f32::pools(pool),
            _ => {{
                _ = g;
                true
            }}
        };
        in_tiles && pool.kernel()[0] <= pool.strides()[0]
    }

    /// How many f32 of scratch [`Self::conv2d_max_pool`] needs, for any number of samples. On a device that is what one
    /// row of the pooled output is made of.
    pub const fn conv2d_max_pool_scratch_len(g: &Geometry, pool: &Geometry) -> usize {
        let bands = MOST_LANES.saturating_mul(band_len(g, pool));
        #[cfg(thumbnet_x86)]
        if winograd_f32::applies(g) {
            let own = winograd_f32::forward_scratch_len(g);
            return if own > bands { own } else { bands };
        }
        bands
    }

    /// [`Self::conv2d`] and then [`Self::max_pool`] by `pool`, the same bits, while of the convolution's output no more
    /// than some rows exist at a time.
    ///
    /// # Panics
    ///
    /// If [`Self::fuses_max_pool`] says no, `pool` is not of the convolution's output, a slice's length does not follow
    /// from `g`, `pool` and `batch`, or `scratch` is shorter than [`Self::conv2d_max_pool_scratch_len`].
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn conv2d_max_pool(
        self,
        g: &Geometry,
        pool: &Geometry,
        batch: usize,
        x: &[f32],
        kernel: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        check(g, batch, x, kernel, pool.output(), y);
        assert!(g.is_pooled_by(pool), "the pooling is not one of the convolution's output: {g}; {pool}");
        assert!(
            Self::fuses_max_pool(g, pool),
            "a pooling that is not made together with this convolution: {g}; {pool}"
        );
        check_bias(bias, g.output().channels);
        check_scratch(scratch, Self::conv2d_max_pool_scratch_len(g, pool));
        self.kernels().conv2d_max_pool(g, pool, x, Weights { kernel, bias, relu }, y, scratch);
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
        check(g, batch, dx, kernel, g.output(), dy);
        check_scratch(scratch, Self::conv2d_scratch_len(g, batch));
        self.kernels().conv2d_input_gradient(g, dy, kernel, dx, scratch);
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
        check(g, batch, x, dkernel, g.output(), dy);
        check_scratch(scratch, Self::conv2d_scratch_len(g, batch));
        if let Some(dbias) = dbias {
            self.bias_gradient(g.output().channels, batch * g.output().height * g.output().width, dy, dbias);
        }
        self.kernels().conv2d_kernel_gradient(g, x, dy, dkernel, scratch);
    }
}

fn check(g: &Geometry, batch: usize, x: &[f32], kernel: &[f32], output: Shape, y: &[f32]) {
    check_len("input", x.len(), batch, g.input());
    check_len("output", y.len(), batch, output);
    check_len("kernel [kh, kw, c, f]", kernel.len(), g.output().channels, g.window());
}
