//! Two-dimensional convolution and its gradients, in f32, for one sample.

use crate::arch::Weights;
use crate::arch::window::Axis;
use crate::geometry::Geometry;

/// Calls `visit(input pixel's index, output pixel's index, tap's index)` for all that the window really reads.
#[inline(always)]
pub(in crate::arch) fn for_each_tap(g: &Geometry, mut visit: impl FnMut(usize, usize, usize)) {
    let (rows, columns) = (Axis::rows(g), Axis::columns(g));
    for oy in 0..g.output().height {
        for ox in 0..g.output().width {
            for ky in rows.taps(oy) {
                for kx in columns.taps(ox) {
                    let input = rows.source(oy, ky) * g.input().width + columns.source(ox, kx);
                    visit(input, oy * g.output().width + ox, ky * g.kernel()[1] + kx);
                }
            }
        }
    }
}

/// `y[o, f] = bias[f] + sum over taps t and channels c of x[o + t, c] * kernel[t, c, f]`, then relu where asked.
pub(in crate::arch) fn conv2d(g: &Geometry, x: &[f32], Weights { kernel, bias, relu }: Weights<'_>, y: &mut [f32]) {
    let (channels, filters) = (g.input().channels, g.output().channels);
    match bias {
        Some(bias) => y.chunks_exact_mut(filters).for_each(|pixel| pixel.copy_from_slice(bias)),
        None => y.fill(0.0),
    }
    for_each_tap(g, |input, output, tap| {
        let y = &mut y[output * filters..][..filters];
        for (c, &x) in x[input * channels..][..channels].iter().enumerate() {
            let weights = &kernel[(tap * channels + c) * filters..][..filters];
            for (y, w) in y.iter_mut().zip(weights) {
                *y += x * w;
            }
        }
    });
    if relu {
        super::activation_f32::relu(y);
    }
}

/// `dx[i, c] = sum over taps t and filters f of dy[i - t, f] * kernel[t, c, f]`.
pub(in crate::arch) fn conv2d_input_gradient(g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
    let (channels, filters) = (g.input().channels, g.output().channels);
    dx.fill(0.0);
    for_each_tap(g, |input, output, tap| {
        let dy = &dy[output * filters..][..filters];
        for (c, dx) in dx[input * channels..][..channels].iter_mut().enumerate() {
            let weights = &kernel[(tap * channels + c) * filters..][..filters];
            *dx += dy.iter().zip(weights).map(|(dy, w)| dy * w).sum::<f32>();
        }
    });
}

/// Adds to `dkernel[t, c, f]` the sum over positions `o` of `x[o + t, c] * dy[o, f]`.
pub(in crate::arch) fn conv2d_kernel_gradient(g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32]) {
    let (channels, filters) = (g.input().channels, g.output().channels);
    for_each_tap(g, |input, output, tap| {
        let dy = &dy[output * filters..][..filters];
        for (c, &x) in x[input * channels..][..channels].iter().enumerate() {
            let gradient = &mut dkernel[(tap * channels + c) * filters..][..filters];
            for (g, dy) in gradient.iter_mut().zip(dy) {
                *g += x * dy;
            }
        }
    });
}
