//! Depthwise convolution and activation on Cortex-M3 and up, four channels at a time: windows of up to 3 x 3, of
//! strides 1 and 2.
//!
//! ```text
//! for each four channels
//!     make a record of each channel: weights, bias, multiplier, shift
//!     for each stretch of columns
//!         for each step down the image: two rows of outputs of stride 1, one of stride 2
//!             widen two more rows of the input into a strip, padding included, below the two before
//!             for each of the channels: a row of outputs, or two
//! ```
//!
//! A strip has four input rows, and of each column its four values of a channel side by side. So the inner loop has no
//! borders and one pointer, keeps a channel's weights in registers, and of stride 1 makes two outputs of what it loads.
//! Each input is widened once. A smaller window is one of 3 x 3 with zeros.
#![expect(unsafe_code, reason = "enters the assembly")]
use super::depthwise_taps::depthwise_taps;
use super::{Core, clamp};
use crate::arch::cores::{DepthwiseCut, DepthwisePlan};
use crate::arch::scalar::depthwise_s8::depthwise_channels;
use crate::int8::DepthwiseConvS8;

/// Channels that are computed together.
pub(super) const GROUP: usize = 4;

/// What an inner loop needs of a channel: weights in the core's order, bias, doubled multiplier, and the shift to the
/// right beside the output's zero point.
pub(super) type Record = [i32; <Core as DepthwiseCut>::CHANNEL_WORDS];

/// How a core keeps weights and inputs.
pub(super) trait Depthwise: DepthwiseCut {
    /// Puts the weights of a column of the window into a record.
    fn place(record: &mut Record, column: usize, weights: [i8; 3]);

    /// A word of padding in a strip.
    fn padding(zero_point: i8) -> i32;
}

unsafe extern "C" {
    /// Four channels of some columns of outputs. `inside` columns of the strip, at least one, from `inner` on are the
    /// input's, and `input` is the first channel of the first of these in the first row, of which each has `line`
    /// bytes. `row` is widened first: below 0 above the image. `output` is the first channel of the first output, and
    /// `width` bytes are from a row to the next. `span` bytes of the strip are from the first window to behind the
    /// last. `strided` is whether the stride is 2, `zeros` a row of padding of four channels.
    fn thumbnet_depthwise(
        channels: usize,
        records: *const Record,
        strip: *mut i32,
        inner: *mut i32,
        inside: usize,
        input: *const i8,
        line: usize,
        row: isize,
        height: usize,
        output: *mut i8,
        width: usize,
        rows: usize,
        span: usize,
        strided: usize,
        zeros: u32,
    );
}

/// Runs `layer` over one sample.
pub(in crate::arch) fn depthwise_conv_s8(
    layer: &DepthwiseConvS8<'_>,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i32],
) {
    let channels = layer.geometry.output().channels;
    let (Some(plan), Some((records, strip))) = (
        DepthwisePlan::new::<Core>(layer.geometry),
        scratch.split_at_mut_checked(GROUP * <Core as DepthwiseCut>::CHANNEL_WORDS),
    ) else {
        return depthwise_taps(layer, input, output, scratch);
    };
    let Some(records) = records.as_chunks_mut().0.first_chunk_mut() else { return };
    for first in (0..channels).step_by(GROUP) {
        // The last group may have channels of the one before.
        let first = first.min(channels - GROUP);
        let plain = fill(layer, first, records);
        let mut column = 0;
        while column < layer.geometry.output().width {
            stretch(layer, plan, [first, column], records, input, output, strip);
            column += plan.outputs;
        }
        for (channel, plain) in (first..).zip(plain) {
            if !plain {
                depthwise_channels(layer, channel..channel + 1, input, output);
            }
        }
    }
    clamp(output, layer.requantize.activation);
}

/// Whether the inner loops' arithmetic is a channel's: they double multipliers of full length, shift right or not at
/// all, and add the output's zero point without a look at what 32 bits hold.
pub(super) const fn is_plain(bias: i32, multiplier: i32, shift: i8) -> bool {
    multiplier >= 1 << 30 && shift <= 0 && bias.unsigned_abs() < 1 << 30
}

