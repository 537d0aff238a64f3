//! Depthwise convolution and activation on Cortex-M3 and up, four channels at a time: windows of up to 3 x 3, of
//! strides 1 and 2.
//!
//! ```text
//! for each four channels
//!     make a record of each channel: weights, bias, multiplier, shift
//!     for each stretch of columns
//!         for each step down the image: two rows of outputs of stride 1, one of stride 2
//!             widen two more rows of the input into a strip, padding included, behind the two before
//!             for each of the channels: a row of outputs, or two
//! ```
//!
//! A strip has four input rows, and of each column its four values of a channel side by side. So the inner loop has no
//! borders and one pointer, keeps a channel's weights in registers, and of stride 1 makes two outputs of what it loads.
//! Each input is widened once. A smaller window is one of 3 x 3 with zeros.
#![expect(unsafe_code, reason = "enters the assembly")]
use super::{Core, clamp};
use crate::arch::cores::{DepthwiseCut, DepthwisePlan};
use crate::arch::scalar::depthwise_s8::{depthwise_channels, depthwise_conv_s8 as scalar};
use crate::int8::DepthwiseConvS8;
use core::mem::offset_of;

/// Channels that are computed together.
pub(super) const GROUP: usize = 4;

/// What an inner loop needs of a channel: weights in the core's order, bias, multiplier and shift.
pub(super) type Record = [i32; <Core as DepthwiseCut>::CHANNEL_WORDS];

/// How a core keeps weights and inputs, and multiplies them.
pub(super) trait Depthwise: DepthwiseCut {
    /// Puts the weight of a row and a column of the window into a record of zeros.
    fn place(record: &mut Record, row: usize, column: usize, weight: i8);

    /// A word of padding in a strip.
    fn padding(zero_point: i8) -> i32;
}

/// A row of outputs, or two.
#[repr(C)]
pub(super) struct Job {
    /// From an output to the one below, or 0 where there is none below.
    pub(super) row: usize,
    /// From an output to the next.
    pub(super) step: usize,
    /// Bytes of the strip from the first window to behind the last.
    pub(super) span: usize,
    /// Whether the stride is 2.
    pub(super) strided: usize,
    /// The output's zero point.
    pub(super) zero_point: i32,
}

// The assembly reads some of them as pairs.
const _: () = {
    assert!(offset_of!(Job, step) == offset_of!(Job, row) + 4);
    assert!(offset_of!(Job, strided) == offset_of!(Job, span) + 4);
};

unsafe extern "C" {
    fn thumbnet_depthwise_widen(
        strip: *mut i32,
        above: *const i8,
        below: *const i8,
        count: usize,
        step_above: usize,
        step_below: usize,
    );
    fn thumbnet_depthwise_outputs(records: *const Record, strip: *const i32, output: *mut i8, job: *const Job);
}

/// Moves each column's lower two rows up, and writes two rows of the input below, one column after the other: from values
/// that are so many bytes apart.
fn widen(strip: &mut [i32], [above, below]: [&[i8]; 2], [step_above, step_below]: [usize; 2]) {
    let count = strip.len() / Core::COLUMN_WORDS;
    let holds = |row: &[i8], step| (count - 1) * step + GROUP <= row.len();
    if count > 0 && holds(above, step_above) && holds(below, step_below) {
        let (above, below) = (above.as_ptr(), below.as_ptr());
        // SAFETY: the function reads four values at each step of both rows, and reads and writes whole columns.
        unsafe { thumbnet_depthwise_widen(strip.as_mut_ptr(), above, below, count, step_above, step_below) }
    }
}

/// One output of each channel for so many columns of the strip, or two. `output` begins with the first channel of the
/// first column.
fn outputs(records: &[Record; GROUP], strip: &[i32], output: &mut [i8], job: &Job, count: usize) {
    let (stride, last) = (1 + job.strided, count - 1);
    let reads = (last * stride + 3) * Core::COLUMN_WORDS <= strip.len();
    if reads && job.span == count * stride * Core::COLUMN_WORDS * 4 && last * job.step + job.row + GROUP <= output.len()
    {
        // SAFETY: the function reads the windows, which lie in the strip, and writes what lies in the output.
        unsafe { thumbnet_depthwise_outputs(records.as_ptr(), strip.as_ptr(), output.as_mut_ptr(), job) }
    }
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
        return scalar(layer, input, output);
    };
    let Some(records) = records.as_chunks_mut().0.first_chunk_mut() else { return };
    for first in (0..channels).step_by(GROUP) {
        // The last group may have channels of the one before.
        let first = first.min(channels - GROUP);
        fill(layer, first, records);
        for column in (0..layer.geometry.output().width).step_by(plan.outputs) {
            Stretch { layer, plan, first, column }.run(records, input, output, strip);
        }
    }
    for channel in 0..channels {
        if !is_plain(layer, channel) {
            depthwise_channels(layer, channel..channel + 1, input, output);
        }
    }
    clamp(output, layer.requantize.activation);
}

