//! Max and average pooling of int8 values, of one sample. The oracle of every other back end.
use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::{MeanS8, average};

/// The maximum of each window over one sample; what would be padding does not count, as in TFLite.
#[cfg_attr(thumbnet_x86, inline(always))]
pub(crate) fn max_pool_s8(geometry: &Geometry, input: &[i8], output: &mut [i8]) {
    let channels = geometry.input().channels;
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    for (position, output) in output.chunks_exact_mut(channels).enumerate() {
        let (y, x) = (position / geometry.output().width, position % geometry.output().width);
        output.fill(i8::MIN);
        for ky in rows.taps(y) {
            for kx in columns.taps(x) {
                let place = rows.source(y, ky) * columns.input + columns.source(x, kx);
                let values = &input[place * channels..][..channels];
                for (largest, &value) in output.iter_mut().zip(values) {
                    *largest = (*largest).max(value);
                }
            }
        }
    }
}

/// The mean of each window; what would be padding does not count, as in TFLite. See [`average`].
pub(crate) fn average_pool_s8(geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
    let channels = geometry.input().channels;
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    for (position, output) in output.chunks_exact_mut(channels).enumerate() {
        let (y, x) = (position / geometry.output().width, position % geometry.output().width);
        let count = (rows.taps(y).len() * columns.taps(x).len()) as i32;
        for (channel, mean) in output.iter_mut().enumerate() {
            let mut sum = 0;
            for ky in rows.taps(y) {
                for kx in columns.taps(x) {
                    let place = rows.source(y, ky) * columns.input + columns.source(x, kx);
                    sum += i32::from(input[place * channels + channel]);
                }
            }
            *mean = average(sum, count, activation);
        }
    }
}

/// The mean of each channel; see [`MeanS8`].
pub(crate) fn mean_s8(mean: &MeanS8, input: &[i8], output: &mut [i8]) {
    let channels = output.len();
    for (channel, output) in output.iter_mut().enumerate() {
        *output = mean.apply(input.iter().skip(channel).step_by(channels).map(|&value| i32::from(value)).sum());
    }
}
