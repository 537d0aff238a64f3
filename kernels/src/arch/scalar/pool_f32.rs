//! Max pooling and its gradient, in f32, for one sample.
//!
//! Channels are the inner loop and nothing in it branches, so that the compiler turns it into whatever vectors the
//! caller's target features allow: the vector back ends compile these very functions.

use crate::{arch::window::Axis, geometry::Geometry};

/// Channels that are worked on at once: a vector or two.
const WIDTH: usize = 16;

/// Calls `wide(output's first value, offset of the first tap's value, rows and columns of taps)` for every [`WIDTH`]
/// channels of every position, and `narrow` for each of the channels that are left.
#[inline(always)]
fn for_each_window<C>(
    g: &Geometry,
    mut context: C,
    wide: impl Fn(&mut C, usize, usize, [usize; 2]),
    narrow: impl Fn(&mut C, usize, usize, [usize; 2]),
) {
    let (rows, columns, channels) = (Axis::rows(g), Axis::columns(g), g.input.channels);
    for oy in 0..g.output.height {
        let taps_y = rows.taps(oy);
        for ox in 0..g.output.width {
            let taps_x = columns.taps(ox);
            let source = rows.source(oy, taps_y.start) * g.input.width + columns.source(ox, taps_x.start);
            let (output, input) = ((oy * g.output.width + ox) * channels, source * channels);
            let taps = [taps_y.len(), taps_x.len()];
            let whole = channels / WIDTH * WIDTH;
            for c in (0..whole).step_by(WIDTH) {
                wide(&mut context, output + c, input + c, taps);
            }
            for c in whole..channels {
                narrow(&mut context, output + c, input + c, taps);
            }
        }
    }
}

/// `N` values from `at` on.
#[inline(always)]
fn chunk<const N: usize>(values: &[f32], at: usize) -> &[f32; N] {
    values[at..].first_chunk().expect("a window lies within its input")
}

/// `N` values from `at` on.
#[inline(always)]
fn chunk_mut<const N: usize>(values: &mut [f32], at: usize) -> &mut [f32; N] {
    values[at..].first_chunk_mut().expect("a window lies within its input")
}

/// `y[o, c] = max over valid taps t of x[o + t, c]`.
#[inline(always)]
pub(in crate::arch) fn max_pool(g: &Geometry, x: &[f32], y: &mut [f32]) {
    let steps = [g.input.width * g.input.channels, g.input.channels];
    for_each_window(
        g,
        y,
        |y, output, input, taps| max_of::<WIDTH>(x, input, taps, steps, chunk_mut(y, output)),
        |y, output, input, taps| max_of::<1>(x, input, taps, steps, chunk_mut(y, output)),
    );
}

#[inline(always)]
fn max_of<const N: usize>(x: &[f32], input: usize, taps: [usize; 2], steps: [usize; 2], y: &mut [f32; N]) {
    let mut largest = [f32::NEG_INFINITY; N];
    for ky in 0..taps[0] {
        for kx in 0..taps[1] {
            let x = chunk::<N>(x, input + ky * steps[0] + kx * steps[1]);
            for i in 0..N {
                largest[i] = if x[i] > largest[i] { x[i] } else { largest[i] };
            }
        }
    }
    *y = largest;
}

/// `dx = 0`, then `dx[o + t, c] += dy[o, c]` where `t` is the first tap in row-major order with `x[o + t, c] = y[o, c]`.
#[inline(always)]
pub(in crate::arch) fn max_pool_gradient(g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let steps = [g.input.width * g.input.channels, g.input.channels];
    // Windows side by side write every input once: nothing to add to.
    let covers = |output: usize, stride: usize, kernel: usize, input: usize| {
        kernel == stride && output * stride >= input || kernel >= input && output == 1
    };
    let tiled = covers(g.output.height, g.strides[0], g.kernel[0], g.input.height)
        && covers(g.output.width, g.strides[1], g.kernel[1], g.input.width);
    if tiled {
        for_each_window(
            g,
            dx,
            |dx, output, input, taps| give::<WIDTH, false>(x, y, dy, output, input, taps, steps, dx),
            |dx, output, input, taps| give::<1, false>(x, y, dy, output, input, taps, steps, dx),
        );
    } else {
        dx.fill(0.0);
        for_each_window(
            g,
            dx,
            |dx, output, input, taps| give::<WIDTH, true>(x, y, dy, output, input, taps, steps, dx),
            |dx, output, input, taps| give::<1, true>(x, y, dy, output, input, taps, steps, dx),
        );
    }
}

/// Gives the gradients of `N` outputs to the inputs of their windows; adds them where `ADD`.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "four tensors and the window in them")]
fn give<const N: usize, const ADD: bool>(
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    output: usize,
    input: usize,
    taps: [usize; 2],
    steps: [usize; 2],
    dx: &mut [f32],
) {
    let (y, mut left) = (chunk::<N>(y, output), *chunk::<N>(dy, output));
    for ky in 0..taps[0] {
        for kx in 0..taps[1] {
            let at = input + ky * steps[0] + kx * steps[1];
            let (x, dx) = (chunk::<N>(x, at), chunk_mut::<N>(dx, at));
            for i in 0..N {
                let hit = x[i] == y[i];
                let given = if hit { left[i] } else { 0.0 };
                dx[i] = if ADD { dx[i] + given } else { given };
                left[i] = if hit { 0.0 } else { left[i] };
            }
        }
    }
}
