use super::check_len;
use crate::{
    arch::{
        Backend, Kernels,
        parallel::{Rows, pieces},
    },
    geometry::Geometry,
};

impl Backend {
    /// Max pooling of `batch` samples: `y[b, o, c] = max over taps t of x[b, o * strides + t - padding, c]`, padding
    /// left out.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`, or the channels of input and output differ.
    pub fn max_pool(self, g: &Geometry, batch: usize, x: &[f32], y: &mut [f32]) {
        check(g, batch, x, y);
        let samples = (Rows { items: x, width: g.input().len() }, Rows { items: y, width: g.output().len() });
        pieces(samples, grain(g), &|_, (x, y)| {
            for (x, y) in x.items.chunks_exact(x.width).zip(y.items.chunks_exact_mut(y.width)) {
                self.kernels().max_pool(g, x, y);
            }
        });
    }

    /// The gradient of [`Self::max_pool`] with respect to its input: `dy[b, o, c]` goes to the first tap, in row-major
    /// order, whose input equals the maximum `y[b, o, c]` (as TensorFlow's CPU kernel does); where windows overlap, the
    /// gradients add up. What `dx` held is overwritten.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`, or the channels of input and output differ.
    pub fn max_pool_gradient(self, g: &Geometry, batch: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        check(g, batch, x, y);
        check(g, batch, dx, dy);
        let input = (Rows { items: x, width: g.input().len() }, Rows { items: dx, width: g.input().len() });
        let output = (Rows { items: y, width: g.output().len() }, Rows { items: dy, width: g.output().len() });
        pieces((input, output), grain(g), &|_, ((x, dx), (y, dy))| {
            let input = x.items.chunks_exact(x.width).zip(dx.items.chunks_exact_mut(dx.width));
            let output = y.items.chunks_exact(y.width).zip(dy.items.chunks_exact(dy.width));
            for ((x, dx), (y, dy)) in input.zip(output) {
                self.kernels().max_pool_gradient(g, x, y, dy, dx);
            }
        });
    }
}

impl Backend {
    /// Average pooling of `batch` samples: `y[b, o, c] = mean over taps t of x[b, o * strides + t - padding, c]`,
    /// padding left out.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`, or the channels of input and output differ.
    pub fn average_pool(self, g: &Geometry, batch: usize, x: &[f32], y: &mut [f32]) {
        check(g, batch, x, y);
        let samples = (Rows { items: x, width: g.input().len() }, Rows { items: y, width: g.output().len() });
        pieces(samples, grain(g), &|_, (x, y)| {
            for (x, y) in x.items.chunks_exact(x.width).zip(y.items.chunks_exact_mut(y.width)) {
                self.kernels().average_pool(g, x, y);
            }
        });
    }

    /// The gradient of [`Self::average_pool`] with respect to its input: each `dy[b, o, c]` is shared by the taps of
    /// its window. What `dx` held is overwritten.
    ///
    /// # Panics
    ///
    /// If a slice's length does not follow from `g` and `batch`, or the channels of input and output differ.
    pub fn average_pool_gradient(self, g: &Geometry, batch: usize, dy: &[f32], dx: &mut [f32]) {
        check(g, batch, dx, dy);
        let samples = (Rows { items: dy, width: g.output().len() }, Rows { items: dx, width: g.input().len() });
        pieces(samples, grain(g), &|_, (dy, dx)| {
            for (dy, dx) in dy.items.chunks_exact(dy.width).zip(dx.items.chunks_exact_mut(dx.width)) {
                self.kernels().average_pool_gradient(g, dy, dx);
            }
        });
    }
}

/// Samples at a time: enough work to be worth a thread.
fn grain(g: &Geometry) -> usize {
    (1usize << 14).div_ceil(g.input().len())
}

fn check(g: &Geometry, batch: usize, x: &[f32], y: &[f32]) {
    assert!(g.input().channels == g.output().channels, "pooling keeps the channels: {g}");
    check_len("input", x.len(), batch, g.input());
    check_len("output", y.len(), batch, g.output());
}
