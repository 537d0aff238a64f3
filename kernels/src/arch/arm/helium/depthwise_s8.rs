//! Depthwise convolution and activation on cores with Helium.
//!
//! ```text
//! for each block of channels
//!     for each row of the output
//!         the pixels whose windows lie in the input: one call
//!         each other one: a call, in which taps beyond the input are zero points
//! ```
use super::run::any_left;
use super::windows::{self, TAPS};
use crate::arch::scalar;
use crate::int8::DepthwiseConvS8;
use core::marker::PhantomData;
use core::mem::offset_of;

/// Channels of a block: so many zero points are kept.
const BLOCK: usize = 64;

/// Channels at a time, where a pixel has so many.
const WIDE: usize = 16;

/// Some channels of a layer: all that the assembly must know beside taps and output.
#[repr(C)]
pub(super) struct Job<'a> {
    /// Of the first channel.
    bias: *const i32,
    multiplier: *const i32,
    shift: *const i8,
    weights: *const i8,
    /// How many channels; bytes from one tap's weights to the next one's, and from one pixel of the output to the next.
    channels: usize,
    stride: usize,
    taps: usize,
    /// Bytes from one pixel's windows to the next one's.
    step: usize,
    zero_point: i32,
    /// The least and the largest output.
    least: i32,
    largest: i32,
    /// Whether some shift of the layer is not to the right.
    left: u32,
    /// The input's channel that each channel reads, from the first one's on.
    offsets: *const u8,
    layer: PhantomData<&'a [i8]>,
}

/// Where the fields are that the assembly reads, and of those which it reads with a neighbour.
impl Job<'_> {
    pub(super) const CHANNELS: usize = offset_of!(Self, channels);
    pub(super) const STRIDE: usize = offset_of!(Self, stride);
    pub(super) const TAPS: usize = offset_of!(Self, taps);
    pub(super) const STEP: usize = offset_of!(Self, step);
    pub(super) const ZERO_POINT: usize = offset_of!(Self, zero_point);
    pub(super) const LEAST: usize = offset_of!(Self, least);
    pub(super) const LEFT: usize = offset_of!(Self, left);
    pub(super) const OFFSETS: usize = offset_of!(Self, offsets);
}

const _: () = {
    // `ldm` begins where the job does.
    assert!(offset_of!(Job<'_>, bias) == 0 && offset_of!(Job<'_>, multiplier) == 4);
    assert!(offset_of!(Job<'_>, shift) == 8 && offset_of!(Job<'_>, weights) == 12);
    assert!(offset_of!(Job<'_>, largest) == Job::LEAST + 4);
};

unsafe extern "C" {
    fn thumbnet_depthwise(job: &Job<'_>, taps: *const *const i8, output: *mut i8, pixels: usize);
    fn thumbnet_depthwise_any(job: &Job<'_>, taps: *const *const i8, output: *mut i8, pixels: usize);
}

/// Runs `layer` over one sample.
#[inline(never)]
pub(in crate::arch) fn depthwise_conv_s8(
    layer: &DepthwiseConvS8<'_>,
    input: &[i8],
    output: &mut [i8],
    _scratch: &mut [i32],
) {
    let g = layer.geometry;
    let outputs = g.output().channels;
    let left = any_left(&layer.requantize);
    if g.kernel()[0] * g.kernel()[1] > TAPS {
        return scalar::depthwise_s8::depthwise_conv_s8(layer, input, output);
    }
    for first in (0..outputs).step_by(BLOCK) {
        // The last block has 16 channels at least, if there are as many.
        let first = first.min(outputs.saturating_sub(WIDE));
        if block(layer, first, left, input, output).is_none() {
            return;
        }
    }
}

/// The channels from `first` on. `None` where a slice is shorter than the geometry says.
fn block(layer: &DepthwiseConvS8<'_>, first: usize, left: bool, input: &[i8], output: &mut [i8]) -> Option<()> {
    let g = layer.geometry;
    let (channels, outputs) = (g.input().channels, g.output().channels);
    let multiplier = outputs / channels;
    let count = (outputs - first).min(BLOCK);
    let mut offsets = [0; BLOCK];
    for (offset, channel) in offsets.iter_mut().zip(first..) {
        *offset = (channel / multiplier - first / multiplier) as u8;
    }
    let taps = g.kernel()[0] * g.kernel()[1];
    let zeros = [layer.input_zero_point; BLOCK];
    let requantize = &layer.requantize;
    let [least, largest] = requantize.activation.map(i32::from);
    let job = Job {
        bias: layer.bias.get(first..first + count)?.as_ptr(),
        multiplier: requantize.multiplier.get(first..first + count)?.as_ptr(),
        shift: requantize.shift.get(first..first + count)?.as_ptr(),
        weights: layer.weights.get(first..(taps - 1) * outputs + first + count)?.as_ptr(),
        channels: count,
        stride: outputs,
        taps,
        step: windows::step(g),
        zero_point: requantize.zero_point.into(),
        least,
        largest,
        left: left.into(),
        offsets: offsets.as_ptr(),
        layer: PhantomData,
    };
    let kernel = if multiplier == 1 && count >= WIDE { thumbnet_depthwise } else { thumbnet_depthwise_any };
    // Channels of a pixel that a tap reads.
    let reads = [first / multiplier, usize::from(offsets[count - 1]) + 1];
    windows::runs(g, reads, Some(zeros.as_ptr()), input, output, |addresses, output| {
        let pixels = output.len() / outputs;
        let output = output.get_mut(first..)?;
        (addresses.len() == taps && count <= output.len()).then(|| {
            // SAFETY: the job's slices are as long as it says; so many channels are there from each address on, and
            // from the same of the pixels that follow; and so are their outputs.
            unsafe { kernel(&job, addresses.as_ptr(), output.as_mut_ptr(), pixels) }
        })
    })
}
