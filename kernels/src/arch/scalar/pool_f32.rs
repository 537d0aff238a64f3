//! Max and average pooling and their gradients, in f32, for one sample.

use crate::{arch::window::Axis, geometry::Geometry};

/// Calls `work(offset of the output's first channel, that of the first tap's, rows and columns of taps)` for every
/// position.
#[inline(always)]
pub(in crate::arch) fn for_each_window(g: &Geometry, mut work: impl FnMut(usize, usize, [usize; 2])) {
    let (rows, columns, channels) = (Axis::rows(g), Axis::columns(g), g.input().channels);
    for oy in 0..g.output().height {
        let taps_y = rows.taps(oy);
        for ox in 0..g.output().width {
            let taps_x = columns.taps(ox);
            let source = rows.source(oy, taps_y.start) * g.input().width + columns.source(ox, taps_x.start);
            work((oy * g.output().width + ox) * channels, source * channels, [taps_y.len(), taps_x.len()]);
        }
    }
}

/// Calls `work(offset of a tap's first channel)` for every tap of a window, in row-major order.
#[inline(always)]
fn for_each_tap(g: &Geometry, input: usize, taps: [usize; 2], mut work: impl FnMut(usize)) {
    for ky in 0..taps[0] {
        for kx in 0..taps[1] {
            work(input + (ky * g.input().width + kx) * g.input().channels);
        }
    }
}

/// `y[o, c] = max over valid taps t of x[o + t, c]`.
pub(in crate::arch) fn max_pool(g: &Geometry, x: &[f32], y: &mut [f32]) {
    let channels = g.input().channels;
    for_each_window(g, |output, input, taps| {
        let y = &mut y[output..][..channels];
        y.fill(f32::NEG_INFINITY);
        for_each_tap(g, input, taps, |tap| {
            for (y, &x) in y.iter_mut().zip(&x[tap..][..channels]) {
                *y = if x > *y { x } else { *y };
            }
        });
    });
}

/// `dx = 0`, then `dx[o + t, c] += dy[o, c]` where `t` is the first tap in row-major order with `x[o + t, c] = y[o,
/// c]`.
pub(in crate::arch) fn max_pool_gradient(g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    dx.fill(0.0);
    for_each_window(g, |output, input, taps| {
        for c in 0..g.input().channels {
            let mut left = dy[output + c];
            for_each_tap(g, input + c, taps, |tap| {
                if x[tap] == y[output + c] {
                    dx[tap] += core::mem::take(&mut left);
                }
            });
        }
    });
}

/// `y[o, c] = mean over valid taps t of x[o + t, c]`: the sum in row-major order, divided by the number of taps.
#[inline(always)]
pub(in crate::arch) fn average_pool(g: &Geometry, x: &[f32], y: &mut [f32]) {
    let channels = g.input().channels;
    for_each_window(g, |output, input, taps| {
        let y = &mut y[output..][..channels];
        y.fill(0.0);
        for_each_tap(g, input, taps, |tap| y.iter_mut().zip(&x[tap..][..channels]).for_each(|(y, x)| *y += x));
        let count = (taps[0] * taps[1]) as f32;
        y.iter_mut().for_each(|y| *y /= count);
    });
}

/// `dx = 0`, then `dx[o + t, c] += dy[o, c] / taps` for every valid tap t.
#[inline(always)]
pub(in crate::arch) fn average_pool_gradient(g: &Geometry, dy: &[f32], dx: &mut [f32]) {
    const WIDTH: usize = 16;
    dx.fill(0.0);
    let channels = g.input().channels;
    for_each_window(g, |output, input, taps| {
        let count = (taps[0] * taps[1]) as f32;
        for (part, dy) in dy[output..][..channels].chunks(WIDTH).enumerate() {
            // Divided once, and kept in registers meanwhile.
            let mut share = [0.0; WIDTH];
            share.iter_mut().zip(dy).for_each(|(share, dy)| *share = dy / count);
            for_each_tap(g, input + part * WIDTH, taps, |tap| match dx[tap..].first_chunk_mut::<WIDTH>() {
                Some(dx) if dy.len() == WIDTH => dx.iter_mut().zip(&share).for_each(|(dx, share)| *dx += share),
                _ => dx[tap..][..dy.len()].iter_mut().zip(&share).for_each(|(dx, share)| *dx += share),
            });
        }
    });
}
