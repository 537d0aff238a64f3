//! Convolution, activation and optional max pooling, straight from the definition. The oracle of every other back end.
use crate::arch::window::Axis;
use crate::geometry::{Geometry, Shape};
use crate::quant::ConvS8;

/// Runs `layer` over one sample.
#[inline(never)]
pub(crate) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8]) {
    let windows = layer.pool.unwrap_or(no_pool(layer.geometry.output));
    let (rows, columns) = (Axis::rows(&windows), Axis::columns(&windows));
    for (position, output) in output.chunks_exact_mut(windows.output.channels).enumerate() {
        let (y, x) = (position / windows.output.width, position % windows.output.width);
        for (filter, output) in output.iter_mut().enumerate() {
            let mut largest = i32::MIN;
            for ky in rows.taps(y) {
                for kx in columns.taps(x) {
                    largest = largest.max(accumulator(layer, input, filter, rows.source(y, ky), columns.source(x, kx)));
                }
            }
            *output = layer.requantize.conv(filter, largest);
        }
    }
}

/// Pooling by a window of one: no pooling.
pub(crate) const fn no_pool(shape: Shape) -> Geometry {
    Geometry { input: shape, output: shape, kernel: [1, 1], strides: [1, 1], padding: [0, 0] }
}

/// The sum of `filter` at position (`y`, `x`) of the convolution's output.
pub(in crate::arch) fn accumulator(layer: &ConvS8<'_>, input: &[i8], filter: usize, y: usize, x: usize) -> i32 {
    let geometry = &layer.geometry;
    let (filters, channels, len) = (geometry.output.channels, geometry.input.channels, geometry.patch());
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    let (inside_y, inside_x) = (rows.taps(y), columns.taps(x));
    let mut sum = layer.bias[filter];
    for ky in 0..rows.kernel {
        for kx in 0..columns.kernel {
            let inside = inside_y.contains(&ky) && inside_x.contains(&kx);
            let place = if inside { rows.source(y, ky) * columns.input + columns.source(x, kx) } else { 0 };
            for channel in 0..channels {
                let k = (ky * columns.kernel + kx) * channels + channel;
                let weight = layer.packing.weight(layer.weights, filters, len, filter, k);
                let value = if inside { input[place * channels + channel] } else { layer.input_zero_point };
                sum = sum.wrapping_add(i32::from(weight) * i32::from(value));
            }
        }
    }
    sum
}
