//! Depthwise convolution and activation of int8 values. The oracle of every other back end.

use crate::arch::window::Axis;
use crate::int8::DepthwiseConvS8;
use core::ops::Range;

/// Output channels whose sums are made together.
const BLOCK: usize = 16;

/// Runs `layer` over one sample.
#[cfg_attr(thumbnet_x86, inline(always))]
pub(crate) fn depthwise_conv_s8(layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8]) {
    depthwise_channels(layer, 0..layer.geometry.output().channels, input, output);
}

/// Some of the output's channels alone.
#[cfg_attr(thumbnet_x86, inline(always))]
pub(in crate::arch) fn depthwise_channels(
    layer: &DepthwiseConvS8<'_>,
    those: Range<usize>,
    input: &[i8],
    output: &mut [i8],
) {
    let g = layer.geometry;
    let (channels, outputs) = (g.input().channels, g.output().channels);
    let (rows, columns) = (Axis::rows(g), Axis::columns(g));
    // No size is 0: the maxima are for the compiler.
    let multiplier = (outputs / channels.max(1)).max(1);
    for (y, output) in output.chunks_exact_mut((g.output().width * outputs).max(1)).enumerate() {
        for (x, output) in output.chunks_exact_mut(outputs.max(1)).enumerate() {
            let (inside_y, inside_x) = (rows.taps(y), columns.taps(x));
            for (block, output) in output.get_mut(those.clone()).unwrap_or_default().chunks_mut(BLOCK).enumerate() {
                let first = those.start + block * BLOCK;
                let mut sums = [0i32; BLOCK];
                sums.iter_mut().zip(layer.bias.iter().skip(first)).for_each(|(sum, &bias)| *sum = bias);
                let mut weights = layer.weights.get(first..).unwrap_or_default();
                for ky in 0..rows.kernel {
                    for kx in 0..columns.kernel {
                        let add = |sum: &mut i32, weight: i8, value: i8| {
                            *sum = sum.wrapping_add(i32::from(weight) * i32::from(value));
                        };
                        let sums = sums.iter_mut().zip(weights).take(output.len());
                        weights = weights.get(outputs..).unwrap_or_default();
                        if !inside_y.contains(&ky) || !inside_x.contains(&kx) {
                            // Padding reads as the zero point.
                            sums.for_each(|(sum, &w)| add(sum, w, layer.input_zero_point));
                            continue;
                        }
                        let place = rows.source(y, ky) * columns.input + columns.source(x, kx);
                        let values = input.get(place * channels..).unwrap_or_default();
                        if multiplier == 1 {
                            let values = values.get(first..).unwrap_or_default();
                            sums.zip(values).for_each(|((sum, &w), &value)| add(sum, w, value));
                        } else {
                            let values = (first..).map(|channel| values.get(channel / multiplier));
                            sums.zip(values).for_each(|((sum, &w), value)| add(sum, w, value.copied().unwrap_or(0)));
                        }
                    }
                }
                for ((channel, output), sum) in (first..).zip(output).zip(sums) {
                    *output = layer.requantize.conv(channel, sum);
                }
            }
        }
    }
}