/// Makes the records of the channels from `first` on, and says whether [`is_plain`] holds for each.
fn fill(layer: &DepthwiseConvS8<'_>, first: usize, records: &mut [Record; GROUP]) -> [bool; GROUP] {
    let [height, width] = layer.geometry.kernel();
    let channels = layer.geometry.output().channels;
    for column in 0..3 {
        // The four channels' weights of a row, or none.
        let word = |row: usize| {
            let at = (row * width + column) * channels + first;
            let weights = if row < height && column < width { layer.weights.get(at..at + GROUP) } else { None };
            weights
                .and_then(|weights| weights.first_chunk())
                .map_or(0, |&weights| i32::from_le_bytes(weights.map(i8::cast_unsigned)))
        };
        let [mut u, mut v, mut w] = [word(0), word(1), word(2)];
        for record in &mut *records {
            Core::place(record, column, [u as i8, v as i8, w as i8]);
            (u, v, w) = (u >> 8, v >> 8, w >> 8);
        }
    }
    let mut plain = [true; GROUP];
    let parameters = layer.bias.iter().zip(layer.requantize.multiplier).zip(layer.requantize.shift).skip(first);
    for ((record, plain), ((&bias, &multiplier), &shift)) in records.iter_mut().zip(&mut plain).zip(parameters) {
        // Where the multiplier is 0, so is what is rounded: as of a channel without weights.
        if multiplier == 0 {
            record.fill(0);
        }
        let [.., to_bias, to_multiplier, to_shift] = record;
        if multiplier != 0 {
            *plain = is_plain(bias, multiplier, shift);
            [*to_bias, *to_multiplier] = [bias, multiplier << 1];
        }
        *to_shift = i32::from(layer.requantize.zero_point) << 8 | i32::from(shift.min(0).unsigned_abs());
    }
    plain
}

/// All rows of four channels from `first` on, of the columns from `column` on that a strip has room for.
fn stretch(
    layer: &DepthwiseConvS8<'_>,
    plan: DepthwisePlan,
    [first, column]: [usize; 2],
    records: &[Record; GROUP],
    input: &[i8],
    output: &mut [i8],
    strip: &mut [i32],
) {
    let (geometry, stride) = (layer.geometry, plan.stride);
    let (of, to, [above, left]) = (geometry.input(), geometry.output(), geometry.padding());
    let channels = of.channels;
    let (line, width) = (of.width * channels, to.width * channels);
    let count = plan.outputs.min(to.width - column);
    // The strip's columns that are the input's, and the first of these.
    let (start, all) = (column * stride, (count - 1) * stride + 3);
    let end = (left + of.width).saturating_sub(start).min(all);
    let begin = left.saturating_sub(start);
    let (Some(strip), true) = (strip.get_mut(..all * Core::COLUMN_WORDS), begin < end) else { return };
    let padding = Core::padding(layer.input_zero_point);
    strip.iter_mut().take(begin * Core::COLUMN_WORDS).for_each(|word| *word = padding);
    strip.iter_mut().skip(end * Core::COLUMN_WORDS).for_each(|word| *word = padding);

    let source = (start + begin - left) * channels + first;
    let target = column * channels + first;
    let last_read = source + (of.height - 1) * line + (end - begin - 1) * channels + GROUP;
    let last_written = target + (to.height - 1) * width + (count - 1) * channels + GROUP;
    let (Some(from), Some(output)) = (input.get(source..last_read), output.get_mut(target..last_written)) else {
        return;
    };
    let strip = strip.as_mut_ptr();
    let inner = strip.wrapping_add(begin * Core::COLUMN_WORDS);
    let (row, span) = (-above.cast_signed(), count * stride * Core::COLUMN_WORDS * 4);
    let zeros = u32::from(layer.input_zero_point.cast_unsigned()) * 0x0101_0101;
    let (records, input, output) = (records.as_ptr(), from.as_ptr(), output.as_mut_ptr());
    // SAFETY: the function reads four values at each inner column of each row of the input, writes the inner columns of
    // the strip, reads the strip up to its end, and writes four values at each column of each row of the output. These
    // lie in the slices whose ends were looked for.
    unsafe {
        thumbnet_depthwise(
            channels,
            records,
            strip,
            inner,
            end - begin,
            input,
            line,
            row,
            of.height,
            output,
            width,
            to.height,
            span,
            stride - 1,
            zeros,
        );
    }
}