/// Whether the inner loop's arithmetic is a channel's: it doubles multipliers of full length, shifts right or not at
/// all, and adds the output's zero point without a look at what 32 bits hold.
fn is_plain(layer: &DepthwiseConvS8<'_>, channel: usize) -> bool {
    let requantize = &layer.requantize;
    let (Some(&multiplier), Some(&shift), Some(&bias)) =
        (requantize.multiplier.get(channel), requantize.shift.get(channel), layer.bias.get(channel))
    else {
        return true;
    };
    multiplier == 0 || (multiplier >= 1 << 30 && shift <= 0 && bias.unsigned_abs() < 1 << 30)
}

/// Makes the records of the channels from `first` on.
fn fill(layer: &DepthwiseConvS8<'_>, first: usize, records: &mut [Record; GROUP]) {
    let [height, width] = layer.geometry.kernel();
    let channels = layer.geometry.output().channels;
    records.as_flattened_mut().fill(0);
    let mut at = first;
    for row in 0..height {
        for column in 0..width {
            let weights = layer.weights.get(at..).unwrap_or_default();
            records.iter_mut().zip(weights).for_each(|(record, &weight)| Core::place(record, row, column, weight));
            at += channels;
        }
    }
    let parameters = layer.bias.iter().zip(layer.requantize.multiplier).zip(layer.requantize.shift).skip(first);
    for (record, ((&bias, &multiplier), &shift)) in records.iter_mut().zip(parameters) {
        // Where the multiplier is 0, so is what is rounded: as of a channel without weights.
        if multiplier == 0 {
            *record = [0; _];
            continue;
        }
        let [.., to_bias, to_multiplier, to_shift] = record;
        [*to_bias, *to_multiplier, *to_shift] = [bias, multiplier << 1, -i32::from(shift)];
    }
}

/// Four channels of some columns of outputs.
struct Stretch<'a> {
    layer: &'a DepthwiseConvS8<'a>,
    plan: DepthwisePlan,
    /// The first channel, and the first column.
    first: usize,
    column: usize,
}

impl Stretch<'_> {
    /// All rows of it.
    fn run(&self, records: &[Record; GROUP], input: &[i8], output: &mut [i8], strip: &mut [i32]) {
        let stride = self.plan.stride;
        let geometry = self.layer.geometry;
        let (of, to, channels) = (geometry.input(), geometry.output(), geometry.input().channels);
        let count = self.plan.outputs.min(to.width - self.column);
        // The strip's columns that are the input's, and the first of these.
        let (start, left) = (self.column * stride, geometry.padding()[1]);
        let all = (count - 1) * stride + 3;
        let end = (left + of.width).saturating_sub(start).min(all);
        let inside = left.saturating_sub(start).min(end)..end;
        let source = (start + inside.start).saturating_sub(left) * channels + self.first;

        let Some(strip) = strip.get_mut(..all * Core::COLUMN_WORDS) else { return };
        let (inner, outer) = (inside.start * Core::COLUMN_WORDS, inside.end * Core::COLUMN_WORDS);
        let padding = Core::padding(self.layer.input_zero_point);
        strip.iter_mut().take(inner).for_each(|word| *word = padding);
        strip.iter_mut().skip(outer).for_each(|word| *word = padding);
        let zeros = [self.layer.input_zero_point; GROUP];
        let widen_pair = |strip: &mut [i32], pair: usize| {
            let row = |row: usize| {
                let row = row.wrapping_sub(geometry.padding()[0]);
                let values = input.chunks_exact(of.width * channels).nth(row).and_then(|row| row.get(source..));
                values.map_or((&zeros[..], 0), |values| (values, channels))
            };
            let ((above, step), (below, step_below)) = (row(2 * pair), row(2 * pair + 1));
            if let Some(strip) = strip.get_mut(inner..outer) {
                widen(strip, [above, below], [step, step_below]);
            }
        };
        widen_pair(strip, 0);
        let rows = 3 - stride;
        let width = to.width * channels;
        for (step, output) in output.chunks_mut(rows * width).enumerate() {
            widen_pair(strip, step + 1);
            let job = Job {
                row: if output.len() > width { width } else { 0 },
                step: channels,
                span: count * stride * Core::COLUMN_WORDS * 4,
                strided: stride - 1,
                zero_point: self.layer.requantize.zero_point.into(),
            };
            if let Some(output) = output.get_mut(self.column * channels + self.first..) {
                outputs(records, strip, output, &job, count);
            }
        }
    }
}
