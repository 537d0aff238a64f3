//! Depthwise convolution and activation on cores with Helium.
//!
//! ```text
//! for each block of channels
//!     for each row of the output
//!         the pixels whose windows lie in the input: one call
//!         each other one: a call, in which taps beyond the input are zero points
//! ```
//!
//! Where eight, four, two channels or one are all that there are, those of several pixels are computed as one's. Small
//! windows of stride 1 are computed otherwise: see `depthwise_tiles`.
use super::depthwise_tiles;
use super::run::any_left;
use super::windows::{self, addresses_of};
use crate::arch::cores::helium::{CHANNELS, Depthwise, LANES, Tiles};
use crate::arch::scalar;
use crate::int8::DepthwiseConvS8;
use core::marker::PhantomData;
use core::mem::offset_of;

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
    fn thumbnet_depthwise_two(job: &Job<'_>, taps: *const *const i8, output: *mut i8, pixels: usize);
    fn thumbnet_depthwise_any(job: &Job<'_>, taps: *const *const i8, output: *mut i8, pixels: usize);
}

/// Runs `layer` over one sample.
#[inline(never)]
pub(in crate::arch) fn depthwise_conv_s8(
    layer: &DepthwiseConvS8<'_>,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i32],
) {
    let tiles = Tiles::new(layer.geometry);
    if tiles.columns > 0 && !any_left(&layer.requantize) {
        depthwise_tiles::depthwise_conv_s8(layer, tiles, input, output, scratch);
    } else {
        any(layer, input, output, scratch);
    }
}

/// Any layer.
#[inline(never)]
fn any(layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    let outputs = layer.geometry.output().channels;
    let plan = Depthwise::new(layer.geometry);
    if plan.addresses == 0 {
        return scalar::depthwise_s8::depthwise_conv_s8(layer, input, output);
    }
    for first in (0..outputs).step_by(CHANNELS) {
        // The last block has 16 channels at least, if there are as many.
        let first = first.min(outputs.saturating_sub(LANES));
        if block(layer, plan, first, input, output, scratch).is_none() {
            return;
        }
    }
}

/// The channels from `first` on. `None` where a slice is shorter than the geometry says.
fn block(
    layer: &DepthwiseConvS8<'_>,
    plan: Depthwise,
    first: usize,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i32],
) -> Option<()> {
    let g = layer.geometry;
    // None is 0, which the compiler does not see.
    let (channels, outputs) = (g.input().channels.max(1), g.output().channels.max(1));
    let multiplier = (outputs / channels).max(1);
    let count = (outputs - first).min(CHANNELS);
    let (addresses, scratch) = scratch.split_at_mut_checked(plan.addresses)?;
    let (zeros, scratch) = scratch.split_at_mut_checked(plan.zeros)?;
    let (offsets, copies) = scratch.split_at_mut_checked(plan.offsets)?;
    let (zeros, offsets): (&mut [i8], &mut [u8]) = (bytemuck::cast_slice_mut(zeros), bytemuck::cast_slice_mut(offsets));
    zeros.fill(layer.input_zero_point);
    for (offset, channel) in offsets.iter_mut().zip(first..first + count) {
        *offset = (channel / multiplier - first / multiplier) as u8;
    }
    // Channels of a pixel that a tap reads.
    let reads = [first / multiplier, usize::from(*offsets.get(count - 1)?) + 1];
    let requantize = &layer.requantize;
    let [least, largest] = requantize.activation.map(i32::from);
    let job = Job {
        bias: layer.bias.get(first..first + count)?.as_ptr(),
        multiplier: requantize.multiplier.get(first..first + count)?.as_ptr(),
        shift: requantize.shift.get(first..first + count)?.as_ptr(),
        weights: layer.weights.get(first..(plan.addresses - 1) * outputs + first + count)?.as_ptr(),
        channels: count,
        stride: outputs,
        taps: plan.addresses,
        step: windows::step(g),
        zero_point: requantize.zero_point.into(),
        least,
        largest,
        left: any_left(requantize).into(),
        offsets: offsets.as_ptr(),
        layer: PhantomData,
    };
    let several = if plan.pixels > 1 { Some(job.of_pixels(layer, copies)?) } else { None };
    let kernel = match multiplier {
        1 if count >= LANES => thumbnet_depthwise,
        2 if count >= LANES => thumbnet_depthwise_two,
        _ => thumbnet_depthwise_any,
    };
    let zeros = Some(zeros.as_ptr());
    windows::runs(g, reads, zeros, input, output, addresses_of(addresses), |addresses, output| {
        let mut output = output.get_mut(first..)?;
        if addresses.len() != job.taps {
            return None;
        }
        if let Some(several) = &several {
            let (together, rest) = output.split_at_mut(output.len() / LANES * LANES);
            if !together.is_empty() {
                // SAFETY: as below; so many pixels lie side by side in the input as in the output.
                unsafe {
                    thumbnet_depthwise(several, addresses.as_ptr(), together.as_mut_ptr(), together.len() / LANES)
                }
                for address in &mut *addresses {
                    *address = address.wrapping_add(together.len());
                }
            }
            output = rest;
        }
        let pixels = output.len().div_ceil(outputs);
        if pixels > 0 && (pixels - 1) * outputs + count <= output.len() {
            // SAFETY: the job's slices are as long as it says; so many channels are there from each address on, and
            // from the same of the pixels that follow; and so are their outputs.
            unsafe { kernel(&job, addresses.as_ptr(), output.as_mut_ptr(), pixels) }
        }
        Some(())
    })
}

impl Job<'_> {
    /// The job of as many pixels side by side as fill [`LANES`], in place of one: with its tensors so many times.
    fn of_pixels(&self, layer: &DepthwiseConvS8<'_>, copies: &mut [i32]) -> Option<Self> {
        let (bias, copies) = copies.split_at_mut_checked(LANES)?;
        let (multiplier, copies) = copies.split_at_mut_checked(LANES)?;
        let copies: &mut [i8] = bytemuck::cast_slice_mut(copies);
        let (shift, weights) = copies.split_at_mut_checked(LANES * 4)?;
        let weights = weights.get_mut(..self.taps * LANES)?;
        repeat(layer.bias, bias);
        repeat(layer.requantize.multiplier, multiplier);
        repeat(layer.requantize.shift, shift);
        for (weights, tap) in weights.chunks_exact_mut(LANES).zip(layer.weights.chunks_exact(self.channels.max(1))) {
            repeat(tap, weights);
        }
        let (bias, multiplier) = (bias.as_ptr(), multiplier.as_ptr());
        let (shift, weights) = (shift.as_ptr(), weights.as_ptr());
        Some(Self { bias, multiplier, shift, weights, channels: LANES, stride: LANES, step: LANES, ..*self })
    }
}

/// Fills `to` with `from`, again and again.
fn repeat<T: Copy>(from: &[T], to: &mut [T]) {
    to.iter_mut().zip(from.iter().cycle()).for_each(|(to, from)| *to = *from);
}
