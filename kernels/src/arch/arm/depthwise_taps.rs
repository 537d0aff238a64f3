//! Depthwise convolution of any window on Cortex-M3 and up: an output position after the other, and of each four
//! channels a tap after the other.
//!
//! Where the inputs and the weights of a tap lie is listed once for all channels of a position, first of the taps that
//! read the input, then of those that read padding. Channels that become several are spread for that, but for a single
//! one.
#![expect(unsafe_code, reason = "enters the assembly")]
use super::clamp;
use super::depthwise_s8::{GROUP, is_plain};
use crate::arch::cores::depthwise_taps_words;
use crate::arch::scalar::depthwise_s8::{depthwise_channels, depthwise_conv_s8 as scalar};
use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::DepthwiseConvS8;
use core::ops::Range;

/// A tap of four channels: sums in r4 to r7, its place at r0, the channels' inputs at r2 and weights at r3.
#[cfg(thumbnet_dsp)]
macro_rules! tap {
    () => {
        "ldrd r8, r9, [r0], #8
        ldr r8, [r2, r8]
        ldr r9, [r3, r9]
        sxtb16 r10, r8
        sxtb16 r11, r9
        sxtb16 r8, r8, ror #8
        sxtb16 r9, r9, ror #8
        smlabb r4, r10, r11, r4
        smlatt r6, r10, r11, r6
        smlabb r5, r8, r9, r5
        smlatt r7, r8, r9, r7"
    };
}
/// The same of one input, which all channels have.
#[cfg(thumbnet_dsp)]
macro_rules! single {
    () => {
        "ldrd r8, r9, [r0], #8
        ldrsb r8, [r2, r8]
        ldr r9, [r3, r9]
        sxtb16 r10, r9
        sxtb16 r9, r9, ror #8
        smlabb r4, r8, r10, r4
        smlabt r6, r8, r10, r6
        smlabb r5, r8, r9, r5
        smlabt r7, r8, r9, r7"
    };
}
/// The same without the DSP extension.
#[cfg(thumbnet_thumb2)]
macro_rules! tap {
    () => {
        "ldrd r8, r9, [r0], #8
        add r8, r8, r2
        add r9, r9, r3
        ldrsb r10, [r8]
        ldrsb r11, [r9]
        mla r4, r10, r11, r4
        ldrsb r10, [r8, #1]
        ldrsb r11, [r9, #1]
        mla r5, r10, r11, r5
        ldrsb r10, [r8, #2]
        ldrsb r11, [r9, #2]
        mla r6, r10, r11, r6
        ldrsb r10, [r8, #3]
        ldrsb r11, [r9, #3]
        mla r7, r10, r11, r7"
    };
}
/// The same without the DSP extension.
#[cfg(thumbnet_thumb2)]
macro_rules! single {
    () => {
        "ldrd r8, r9, [r0], #8
        ldrsb r8, [r2, r8]
        add r9, r9, r3
        ldrsb r10, [r9]
        mla r4, r10, r8, r4
        ldrsb r10, [r9, #1]
        mla r5, r10, r8, r5
        ldrsb r10, [r9, #2]
        mla r6, r10, r8, r6
        ldrsb r10, [r9, #3]
        mla r7, r10, r8, r7"
    };
}

/// One output of four: its sum, its doubled multiplier.
macro_rules! output {
    ($sum:literal, $multiplier:literal) => {
        concat!(
            concat!("lsls ", $multiplier, ", ", $multiplier, ", #1\n"),
            scale!($sum, $multiplier, "r3", "r12"),
            "ldrsb r3, [r1], #1\n",
            "rsbs r3, r3, #0\n",
            concat!("adds ", $sum, ", ", $sum, ", ", $sum, ", asr #31\n"),
            concat!("asrs ", $sum, ", ", $sum, ", r3\n"),
            concat!("adc ", $sum, ", ", $sum, ", r2\n"),
            concat!("ssat ", $sum, ", #8, ", $sum, "\n"),
            concat!("strb ", $sum, ", [r0], #1"),
        )
    };
}

// thumbnet_depthwise_taps(taps, inside, ..): 13 instructions for four products on M4, 17 on M3. Rounds as
// `depthwise_s8`.
thumb_function! {
    "thumbnet_depthwise_taps":
    "push {{r4-r11, lr}}",
    "sub sp, #20",
    // The frame: 0 channel, 4 taps, 8 inside, 12 outside, 16 padding; the other arguments: 56 input, 60 weights, 64
    // output, 68 shift, 72 bias, 76 multiplier, 80 zero point, 84 last, 88 whether there is a single channel.
    "str r0, [sp, #4]",
    "strd r1, r2, [sp, #8]",
    "str r3, [sp, #16]",
    "movs r0, #0",
    "str r0, [sp]",
    "1:",
    "ldr r12, [sp]",
    "ldr r0, [sp, #72]",
    "add r0, r0, r12, lsl #2",
    "ldm r0, {{r4-r7}}",
    "ldrd r0, r1, [sp, #4]",
    "ldrd r2, r3, [sp, #56]",
    "add r3, r3, r12",
    "ldr r8, [sp, #88]",
    "cmp r8, #0",
    "bne 7f",
    "add r2, r2, r12",
    "2:",
    tap!(),
    "subs r1, #1",
    "bne 2b",
    "3:",
    "ldrd r1, r2, [sp, #12]",
    "cbz r1, 5f",
    // Padding.
    "4:",
    "ldr r9, [r0], #4",
    "add r9, r9, r3",
    "ldrsb r8, [r9]",
    "mla r4, r8, r2, r4",
    "ldrsb r8, [r9, #1]",
    "mla r5, r8, r2, r5",
    "ldrsb r8, [r9, #2]",
    "mla r6, r8, r2, r6",
    "ldrsb r8, [r9, #3]",
    "mla r7, r8, r2, r7",
    "subs r1, #1",
    "bne 4b",
    "5:",
    "ldrd r0, r1, [sp, #64]",
    "ldrd r3, r2, [sp, #76]",
    "add r0, r0, r12",
    "add r1, r1, r12",
    "add r3, r3, r12, lsl #2",
    "ldm r3, {{r8-r11}}",
    output!("r4", "r8"),
    output!("r5", "r9"),
    output!("r6", "r10"),
    output!("r7", "r11"),
    // The next four channels; the last ones have some of those before, where they are less.
    "ldr r12, [sp]",
    "ldr r0, [sp, #84]",
    "cmp r12, r0",
    "beq 6f",
    "add r12, r12, #4",
    "cmp r12, r0",
    "it hi",
    "movhi r12, r0",
    "str r12, [sp]",
    "b 1b",
    "6:",
    "add sp, #20",
    "pop {{r4-r11, pc}}",
    "7:",
    single!(),
    "subs r1, #1",
    "bne 7b",
    "b 3b"
}

// thumbnet_spread(values, places, count, multiplier): each value so many times; where it is two, two values at a time.
thumb_function! {
    "thumbnet_spread":
    "push {{r4, lr}}",
    "cmp r3, #2",
    "bne 1f",
    "subs r2, #1",
    "ble 4f",
    "3:",
    "ldrb r12, [r0], #1",
    "ldrb r4, [r0], #1",
    "orr r12, r12, r4, lsl #16",
    "orr r12, r12, r12, lsl #8",
    "str r12, [r1], #4",
    "subs r2, #2",
    "bgt 3b",
    "4:",
    "bmi 5f",
    "ldrb r12, [r0]",
    "orr r12, r12, r12, lsl #8",
    "strh r12, [r1]",
    "5:",
    "pop {{r4, pc}}",
    "1:",
    "ldrb r12, [r0], #1",
    "mov r4, r3",
    "2:",
    "strb r12, [r1], #1",
    "subs r4, #1",
    "bne 2b",
    "subs r2, #1",
    "bne 1b",
    "pop {{r4, pc}}"
}

unsafe extern "C" {
    fn thumbnet_spread(values: *const i8, places: *mut i8, count: usize, multiplier: usize);
    /// All channels of an output position. `taps` says of each of `inside` taps where its inputs and its weights begin,
    /// then of each of `outside` others where its weights begin. `last` is the first of the last four channels, and
    /// `single` whether the input has one channel.
    fn thumbnet_depthwise_taps(
        taps: *const u32,
        inside: usize,
        outside: usize,
        padding: i32,
        input: *const i8,
        weights: *const i8,
        output: *mut i8,
        shift: *const i8,
        bias: *const i32,
        multiplier: *const i32,
        zero_point: i32,
        last: usize,
        single: usize,
    );
}

/// Runs `layer` over one sample. Not inlined: it is rare, and what it keeps on the stack would be there all along.
#[inline(never)]
pub(super) fn depthwise_taps(layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    let geometry = layer.geometry;
    let (channels, outputs) = (geometry.input().channels, geometry.output().channels);
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    let taps = rows.kernel * columns.kernel;
    let requantize = &layer.requantize;
    let fits = outputs.is_multiple_of(channels)
        && layer.weights.len() == taps * outputs
        && [layer.bias.len(), requantize.multiplier.len(), requantize.shift.len()] == [outputs; 3];
    let (Some(_), Some((list, spread)), true) =
        (depthwise_taps_words(geometry), scratch.split_at_mut_checked(2 * taps), fits)
    else {
        return scalar(layer, input, output);
    };
    let list: &mut [u32] = bytemuck::cast_slice_mut(list);
    let spread: &mut [i8] = bytemuck::cast_slice_mut(spread);
    let (multiplier, spreads) = (outputs / channels.max(1), are_spread(geometry));
    let mut listed = None;
    // No size is 0: the maxima are for the compiler.
    let width = geometry.output().width.max(1);
    for (position, output) in output.chunks_exact_mut(outputs.max(1)).enumerate() {
        let (y, x) = (position / width, position % width);
        let window @ (inside_y, inside_x) = &(rows.taps(y), columns.taps(x));
        let inside = inside_y.len() * inside_x.len();
        // Places are counted from the window's first value, so that most positions have the list of the one before.
        if listed.as_ref() != Some(window) {
            list_taps(layer, window, list);
            listed = Some(window.clone());
        }
        let from = (rows.source(y, inside_y.start) * columns.input + columns.source(x, inside_x.start)) * channels;
        // There is always a value inside.
        let reach = (inside_y.len().saturating_sub(1) * columns.input + inside_x.len()) * channels;
        let (Some(mut input), true) = (input.get(from..from + reach), inside > 0) else { return };
        if spreads {
            let Some(spread) = spread.get_mut(..inside * outputs) else { return };
            let count = inside_x.len() * channels;
            let rows = input.chunks((columns.input * channels).max(1));
            for (places, values) in spread.chunks_exact_mut((inside_x.len() * outputs).max(1)).zip(rows) {
                if values.len() >= count && places.len() >= count * multiplier {
                    // SAFETY: the function reads so many values, and writes each of them so many times.
                    unsafe { thumbnet_spread(values.as_ptr(), places.as_mut_ptr(), count, multiplier) }
                }
            }
            input = spread;
        }
        let (bias, multiplier, shift) =
            (layer.bias.as_ptr(), requantize.multiplier.as_ptr(), requantize.shift.as_ptr());
        let (padding, zero_point) = (layer.input_zero_point.into(), requantize.zero_point.into());
        let (input, weights, output) = (input.as_ptr(), layer.weights.as_ptr(), output.as_mut_ptr());
        let (last, single) = (outputs - GROUP, usize::from(channels == 1));
        // SAFETY: the function reads, of each tap that is listed, an input and a weight of each output channel, which
        // lie in their slices, reads the other parameters of each, and writes each output.
        unsafe {
            thumbnet_depthwise_taps(
                list.as_ptr(),
                inside,
                taps - inside,
                padding,
                input,
                weights,
                output,
                shift,
                bias,
                multiplier,
                zero_point,
                last,
                single,
            );
        }
    }
    let parameters = layer.bias.iter().zip(requantize.multiplier).zip(requantize.shift);
    for (channel, ((&bias, &multiplier), &shift)) in parameters.enumerate() {
        if !is_plain(bias, multiplier, shift) {
            depthwise_channels(layer, channel..channel + 1, input, output);
        }
    }
    clamp(output, requantize.activation);
}

/// Whether each position's inputs are spread, so that each output channel has its own: they are as many as outputs
/// otherwise, or a single one.
const fn are_spread(geometry: &Geometry) -> bool {
    geometry.input().channels != 1 && geometry.input().channels != geometry.output().channels
}

/// Lists the taps of a window of which those rows and columns lie in the input. Not inlined, for the stack.
#[inline(never)]
fn list_taps(layer: &DepthwiseConvS8<'_>, (rows, columns): &(Range<usize>, Range<usize>), list: &mut [u32]) {
    let ([height, width], of, outputs) =
        (layer.geometry.kernel(), layer.geometry.input(), layer.geometry.output().channels);
    // From tap to tap and from row to row: as they lie, or side by side where they are spread.
    let [step, line] = match are_spread(layer.geometry) {
        true => [outputs, columns.len() * outputs],
        false => [of.channels, of.width * of.channels],
    };
    let Some((inside, outside)) = list.split_at_mut_checked(2 * rows.len() * columns.len()) else { return };
    let (mut inside, mut outside) = (inside.as_chunks_mut::<2>().0.iter_mut(), outside.iter_mut());
    for row in 0..height {
        for column in 0..width {
            let weights = ((row * width + column) * outputs) as u32;
            if !rows.contains(&row) || !columns.contains(&column) {
                if let Some(place) = outside.next() {
                    *place = weights;
                }
            } else if let Some(place) = inside.next() {
                let from = (row - rows.start) * line + (column - columns.start) * step;
                *place = [from as u32, weights];
            }
        }
    }
}
