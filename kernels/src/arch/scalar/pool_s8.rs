//! Max and average pooling of int8 values, of one sample. The oracle of every other back end.
use core::ops::Range;

use crate::arch::window::Axis;
use crate::geometry::{Geometry, Shape};
use crate::int8::{MeanS8, average};

/// The maximum of each window over one sample; what would be padding does not count, as in TFLite.
#[cfg_attr(thumbnet_x86, inline(always))]
pub(crate) fn max_pool_s8(geometry: &Geometry, input: &[i8], output: &mut [i8]) {
    for_each_window(geometry, output, |rows, columns, output| {
        output.fill(i8::MIN);
        for y in rows {
            for x in columns.clone() {
                let values = values(geometry, input, y, x);
                output.iter_mut().zip(values).for_each(|(largest, &value)| *largest = (*largest).max(value));
            }
        }
    });
}

/// The mean of each window; what would be padding does not count, as in TFLite. See [`average`].
pub(crate) fn average_pool_s8(geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
    for_each_window(geometry, output, |rows, columns, output| {
        let count = (rows.len() * columns.len()) as u32;
        for (channel, mean) in output.iter_mut().enumerate() {
            let mut sum = 0;
            for y in rows.clone() {
                for x in columns.clone() {
                    sum += values(geometry, input, y, x).get(channel).map_or(0, |&value| i32::from(value));
                }
            }
            *mean = average(sum, count, activation);
        }
    });
}

/// Gives the inputs of each window, as rows and columns, and its outputs.
#[inline(always)]
fn for_each_window(
    geometry: &Geometry,
    output: &mut [i8],
    mut give: impl FnMut(Range<usize>, Range<usize>, &mut [i8]),
) {
    let Shape { width, channels, .. } = geometry.output();
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    // No size is 0: the maxima are for the compiler.
    for (y, output) in output.chunks_exact_mut((width * channels).max(1)).enumerate() {
        for (x, output) in output.chunks_exact_mut(channels.max(1)).enumerate() {
            give(rows.sources(y), columns.sources(x), output);
        }
    }
}

/// The values of an input position, and those behind it.
#[inline(always)]
fn values<'a>(geometry: &Geometry, input: &'a [i8], y: usize, x: usize) -> &'a [i8] {
    let Shape { width, channels, .. } = geometry.input();
    input.get((y * width + x) * channels..).unwrap_or_default()
}

/// The mean of each channel; see [`MeanS8`].
pub(crate) fn mean_s8(mean: &MeanS8, input: &[i8], output: &mut [i8]) {
    let channels = output.len().max(1);
    for (channel, output) in output.iter_mut().enumerate() {
        *output = mean.apply(input.iter().skip(channel).step_by(channels).map(|&value| i32::from(value)).sum());
    }
}
