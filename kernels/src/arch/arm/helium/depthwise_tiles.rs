//! Depthwise convolutions of stride 1 and of windows of up to 3 x 3 taps, on cores with Helium: tiles of 2 x 2 outputs.
//!
//! ```text
//! for each block of channels, and some columns of the output
//!     for every two rows
//!         a strip of the four rows of the input that they read: it has them side by side for each channel
//!         for each channel
//!             for every four pixels of both rows: two tiles
//!                 load a tile's 4 x 4 inputs, and multiply them by the window's weights in each of its four places
//!                 requantise
//! ```
//!
//! So 36 products take one instruction to load and four to multiply, and a channel's bias, multiplier and shift are in
//! registers of their own.
use super::copy;
use crate::arch::cores::helium::{LANES, Tiles as Plan};
use crate::int8::DepthwiseConvS8;
use core::marker::PhantomData;
use core::mem::offset_of;

/// Rows and columns of a tile's inputs.
const SIDE: usize = 4;

/// Some channels of a layer at work: all that the assembly must know beside the outputs.
#[repr(C)]
struct Tiles<'a> {
    /// Of the first channel; weights and strip lie by column, channel and row.
    bias: *const i32,
    multiplier: *const i32,
    shift: *const i8,
    weights: *const i8,
    /// A tile before the first one.
    strip: *const i8,
    channels: usize,
    /// Groups of four pixels in a row, and bytes in the strip and in the output that a last one reaches back beside
    /// them.
    groups: usize,
    back: [usize; 2],
    /// Bytes from a group's outputs to the next one's.
    step: usize,
    zero_point: i32,
    /// Bytes to a tile's columns.
    columns: [u32; SIDE],
    /// The least and the largest output, and bytes to a group's outputs.
    least: [i16; 8],
    largest: [i16; 8],
    outputs: [u16; 8],
    layer: PhantomData<&'a [i8]>,
}

/// Where the fields are that the assembly reads.
impl Tiles<'_> {
    const STRIP: usize = offset_of!(Self, strip);
    const CHANNELS: usize = offset_of!(Self, channels);
    const GROUPS: usize = offset_of!(Self, groups);
    const BACK: usize = offset_of!(Self, back);
    const STEP: usize = offset_of!(Self, step);
    const ZERO_POINT: usize = offset_of!(Self, zero_point);
    const COLUMNS: usize = offset_of!(Self, columns);
    const LEAST: usize = offset_of!(Self, least);
    const LARGEST: usize = offset_of!(Self, largest);
    const OUTPUTS: usize = offset_of!(Self, outputs);
}

const _: () = {
    // `ldm` begins where the tiles do.
    assert!(offset_of!(Tiles<'_>, bias) == 0 && offset_of!(Tiles<'_>, multiplier) == 4);
    assert!(offset_of!(Tiles<'_>, shift) == 8 && offset_of!(Tiles<'_>, weights) == 12);
    // The assembly has these sizes: those of a column in the strip, and of two.
    assert!(Plan::COLUMN == SIDE * LANES && Plan::COLUMN == 64);
};

/// Four rows of values, and bytes from each one's pixel to the next.
#[repr(C)]
struct Rows {
    from: [*const i8; SIDE],
    steps: [usize; SIDE],
}

const _: () = assert!(offset_of!(Rows, from) == 0 && offset_of!(Rows, steps) == 4 * SIDE);

// thumbnet_depthwise_spread(rows, to, columns, channels): puts four rows side by side, for up to 16 channels. 14
// instructions for a column.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_spread":
    "push {{r4-r9, lr}}",
    "vctp.8 r3",
    "mov r9, r1",
    "dls lr, r2",
    "ldm r0, {{r1-r8}}",
    "1:",
    "vpstttt",
    "vldrbt.u8 q0, [r1]",
    "vldrbt.u8 q1, [r2]",
    "vldrbt.u8 q2, [r3]",
    "vldrbt.u8 q3, [r4]",
    "add r1, r1, r5",
    "vst40.8 {{q0, q1, q2, q3}}, [r9]",
    "add r2, r2, r6",
    "vst41.8 {{q0, q1, q2, q3}}, [r9]",
    "add r3, r3, r7",
    "vst42.8 {{q0, q1, q2, q3}}, [r9]",
    "add r4, r4, r8",
    "vst43.8 {{q0, q1, q2, q3}}, [r9]!",
    "le lr, 1b",
    "pop {{r4-r9, pc}}"
}

/// Makes the sums of the next tile, and puts those of its left and its right pixels into lanes `$left` and `$right` of
/// q1 and q2, of the upper and of the lower row.
macro_rules! tile {
    ($right:literal, $left:literal) => {
        concat!(
            "vldrw.u32 q0, [q3, #128]!\n",
            "vmladav.s8 r4, q0, q4\n",
            "vmladav.s8 r6, q0, q6\n",
            "vmladav.s8 r8, q0, q5\n",
            "vmladav.s8 r10, q0, q7\n",
            concat!("vmov q1[", $right, "], q1[", $left, "], r4, r6\n"),
            concat!("vmov q2[", $right, "], q2[", $left, "], r8, r10\n"),
        )
    };
}

