use crate::{
    arch::{
        Backend, Kind,
        parallel::{Rows, pieces},
        scalar,
    },
    geometry::Geometry,
};

impl Backend {
    /// How many f32 of scratch [`Self::conv2d`], [`Self::conv2d_input_gradient`] and [`Self::conv2d_kernel_gradient`]
    /// need at most. None without the feature `std`, so that a device pays nothing.
    pub const fn conv2d_scratch_len(g: &Geometry, batch: usize) -> usize {
        let _ = batch;
        if cfg!(feature = "std") { g.patch() * g.output.channels } else { 0 }
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
        match self.0 {
            Kind::Scalar => {
                let samples = (Rows { items: x, width: g.input.len() }, Rows { items: y, width: g.output.len() });
                pieces(samples, 1, &|_, (x, y)| {
                    for (x, y) in x.items.chunks_exact(x.width).zip(y.items.chunks_exact_mut(y.width)) {
                        scalar::conv_f32::conv2d(g, x, kernel, bias, relu, y);
                    }
                });
            }
        }
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
        match self.0 {
            Kind::Scalar => {
                let samples = (Rows { items: dy, width: g.output.len() }, Rows { items: dx, width: g.input.len() });
                pieces(samples, 1, &|_, (dy, dx)| {
                    for (dy, dx) in dy.items.chunks_exact(dy.width).zip(dx.items.chunks_exact_mut(dx.width)) {
                        scalar::conv_f32::conv2d_input_gradient(g, dy, kernel, dx);
                    }
                });
            }
        }
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
        match self.0 {
            Kind::Scalar => {
                dkernel.fill(0.0);
                for (x, dy) in x.chunks_exact(g.input.len()).zip(dy.chunks_exact(g.output.len())) {
                    scalar::conv_f32::conv2d_kernel_gradient(g, x, dy, dkernel);
                }
            }
        }
    }
}

fn check(g: &Geometry, batch: usize, x: &[f32], kernel: &[f32], y: &[f32]) {
    assert_eq!(x.len(), batch * g.input.len(), "input of {batch} samples");
    assert_eq!(y.len(), batch * g.output.len(), "output of {batch} samples");
    assert_eq!(kernel.len(), g.patch() * g.output.channels, "kernel [kh, kw, c, f]");
}
