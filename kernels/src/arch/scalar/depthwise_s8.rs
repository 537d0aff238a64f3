//! Depthwise convolution and activation of int8 values. The oracle of every other back end.

use crate::arch::window::Axis;
use crate::int8::DepthwiseConvS8;

/// Output channels whose sums are made together.
const BLOCK: usize = 16;

/// Runs `layer` over one sample.
#[cfg_attr(thumbnet_x86, inline(always))]
pub(crate) fn depthwise_conv_s8(layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8]) {
    let g = layer.geometry;
    let (channels, outputs) = (g.input().channels, g.output().channels);
    let multiplier = outputs / channels;
    let (rows, columns) = (Axis::rows(g), Axis::columns(g));
    for (position, output) in output.chunks_exact_mut(outputs).enumerate() {
        let (y, x) = (position / g.output().width, position % g.output().width);
        let (inside_y, inside_x) = (rows.taps(y), columns.taps(x));
        for (block, output) in output.chunks_mut(BLOCK).enumerate() {
            let first = block * BLOCK;
            let mut sums = [0i32; BLOCK];
            sums[..output.len()].copy_from_slice(&layer.bias[first..][..output.len()]);
            for tap in 0..rows.kernel * columns.kernel {
                let (ky, kx) = (tap / columns.kernel, tap % columns.kernel);
                let weights = &layer.weights[tap * outputs + first..][..output.len()];
                let add = |sum: &mut i32, weight: i8, value: i8| {
                    *sum = sum.wrapping_add(i32::from(weight) * i32::from(value));
                };
                if !inside_y.contains(&ky) || !inside_x.contains(&kx) {
                    // Padding reads as the zero point.
                    sums.iter_mut().zip(weights).for_each(|(sum, &w)| add(sum, w, layer.input_zero_point));
                    continue;
                }
                let pixel =
                    &input[(rows.source(y, ky) * columns.input + columns.source(x, kx)) * channels..][..channels];
                if multiplier == 1 {
                    let values = &pixel[first..][..weights.len()];
                    sums.iter_mut().zip(weights).zip(values).for_each(|((sum, &w), &value)| add(sum, w, value));
                } else {
                    for (i, (sum, &w)) in sums.iter_mut().zip(weights).enumerate() {
                        add(sum, w, pixel[(first + i) / multiplier]);
                    }
                }
            }
            for (i, (output, sum)) in output.iter_mut().zip(sums).enumerate() {
                *output = layer.requantize.conv(first + i, sum);
            }
        }
    }
}