// thumbnet_depthwise_tiles(tiles, output): two rows of outputs. The weights are in q4, one row lower in q5, and these
// one column to the right in q6 and q7; q3 is where the columns of the last tile are. r1 is the channel, r2 the
// outputs, r3 the strip, r5, r7 and r9 bias, multiplier and shift. Rounding is that of `requantize`.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_tiles":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d15}}",
    "sub sp, #4",
    "str r1, [sp]",
    "mov r1, #0",
    "ldr r3, [r0, #{strip}]",
    "ldr r11, [r0, #{zero_point}]",
    "ldr r12, [r0, #{step}]",
    "1:",
    "vldrw.u32 q3, [r0, #{columns}]",
    "ldm r0, {{r4, r6, r8, r10}}",
    "ldr r5, [r4, r1, lsl #2]",
    "ldr r7, [r6, r1, lsl #2]",
    "ldrsb r9, [r8, r1]",
    "add r10, r10, r1, lsl #2",
    "vldrw.u32 q4, [r10, q3]",
    "mov r4, #0",
    "vadd.i32 q3, q3, r3",
    "vshl.i32 q5, q4, #8",
    // There is no fourth column, so that r4 stays 0.
    "vmov q6, q4",
    "vshlc q6, r4, #32",
    "vmov q7, q5",
    "vshlc q7, r4, #32",
    "ldr r2, [sp]",
    "add r2, r2, r1",
    "ldr lr, [r0, #{groups}]",
    // Whether a group is to come behind the loop: nothing in it sets flags.
    "ldr r4, [r0, #{back}]",
    "cmp r4, #0",
    "dls lr, lr",
    // Four pixels of two rows: 35 instructions for 72 products and eight outputs.
    "2:",
    tile!("2", "0"),
    tile!("3", "1"),
    ".irp sums, q1, q2",
    "vadd.i32 \\sums, \\sums, r5",
    "vqrdmulh.s32 \\sums, \\sums, r7",
    "vshr.s32 q0, \\sums, #31",
    "vadd.i32 \\sums, \\sums, q0",
    "vrshl.s32 \\sums, r9",
    ".endr",
    "vqmovnb.s32 q1, q1",
    "vldrw.u32 q0, [r0, #{least}]",
    "vqmovnt.s32 q1, q2",
    "vldrw.u32 q2, [r0, #{largest}]",
    "vqadd.s16 q1, q1, r11",
    "vmax.s16 q1, q1, q0",
    "vldrw.u32 q0, [r0, #{outputs}]",
    "vmin.s16 q1, q1, q2",
    "vstrb.16 q1, [r2, q0]",
    "add r2, r2, r12",
    "le lr, 2b",
    "beq 3f",
    "ldrd r4, r6, [r0, #{back}]",
    "vsub.i32 q3, q3, r4",
    "sub r2, r2, r6",
    "mov lr, #1",
    "cmp lr, lr",
    "b 2b",
    "3:",
    "ldr r4, [r0, #{channels}]",
    "adds r3, #4",
    "adds r1, #1",
    "cmp r1, r4",
    "blo 1b",
    "add sp, #4",
    "vpop {{d8-d15}}",
    "pop {{r4-r11, pc}}";
    strip = const Tiles::STRIP,
    channels = const Tiles::CHANNELS,
    groups = const Tiles::GROUPS,
    back = const Tiles::BACK,
    step = const Tiles::STEP,
    zero_point = const Tiles::ZERO_POINT,
    columns = const Tiles::COLUMNS,
    least = const Tiles::LEAST,
    largest = const Tiles::LARGEST,
    outputs = const Tiles::OUTPUTS
}

unsafe extern "C" {
    fn thumbnet_depthwise_spread(rows: &Rows, to: *mut i8, columns: usize, channels: usize);
    fn thumbnet_depthwise_tiles(tiles: &Tiles<'_>, output: *mut i8);
}

/// Runs `layer`, which `plan` is for and which has no shift that is not to the right, over one sample.
#[inline(never)]
pub(super) fn depthwise_conv_s8(
    layer: &DepthwiseConvS8<'_>,
    plan: Plan,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i32],
) {
    let channels = layer.geometry.output().channels;
    for first in (0..channels).step_by(LANES) {
        // The last block has 16 channels, if there are as many.
        let first = first.min(channels.saturating_sub(LANES));
        if block(layer, plan, first, input, output, scratch).is_none() {
            return;
        }
    }
}

