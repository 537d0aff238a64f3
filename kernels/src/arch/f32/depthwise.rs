use super::{check_bias, check_len};
use crate::arch::parallel::{Rows, SMALL, pieces};
use crate::arch::{Backend, Kernels, Weights};
use crate::geometry::{Geometry, Shape};

impl Backend {
    /// A convolution of each channel by itself (Keras's `DepthwiseConv2D`), of `batch` samples: `y[b, o, c * m + i] =
    /// bias[c * m + i] + sum over taps t of x[b, o * strides + t - padding, c] * kernel[t, c, i]`, then `max(y, 0)`
    /// where `relu`; `m` is how many times as many channels the output has.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`, or the output's channels are no multiple of the
    /// input's.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn depthwise_conv2d(
        self,
        g: &Geometry,
        batch: usize,
        x: &[f32],
        kernel: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
    ) {
        check(g, batch, x, kernel, y);
        check_bias(bias, g.output().channels);
        let samples = (Rows { items: x, width: g.input().len() }, Rows { items: y, width: g.output().len() });
        pieces(samples, grain(g), &|_, (x, y)| {
            self.kernels().depthwise_conv2d(g, x.items, Weights { kernel, bias, relu }, y.items);
        });
    }

    /// The gradient of [`Self::depthwise_conv2d`] with respect to its input, before the activation:
    /// `dx[b, i, c] = sum over o, t with o * strides + t - padding = i, and m, of dy[b, o, c, m] * kernel[t, c, m]`.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`, or the output's channels are no multiple of the
    /// input's.
    pub fn depthwise_conv2d_input_gradient(
        self,
        g: &Geometry,
        batch: usize,
        dy: &[f32],
        kernel: &[f32],
        dx: &mut [f32],
    ) {
        check(g, batch, dx, kernel, dy);
        let samples = (Rows { items: dy, width: g.output().len() }, Rows { items: dx, width: g.input().len() });
        pieces(samples, grain(g), &|_, (dy, dx)| {
            self.kernels().depthwise_conv2d_input_gradient(g, dy.items, kernel, dx.items);
        });
    }

    /// The gradients of [`Self::depthwise_conv2d`] with respect to its parameters, summed over the batch:
    /// `dkernel[t, c, m] = sum over b and o of x[b, o * strides + t - padding, c] * dy[b, o, c, m]` and
    /// `dbias[f] = sum over b and o of dy[b, o, f]`. What the two slices held is overwritten.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`, or the output's channels are no multiple of the
    /// input's.
    pub fn depthwise_conv2d_kernel_gradient(
        self,
        g: &Geometry,
        batch: usize,
        x: &[f32],
        dy: &[f32],
        dkernel: &mut [f32],
        dbias: Option<&mut [f32]>,
    ) {
        check(g, batch, x, dkernel, dy);
        if let Some(dbias) = dbias {
            self.bias_gradient(g.output().channels, batch * g.output().height * g.output().width, dy, dbias);
        }
        self.kernels().depthwise_conv2d_kernel_gradient(g, x, dy, dkernel);
    }
}

/// Samples at a time: enough work to be worth a thread.
fn grain(g: &Geometry) -> usize {
    SMALL.div_ceil(g.kernel()[0] * g.kernel()[1] * g.output().len())
}

fn check(g: &Geometry, batch: usize, x: &[f32], kernel: &[f32], y: &[f32]) {
    assert!(g.output().channels.is_multiple_of(g.input().channels), "outputs are no multiple of the channels: {g}");
    check_len("input", x.len(), batch, g.input());
    check_len("output", y.len(), batch, g.output());
    let [height, width] = g.kernel();
    check_len("kernel [kh, kw, c, m]", kernel.len(), g.output().channels, Shape::new(height, width, 1));
}
