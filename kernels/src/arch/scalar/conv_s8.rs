//! Convolution, activation and optional max pooling, straight from the definition. The oracle of every other back end.
use core::ops::Range;

use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::{ConvS8, Packing};

/// Runs `layer` over one sample.
#[inline(never)]
pub(crate) fn conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8]) {
    let windows = layer.pool.copied().unwrap_or(Geometry::of_positions(layer.geometry));
    let (rows, columns) = (Axis::rows(&windows), Axis::columns(&windows));
    for (position, output) in output.chunks_exact_mut(windows.output().channels).enumerate() {
        let (y, x) = (position / windows.output().width, position % windows.output().width);
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

/// The sum of `filter` at position (`y`, `x`) of the convolution's output.
fn accumulator(layer: &ConvS8<'_>, input: &[i8], filter: usize, y: usize, x: usize) -> i32 {
    let geometry = layer.geometry;
    let channels = geometry.input().channels;
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    let (inside_y, inside_x) = (rows.taps(y), columns.taps(x));
    let mut sum = layer.bias[filter];
    for ky in 0..rows.kernel {
        // The positions of the window's row, those of them inside the input, and where these are there.
        let row = ky * columns.kernel * channels..(ky + 1) * columns.kernel * channels;
        let mut inside = row.start + inside_x.start * channels..row.start + inside_x.end * channels;
        let mut values: &[i8] = &[];
        if inside_y.contains(&ky) && !inside_x.is_empty() {
            let place = rows.source(y, ky) * columns.input + columns.source(x, inside_x.start);
            values = &input[place * channels..][..inside.len()];
        } else {
            inside = row.start..row.start;
        }
        let weights = total(layer, filter, row.start..inside.start) + total(layer, filter, inside.end..row.end);
        sum = sum.wrapping_add(weights.wrapping_mul(i32::from(layer.input_zero_point)));
        sum = sum.wrapping_add(products(layer, filter, inside.start, values));
    }
    sum
}

/// The sum of `filter`'s weights at some positions.
fn total(layer: &ConvS8<'_>, filter: usize, positions: Range<usize>) -> i32 {
    if layer.packing == Packing::Plain {
        let row = filter * layer.geometry.patch();
        return layer.weights[row + positions.start..row + positions.end].iter().map(|&weight| i32::from(weight)).sum();
    }
    positions.map(|k| weight(layer, filter, k)).sum()
}

/// The sum of `filter`'s weights from position `first` on times `values`.
fn products(layer: &ConvS8<'_>, filter: usize, first: usize, values: &[i8]) -> i32 {
    if layer.packing == Packing::Plain {
        return dot(&layer.weights[filter * layer.geometry.patch() + first..], values);
    }
    let products = values.iter().zip(first..).map(|(&value, k)| weight(layer, filter, k) * i32::from(value));
    products.fold(0, i32::wrapping_add)
}

/// Weight `k` of `filter`.
#[inline(always)]
fn weight(layer: &ConvS8<'_>, filter: usize, k: usize) -> i32 {
    let (filters, len) = (layer.geometry.output().channels, layer.geometry.patch());
    // The common order first: where this is the only kernel, it should not call for each weight.
    i32::from(if layer.packing == Packing::Plain {
        layer.weights[filter * len + k]
    } else {
        layer.packing.weight(layer.weights, filters, len, filter, k)
    })
}

/// `Σ weights[k] * values[k]`, wrapping, over the shorter of the two.
pub(in crate::arch) fn dot(weights: &[i8], values: &[i8]) -> i32 {
    let products = weights.iter().zip(values).map(|(&weight, &value)| i32::from(weight) * i32::from(value));
    products.fold(0, i32::wrapping_add)
}
