use super::{check_bias, check_len, check_scratch, dense::MOST_LANES};
#[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
use crate::arch::generic::{self, conv_f32::Window, winograd_f32};
use crate::{
    arch::{
        Backend, by_kind, dispatch,
        parallel::{Rows, SMALL, Split, lanes, pieces},
        scalar,
    },
    geometry::{Geometry, Shape},
};

/// Values of the convolution's output that exist at a time in each thread, where it is pooled at once: what a second cache of
/// 1 MiB keeps beside the rest. A device keeps what one row of the pooled output is made of.
const BAND: usize = if cfg!(feature = "std") { 1 << 15 } else { 0 };

impl Backend {
    /// How many f32 of scratch [`Self::conv2d`], [`Self::conv2d_input_gradient`] and [`Self::conv2d_kernel_gradient`]
    /// need at most. The scalar kernels need none, so that a device pays nothing.
    pub const fn conv2d_scratch_len(g: &Geometry, batch: usize) -> usize {
        #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
        let len = if winograd_f32::applies(g) {
            winograd_f32::scratch_len(g, batch)
        } else {
            let (turned, sums) =
                (g.patch() * g.output().channels, generic::conv_f32::kernel_gradient_scratch_len(g, batch));
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
        check(g, batch, x, kernel, g.output(), y);
        check_bias(bias, g.output().channels);
        check_scratch(scratch, Self::conv2d_scratch_len(g, batch));
        by_kind!(
            self,
            scalar => for_each_sample(x, g.input().len(), y, g.output().len(), &|x, y| {
                scalar::conv_f32::conv2d(g, x, kernel, bias, relu, y);
            }),
            isa => if winograd_f32::applies(g) {
                winograd_f32::conv2d(isa, g, None, x, kernel, bias, relu, y, scratch);
            } else {
                generic::conv_f32::convolve(isa, &Window::forward(g), x, kernel, bias, relu, y);
            }
        );
    }

    /// Whether [`Self::conv2d_max_pool`] takes this convolution and this pooling of its output, on any back end of this target. It
    /// does not where windows of the pooling share rows, which would be convolved more than once, nor where vector back ends make
    /// the convolution by Winograd's minimal filtering and windows are not 2 x 2, side by side.
    pub const fn fuses_max_pool(g: &Geometry, pool: &Geometry) -> bool {
        #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
        let in_tiles = !winograd_f32::applies(g) || winograd_f32::pools(pool);
        #[cfg(not(all(target_arch = "x86_64", not(thumbnet_backend = "scalar"))))]
        let in_tiles = {
            let _ = g;
            true
        };
        in_tiles && pool.kernel()[0] <= pool.strides()[0]
    }

    /// How many f32 of scratch [`Self::conv2d_max_pool`] needs, for any number of samples. On a device that is what one row of the
    /// pooled output is made of.
    pub const fn conv2d_max_pool_scratch_len(g: &Geometry, pool: &Geometry) -> usize {
        #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
        if winograd_f32::applies(g) {
            let (own, scalar) = (winograd_f32::forward_scratch_len(g), MOST_LANES.saturating_mul(band_len(g, pool)));
            return if own > scalar { own } else { scalar };
        }
        MOST_LANES.saturating_mul(band_len(g, pool))
    }

    /// [`Self::conv2d`] and then [`Self::max_pool`] by `pool`, the same bits, while of the convolution's output no more than some
    /// rows exist at a time.
    ///
    /// # Panics
    ///
    /// If [`Self::fuses_max_pool`] says no, `pool` is not of the convolution's output, a slice's length does not follow from `g`,
    /// `pool` and `batch`, or `scratch` is shorter than [`Self::conv2d_max_pool_scratch_len`].
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
        by_kind!(
            self,
            scalar => self.in_bands(g, pool, x, y, scratch, &|g, x, band| {
                for (x, y) in x.chunks_exact(g.input().len()).zip(band.chunks_exact_mut(g.output().len())) {
                    scalar::conv_f32::conv2d(g, x, kernel, bias, relu, y);
                }
            }),
            isa => if winograd_f32::applies(g) {
                winograd_f32::conv2d(isa, g, Some(pool), x, kernel, bias, relu, y, scratch);
            } else {
                self.in_bands(g, pool, x, y, scratch, &|g, x, band| {
                    let (window, rows) = (Window::forward(g), 0..g.output().height);
                    generic::conv_f32::convolve_rows(isa, &window, rows, x, kernel, bias, relu, band);
                });
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
        check(g, batch, dx, kernel, g.output(), dy);
        check_scratch(scratch, Self::conv2d_scratch_len(g, batch));
        by_kind!(
            self,
            scalar => for_each_sample(dy, g.output().len(), dx, g.input().len(), &|dy, dx| {
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
        check(g, batch, x, dkernel, g.output(), dy);
        check_scratch(scratch, Self::conv2d_scratch_len(g, batch));
        if let Some(dbias) = dbias {
            self.bias_gradient(g.output().channels, batch * g.output().height * g.output().width, dy, dbias);
        }
        by_kind!(
            self,
            scalar => {
                dkernel.fill(0.0);
                for (x, dy) in x.chunks_exact(g.input().len()).zip(dy.chunks_exact(g.output().len())) {
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

    /// Calls `convolve(convolution, its input, its output)` for bands, and pools them: several samples, or some rows of one as if
    /// they were an image of their own. Bands are spread over threads.
    fn in_bands(
        self,
        g: &Geometry,
        pool: &Geometry,
        x: &[f32],
        y: &mut [f32],
        scratch: &mut [f32],
        convolve: &(impl Fn(&Geometry, &[f32], &mut [f32]) + Sync),
    ) {
        let (height, width) = (pool.output().height, pool.output().width * pool.output().channels);
        let grain = SMALL.div_ceil(g.patch().saturating_mul(g.output().len()) / height);
        lanes(Rows { items: y, width }, grain, MOST_LANES, scratch, band_len(g, pool), &|mut first, mut rest, band| {
            while rest.count() > 0 {
                let (sample, row) = (first / height, first % height);
                let samples = if row == 0 { band_samples(g).min(rest.count() / height) } else { 0 };
                let (rows, of, of_pool, input) = if samples > 0 {
                    (samples * height, *g, *pool, 0..samples * g.input().height)
                } else {
                    let rows = band_rows(g, pool).min(height - row).min(rest.count());
                    let (of_pool, convolved) = pool.rows(row..row + rows);
                    let (of, input) = g.rows(convolved);
                    (rows, of, of_pool, input)
                };
                let (y, others) = rest.cut(rows);
                let line = g.input().width * g.input().channels;
                let x = &x[sample * g.input().len()..][input.start * line..input.end * line];
                let band = &mut band[..samples.max(1) * of.output().len()];
                convolve(&of, x, band);
                for (x, y) in
                    band.chunks_exact(of_pool.input().len()).zip(y.items.chunks_exact_mut(of_pool.output().len()))
                {
                    dispatch!(self, pool_f32::max_pool(&of_pool, x, y));
                }
                (first, rest) = (first + rows, others);
            }
        });
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

/// Rows of a sample's pooled output that are made at a time.
const fn band_rows(g: &Geometry, pool: &Geometry) -> usize {
    let rows = BAND / (g.output().width * g.output().channels) / pool.strides()[0];
    if rows == 0 {
        1
    } else if rows < pool.output().height {
        rows
    } else {
        pool.output().height
    }
}

/// Whole samples that are made at a time: small ones together fill the tiles of products.
const fn band_samples(g: &Geometry) -> usize {
    BAND / g.output().len()
}

/// Values of the convolution's output in a band.
const fn band_len(g: &Geometry, pool: &Geometry) -> usize {
    let rows = band_rows(g, pool) * pool.strides()[0];
    let rows = if rows < g.output().height { rows } else { g.output().height };
    let (part, whole) = (rows * g.output().width * g.output().channels, band_samples(g) * g.output().len());
    if part > whole { part } else { whole }
}

fn check(g: &Geometry, batch: usize, x: &[f32], kernel: &[f32], output: Shape, y: &[f32]) {
    check_len("input", x.len(), batch, g.input());
    check_len("output", y.len(), batch, output);
    check_len("kernel [kh, kw, c, f]", kernel.len(), g.output().channels, g.window());
}
