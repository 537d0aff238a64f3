//! A convolution that is pooled at once, of whose output no more than some rows exist at a time.

use super::dense::MOST_LANES;
use crate::arch::parallel::{Rows, SMALL, Split, lanes};
use crate::arch::{Kernels, Weights};
use crate::geometry::Geometry;

/// Values of the convolution's output that exist at a time in each thread: what a second cache of 1 MiB keeps beside
/// the rest. A device keeps what one row of the pooled output is made of.
const BAND: usize = if cfg!(feature = "std") { 1 << 15 } else { 0 };

/// [`Kernels::conv2d_max_pool`] in bands: several samples, or some rows of one as if they were an image of their own.
/// Bands are spread over threads.
pub(in crate::arch) fn conv2d_max_pool<K: Kernels + ?Sized>(
    kernels: &K,
    g: &Geometry,
    pool: &Geometry,
    x: &[f32],
    weights: Weights<'_>,
    y: &mut [f32],
    scratch: &mut [f32],
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
            kernels.convolve_rows(&of, x, weights, band);
            for (x, y) in band.chunks_exact(of_pool.input().len()).zip(y.items.chunks_exact_mut(of_pool.output().len()))
            {
                kernels.max_pool(&of_pool, x, y);
            }
            (first, rest) = (first + rows, others);
        }
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
pub(super) const fn band_len(g: &Geometry, pool: &Geometry) -> usize {
    let rows = band_rows(g, pool) * pool.strides()[0];
    let rows = if rows < g.output().height { rows } else { g.output().height };
    let (part, whole) = (rows * g.output().width * g.output().channels, band_samples(g) * g.output().len());
    if part > whole { part } else { whole }
}