/// The channels from `first` on. `None` where a slice is shorter than the geometry says.
#[inline(always)]
fn block(
    layer: &DepthwiseConvS8<'_>,
    plan: Plan,
    first: usize,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i32],
) -> Option<()> {
    let (g, requantize) = (layer.geometry, &layer.requantize);
    let (from, to, [height, width], [above, left]) = (g.input(), g.output(), g.kernel(), g.padding());
    let (channels, wide) = (to.channels, plan.columns.min(to.width));
    let count = (channels - first).min(LANES);
    let (strip, scratch) = scratch.split_at_mut_checked((wide + 2) * Plan::COLUMN / 4)?;
    let (weights, scratch) = scratch.split_at_mut_checked(SIDE * Plan::COLUMN / 4)?;
    let (strip, weights): (&mut [i8], &mut [i8]) = (bytemuck::cast_slice_mut(strip), bytemuck::cast_slice_mut(weights));
    let padding: &mut [i8] = bytemuck::cast_slice_mut(scratch.get_mut(..LANES / 4)?);
    // What is zero stays so from block to block, and so do the ends of a strip that has whole rows.
    if first == 0 {
        copy::fill(padding, layer.input_zero_point);
        copy::fill(weights, 0);
    }

    // A row of the kernel is there, or zeros, as there are in a column behind the last one that is read.
    let taps = layer.weights.get(first..(height * width - 1) * channels + first + count)?;
    let mut rows = Rows { from: [weights.get(3 * Plan::COLUMN..)?.as_ptr(); SIDE], steps: [0; SIDE] };
    for row in 0..height.min(3) {
        rows.from[row] = taps.as_ptr().wrapping_add(row * width * channels);
        rows.steps[row] = channels;
    }
    // SAFETY: the taps of so many channels are there, zeros are as many, and so many columns are less than four.
    unsafe { thumbnet_depthwise_spread(&rows, weights.as_mut_ptr(), width, count) }

    let [least, largest] = requantize.activation.map(i16::from);
    let second = to.width * channels;
    // The order in which the assembly has the pixels of two tiles.
    let [a, b, c, d] = [0, 2, 1, 3].map(|pixel| pixel * channels);
    let tiles = Tiles {
        bias: layer.bias.get(first..first + count)?.as_ptr(),
        multiplier: requantize.multiplier.get(first..first + count)?.as_ptr(),
        shift: requantize.shift.get(first..first + count)?.as_ptr(),
        weights: weights.as_ptr(),
        strip: strip.as_ptr().wrapping_sub(2 * Plan::COLUMN),
        channels: count,
        groups: wide / 4,
        back: [Plan::COLUMN, channels].map(|pixel| wide.wrapping_neg() % 4 * pixel),
        step: 4 * channels,
        zero_point: requantize.zero_point.into(),
        columns: [0, 1, 2, 3].map(|column| column * Plan::COLUMN as u32),
        least: [least; 8],
        largest: [largest; 8],
        outputs: [a, a + second, b, b + second, c, c + second, d, d + second].map(|byte| byte as u16),
        layer: PhantomData,
    };
    let (input, output) = (input.get(..from.len())?, output.get_mut(..to.len())?);
    for x in (0..to.width).step_by(wide.max(1)) {
        // The last columns are as many in any case, as are the last two rows.
        let x = x.min(to.width - wide);
        let start = left.saturating_sub(x);
        let end = (from.width + left).saturating_sub(x).min(wide + 2);
        if first == 0 || wide < to.width {
            copy::fill(strip, layer.input_zero_point);
        }
        // Every window reads something, so that there are some.
        let columns = end.checked_sub(start).filter(|&columns| columns > 0)?;
        let place = strip.get_mut(start * Plan::COLUMN..end * Plan::COLUMN)?.as_mut_ptr();
        let corner = input.as_ptr().wrapping_add((x + start - left) * channels + first);
        for y in (0..to.height).step_by(2) {
            let y = y.min(to.height - 2);
            let mut rows = Rows { from: [padding.as_ptr(); SIDE], steps: [0; SIDE] };
            for (row, (place, step)) in rows.from.iter_mut().zip(&mut rows.steps).enumerate() {
                let row = (y + row).wrapping_sub(above);
                if row < from.height {
                    (*place, *step) = (corner.wrapping_add(row * from.width * channels), channels);
                }
            }
            let output = output.get_mut((y * to.width + x) * channels + first..)?.as_mut_ptr();
            // SAFETY: each row is one of the input, whose pixels have so many channels from `first` on, or padding for
            // them all; and the strip has room for so many columns.
            unsafe { thumbnet_depthwise_spread(&rows, place, columns, count) }
            // SAFETY: the strip has two columns more than pixels of a row are computed, which are four at least; two
            // rows of outputs are there; and all that the tiles point to is there for so many channels.
            unsafe { thumbnet_depthwise_tiles(&tiles, output) }
        }
    }
    Some(())
}
