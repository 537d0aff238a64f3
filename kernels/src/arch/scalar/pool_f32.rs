//! Max pooling and its gradient, in f32, for one sample.
//!
//! Channels are the inner loop and nothing in it branches, so that the compiler turns it into whatever vectors the
//! caller's target features allow: the vector back ends compile these very functions.

use crate::{arch::window::Axis, geometry::Geometry};
use core::ops::Range;

/// Calls `visit(output pixel's first value, ky, kx)` for every position with its valid taps.
#[inline(always)]
fn for_each_window(g: &Geometry, mut visit: impl FnMut(usize, usize, usize, Range<usize>, Range<usize>)) {
    let (rows, columns) = (Axis::rows(g), Axis::columns(g));
    for oy in 0..g.output.height {
        for ox in 0..g.output.width {
            visit((oy * g.output.width + ox) * g.output.channels, oy, ox, rows.taps(oy), columns.taps(ox));
        }
    }
}

/// `y[o, c] = max over valid taps t of x[o + t, c]`.
#[inline(always)]
pub(in crate::arch) fn max_pool(g: &Geometry, x: &[f32], y: &mut [f32]) {
    let (rows, columns, channels) = (Axis::rows(g), Axis::columns(g), g.input.channels);
    for_each_window(g, |output, oy, ox, taps_y, taps_x| {
        let y = &mut y[output..][..channels];
        y.fill(f32::NEG_INFINITY);
        for ky in taps_y {
            let row = rows.source(oy, ky) * g.input.width;
            for kx in taps_x.clone() {
                let x = &x[(row + columns.source(ox, kx)) * channels..][..channels];
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = if x > *y { x } else { *y };
                }
            }
        }
    });
}

/// `dx = 0`, then `dx[o + t, c] += dy[o, c]` where `t` is the first tap in row-major order with `x[o + t, c] = y[o, c]`.
#[inline(always)]
pub(in crate::arch) fn max_pool_gradient(g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    /// Channels at a time: what is left of their gradients must stay in registers.
    const WIDTH: usize = 16;
    let (rows, columns, channels) = (Axis::rows(g), Axis::columns(g), g.input.channels);
    dx.fill(0.0);
    for_each_window(g, |output, oy, ox, taps_y, taps_x| {
        for first in (0..channels).step_by(WIDTH) {
            let width = WIDTH.min(channels - first);
            let y = &y[output + first..][..width];
            let mut left = [0.0; WIDTH];
            left[..width].copy_from_slice(&dy[output + first..][..width]);
            for ky in taps_y.clone() {
                let row = rows.source(oy, ky) * g.input.width;
                for kx in taps_x.clone() {
                    let at = (row + columns.source(ox, kx)) * channels + first;
                    give(&x[at..][..width], y, &mut left, &mut dx[at..][..width]);
                }
            }
        }
    });
}

/// Moves what is left of the gradient to `dx` where `x` is the maximum.
#[inline(always)]
fn give<const WIDTH: usize>(x: &[f32], y: &[f32], left: &mut [f32; WIDTH], dx: &mut [f32]) {
    if let (Some(x), Some(y), Some(dx)) =
        (x.first_chunk::<WIDTH>(), y.first_chunk::<WIDTH>(), dx.first_chunk_mut::<WIDTH>())
    {
        for i in 0..WIDTH {
            let hit = x[i] == y[i];
            dx[i] += if hit { left[i] } else { 0.0 };
            left[i] = if hit { 0.0 } else { left[i] };
        }
    } else {
        for (((x, y), left), dx) in x.iter().zip(y).zip(left).zip(dx) {
            if x == y {
                *dx += *left;
                *left = 0.0;
            }
        }
    }
}
