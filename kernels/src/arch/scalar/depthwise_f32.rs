//! Depthwise convolution and its gradients, in f32. A vector back end compiles these loops over channels once more.

use crate::arch::Weights;
use crate::arch::parallel::{Rows, SMALL, pieces};
use crate::arch::scalar::conv_f32::for_each_tap;
use crate::arch::window::Axis;
use crate::geometry::Geometry;

/// Calls `work(value of each input channel, each of the output channels that read it, their weights or gradients)`.
#[inline(always)]
fn for_each_channel<'a, 'b>(
    x: impl Iterator<Item = &'a f32>,
    multiplier: usize,
    y: &'b mut [f32],
    others: &'b [f32],
    mut work: impl FnMut(f32, &mut f32, f32),
) {
    if multiplier == 1 {
        // The usual case, in vectors.
        return x.zip(y).zip(others).for_each(|((&x, y), &other)| work(x, y, other));
    }
    let groups = y.chunks_exact_mut(multiplier).zip(others.chunks_exact(multiplier));
    x.zip(groups).for_each(|(&x, (y, others))| y.iter_mut().zip(others).for_each(|(y, &other)| work(x, y, other)));
}

/// `y[o, c * m + i] = bias[c * m + i] + sum over taps t of x[o + t, c] * kernel[t, c, i]`, then relu where asked, where
/// `m` is the number of outputs of a channel.
#[inline(always)]
pub(in crate::arch) fn depthwise_conv2d(
    g: &Geometry,
    x: &[f32],
    Weights { kernel, bias, relu }: Weights<'_>,
    y: &mut [f32],
) {
    let (channels, outputs) = (g.input().channels, g.output().channels);
    match bias {
        Some(bias) => y.chunks_exact_mut(outputs).for_each(|pixel| pixel.copy_from_slice(bias)),
        None => y.fill(0.0),
    }
    for (x, y) in x.chunks_exact(g.input().len()).zip(y.chunks_exact_mut(g.output().len())) {
        for_each_tap(g, |input, output, tap| {
            let (x, y) = (&x[input * channels..][..channels], &mut y[output * outputs..][..outputs]);
            let weights = &kernel[tap * outputs..][..outputs];
            for_each_channel(x.iter(), outputs / channels, y, weights, |x, y, w| *y += x * w);
        });
    }
    if relu {
        super::activation_f32::relu(y);
    }
}

/// `dx[i, c] = sum over taps t and outputs m of channel c of dy[i - t, c, m] * kernel[t, c, m]`.
#[inline(always)]
pub(in crate::arch) fn depthwise_conv2d_input_gradient(g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
    let (channels, outputs) = (g.input().channels, g.output().channels);
    let multiplier = outputs / channels;
    dx.fill(0.0);
    for (dy, dx) in dy.chunks_exact(g.output().len()).zip(dx.chunks_exact_mut(g.input().len())) {
        for_each_tap(g, |input, output, tap| {
            let (dy, kernel) = (&dy[output * outputs..][..outputs], &kernel[tap * outputs..][..outputs]);
            let dx = &mut dx[input * channels..][..channels];
            if multiplier == 1 {
                dx.iter_mut().zip(dy).zip(kernel).for_each(|((dx, dy), w)| *dx += dy * w);
            } else {
                let groups = dy.chunks_exact(multiplier).zip(kernel.chunks_exact(multiplier));
                dx.iter_mut().zip(groups).for_each(|(dx, (dy, w))| dy.iter().zip(w).for_each(|(dy, w)| *dx += dy * w));
            }
        });
    }
}

/// Calls `work(first tap, its rows of the gradient)` in pieces, each for a thread; there are so many gradients `dy`
/// over the batch.
pub(in crate::arch) fn in_pieces(
    g: &Geometry,
    dy: usize,
    dkernel: &mut [f32],
    work: &(impl Fn(usize, &mut [f32]) + Sync),
) {
    let taps = Rows { items: dkernel, width: g.output().channels };
    pieces(taps, SMALL.div_ceil(dy.max(1)), &|first, taps| work(first, taps.items));
}

/// `dkernel[t, c, m] = sum over samples b and positions o of x[b, o + t, c] * dy[b, o, c, m]`, for as many taps from
/// `first` on as `dkernel` has rows.
#[inline(always)]
pub(in crate::arch) fn depthwise_conv2d_kernel_gradient(
    g: &Geometry,
    x: &[f32],
    dy: &[f32],
    first: usize,
    dkernel: &mut [f32],
) {
    let (channels, outputs, width) = (g.input().channels, g.output().channels, g.output().width);
    let (rows, columns) = (Axis::rows(g), Axis::columns(g));
    for (tap, dkernel) in (first..).zip(dkernel.chunks_exact_mut(outputs)) {
        let (ky, kx) = (tap / columns.kernel, tap % columns.kernel);
        dkernel.fill(0.0);
        for (x, dy) in x.chunks_exact(g.input().len()).zip(dy.chunks_exact(g.output().len())) {
            for oy in (0..g.output().height).filter(|&oy| rows.taps(oy).contains(&ky)) {
                for ox in (0..width).filter(|&ox| columns.taps(ox).contains(&kx)) {
                    let input = rows.source(oy, ky) * g.input().width + columns.source(ox, kx);
                    let x = x[input * channels..][..channels].iter();
                    let dy = &dy[(oy * width + ox) * outputs..][..outputs];
                    for_each_channel(x, outputs / channels, dkernel, dy, |x, gradient, dy| *gradient += x * dy);
                }
            }
        }
    }
}
