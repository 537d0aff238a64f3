//! Depthwise convolution and activation on Cortex-M0, four channels of a pixel at a time.
//!
//! ```text
//! for each four pixels
//!     for each block of channels
//!         for each pixel
//!             for each stretch of the window: list where each tap's inputs and weights are, multiply
//!         requantise (see `outputs_s8`)
//! ```
//!
//! A tap outside of the input has its inputs in a constant.
use super::Tile;
use super::outputs_s8::{Group, requantize};
use crate::arch::cores::Thumb1;
use crate::arch::window::Axis;
use crate::int8::DepthwiseConvS8;

/// Taps of a stretch: all of a window of 5 x 5.
const TAPS: usize = 25;

/// Where a tap's inputs of a block of channels are, and its weights.
type Tap = [*const i8; 2];

// thumbnet_depthwise(taps, their end, sums, channels): adds products to every fourth word of sums.
//
// r0, r1: a tap's inputs and weights; r2, r3: an input, a weight; r4..r7: four channels; r8..r11: their sums; r12: the
// taps; lr: their end. On the stack: taps, sums, channels. A tap of four channels takes 21 instructions: 5.25 a
// product. Up to three channels are left over, of which two take 11, and one is as two that are the same.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "mov lr, r1",
    "push {{r0, r2, r3}}",
    "movs r4, #0",
    "subs r3, #4",
    "blt 3f",
    "movs r5, #1",
    "movs r6, #2",
    "movs r7, #3",
    "1:",
    "str r3, [sp, #8]",
    "ldr r0, [sp, #4]",
    "ldr r1, [r0]",
    "mov r8, r1",
    "ldr r1, [r0, #16]",
    "mov r9, r1",
    "ldr r1, [r0, #32]",
    "mov r10, r1",
    "ldr r1, [r0, #48]",
    "mov r11, r1",
    "ldr r2, [sp]",
    "mov r12, r2",
    "2:",
    "mov r2, r12",
    "ldm r2!, {{r0, r1}}",
    "mov r12, r2",
    "ldrsb r2, [r0, r4]",
    "ldrsb r3, [r1, r4]",
    "muls r2, r3, r2",
    "add r8, r2",
    "ldrsb r2, [r0, r5]",
    "ldrsb r3, [r1, r5]",
    "muls r2, r3, r2",
    "add r9, r2",
    "ldrsb r2, [r0, r6]",
    "ldrsb r3, [r1, r6]",
    "muls r2, r3, r2",
    "add r10, r2",
    "ldrsb r2, [r0, r7]",
    "ldrsb r3, [r1, r7]",
    "muls r2, r3, r2",
    "add r11, r2",
    "cmp r12, lr",
    "bne 2b",
    "ldr r0, [sp, #4]",
    "mov r1, r8",
    "str r1, [r0]",
    "mov r1, r9",
    "str r1, [r0, #16]",
    "mov r1, r10",
    "str r1, [r0, #32]",
    "mov r1, r11",
    "str r1, [r0, #48]",
    "adds r0, #64",
    "str r0, [sp, #4]",
    "adds r4, #4",
    "adds r5, #4",
    "adds r6, #4",
    "adds r7, #4",
    "ldr r3, [sp, #8]",
    "subs r3, #4",
    "bge 1b",
    "3:",
    "adds r3, #4",
    "beq 6f",
    "4:",
    "mov r10, r3",
    "ldr r0, [sp, #4]",
    "movs r1, r0",
    "movs r5, r4",
    "cmp r3, #1",
    "beq 7f",
    "adds r1, #16",
    "adds r5, #1",
    "7:",
    "ldr r2, [r0]",
    "mov r8, r2",
    "ldr r2, [r1]",
    "mov r9, r2",
    "mov r11, r0",
    "mov r12, r1",
    "ldr r7, [sp]",
    "5:",
    "ldm r7!, {{r0, r1}}",
    "ldrsb r2, [r0, r4]",
    "ldrsb r3, [r1, r4]",
    "muls r2, r3, r2",
    "add r8, r2",
    "ldrsb r2, [r0, r5]",
    "ldrsb r3, [r1, r5]",
    "muls r2, r3, r2",
    "add r9, r2",
    "cmp r7, lr",
    "bne 5b",
    "mov r0, r11",
    "mov r1, r8",
    "str r1, [r0]",
    "mov r2, r12",
    "mov r1, r9",
    "str r1, [r2]",
    "adds r0, #32",
    "str r0, [sp, #4]",
    "adds r4, #2",
    "mov r3, r10",
    "subs r3, #2",
    "bgt 4b",
    "6:",
    "add sp, #12",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}"
}

// thumbnet_depthwise_spread(taps, their end, sums, channels): the same of channels that all read one.
//
// r0, r1: a tap's input and weights; r2, r3: an input, a weight; r4: the channel; r5: the sums; r6: a sum; r7, r8, r12:
// the taps, their start and end; lr: channels that are left. 8 instructions a product.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_spread":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "push {{r4}}",
    "mov r8, r0",
    "mov r12, r1",
    "mov lr, r3",
    "movs r5, r2",
    "movs r4, #0",
    "1:",
    "ldr r6, [r5]",
    "mov r7, r8",
    "2:",
    "ldm r7!, {{r0, r1}}",
    "movs r2, #0",
    "ldrsb r2, [r0, r2]",
    "ldrsb r3, [r1, r4]",
    "muls r2, r3, r2",
    "adds r6, r6, r2",
    "cmp r7, r12",
    "bne 2b",
    "str r6, [r5]",
    "adds r5, #16",
    "adds r4, #1",
    "mov r3, lr",
    "subs r3, #1",
    "mov lr, r3",
    "bne 1b",
    "pop {{r4}}",
    "mov r8, r4",
    "pop {{r4-r7, pc}}"
}

// thumbnet_depthwise_two(taps, their end, sums, channels): the same of channels that read one in pairs.
//
// r0, r1: a tap's inputs and weights; r2, r3: an input, a weight; r4, r5: two of four channels; r6, r7: their inputs;
// r8..r11: sums; r12: the taps; lr: their end. On the stack: taps, sums, channels. A tap of four channels takes 20
// instructions. Two channels may be left over.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_two":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "mov lr, r1",
    "push {{r0, r2, r3}}",
    "movs r4, #0",
    "movs r5, #1",
    "movs r6, #0",
    "subs r3, #4",
    "blt 3f",
    "movs r7, #1",
    "1:",
    "str r3, [sp, #8]",
    "ldr r0, [sp, #4]",
    "ldr r1, [r0]",
    "mov r8, r1",
    "ldr r1, [r0, #16]",
    "mov r9, r1",
    "ldr r1, [r0, #32]",
    "mov r10, r1",
    "ldr r1, [r0, #48]",
    "mov r11, r1",
    "ldr r2, [sp]",
    "mov r12, r2",
    "2:",
    "mov r2, r12",
    "ldm r2!, {{r0, r1}}",
    "mov r12, r2",
    "ldrsb r2, [r0, r6]",
    "ldrsb r3, [r1, r4]",
    "muls r3, r2, r3",
    "add r8, r3",
    "ldrsb r3, [r1, r5]",
    "muls r3, r2, r3",
    "add r9, r3",
    "ldrsb r2, [r0, r7]",
    "adds r1, #2",
    "ldrsb r3, [r1, r4]",
    "muls r3, r2, r3",
    "add r10, r3",
    "ldrsb r3, [r1, r5]",
    "muls r3, r2, r3",
    "add r11, r3",
    "cmp r12, lr",
    "bne 2b",
    "ldr r0, [sp, #4]",
    "mov r1, r8",
    "str r1, [r0]",
    "mov r1, r9",
    "str r1, [r0, #16]",
    "mov r1, r10",
    "str r1, [r0, #32]",
    "mov r1, r11",
    "str r1, [r0, #48]",
    "adds r0, #64",
    "str r0, [sp, #4]",
    "adds r4, #4",
    "adds r5, #4",
    "adds r6, #2",
    "adds r7, #2",
    "ldr r3, [sp, #8]",
    "subs r3, #4",
    "bge 1b",
    "3:",
    "adds r3, #4",
    "beq 6f",
    "ldr r3, [sp, #4]",
    "ldr r0, [r3]",
    "mov r8, r0",
    "ldr r0, [r3, #16]",
    "mov r9, r0",
    "ldr r7, [sp]",
    "5:",
    "ldm r7!, {{r0, r1}}",
    "ldrsb r2, [r0, r6]",
    "ldrsb r0, [r1, r4]",
    "muls r0, r2, r0",
    "add r8, r0",
    "ldrsb r0, [r1, r5]",
    "muls r0, r2, r0",
    "add r9, r0",
    "cmp r7, lr",
    "bne 5b",
    "mov r0, r8",
    "str r0, [r3]",
    "mov r0, r9",
    "str r0, [r3, #16]",
    "6:",
    "add sp, #12",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}"
}

/// One of these.
type Multiply = unsafe extern "C" fn(*const Tap, *const Tap, *mut i32, usize);

unsafe extern "C" {
    fn thumbnet_depthwise(taps: *const Tap, end: *const Tap, sums: *mut i32, channels: usize);
    fn thumbnet_depthwise_two(taps: *const Tap, end: *const Tap, sums: *mut i32, channels: usize);
    fn thumbnet_depthwise_spread(taps: *const Tap, end: *const Tap, sums: *mut i32, channels: usize);
}

/// Runs `layer` over one sample.
#[inline(never)]
pub(in crate::arch) fn depthwise_conv_s8(
    layer: &DepthwiseConvS8<'_>,
    input: &[i8],
    mut output: &mut [i8],
    scratch: &mut [i32],
) {
    let g = layer.geometry;
    let (channels, outputs, len) = (g.input().channels, g.output().channels, g.kernel()[0] * g.kernel()[1]);
    let multiplier = outputs.checked_div(channels).unwrap_or(1).max(1);
    if input.len() < g.input().len() || layer.weights.len() < len * outputs || multiplier * channels != outputs {
        return;
    }
    let [tiles, padding] = Thumb1::depthwise(g);
    let Some((tiles, scratch)) = scratch.split_at_mut_checked(tiles) else { return };
    let Some(padding) = scratch.get_mut(..padding) else { return };
    let (tiles, padding): (&mut [Tile], &mut [i8]) = (tiles.as_chunks_mut().0, bytemuck::cast_slice_mut(padding));
    padding.fill(layer.input_zero_point);
    let multiply = match multiplier {
        1 => thumbnet_depthwise,
        2 => thumbnet_depthwise_two,
        _ => thumbnet_depthwise_spread,
    };
    let mut taps = [[core::ptr::null(); 2]; TAPS];
    let mut stretch = Stretch { taps: &mut taps, next: [usize::MAX; 3] };
    let mut left = g.output().height * g.output().width;
    let mut at = [0, 0];
    while left > 0 {
        let count = left.min(4);
        let mut pixels = [at; 4];
        for pixel in pixels.iter_mut().take(count) {
            *pixel = at;
            at = if at[1] + 1 == g.output().width { [at[0] + 1, 0] } else { [at[0], at[1] + 1] };
        }
        // Where a channel becomes more than two, those of a block read the same one: this, of which so many are left.
        let (mut first, mut first_input, mut several) = (0, 0, multiplier);
        while first < outputs {
            let channels = Thumb1::CHANNELS.min(if multiplier <= 2 { outputs - first } else { several });
            let Some(tiles) = tiles.get_mut(..channels) else { return };
            let of = Block { layer, input, padding, first, first_input, multiply };
            tiles.fill([0; 4]);
            for (&pixel, slot) in pixels.iter().take(count).zip([0, 2, 1, 3]) {
                of.add(pixel, slot, tiles, &mut stretch);
            }
            let group = Group { pixels: 0, outputs: count, stride: outputs };
            let output = output.get_mut(first..).unwrap_or_default();
            requantize(layer.bias, &layer.requantize, first, tiles, group, output);
            first += channels;
            if multiplier <= 2 {
                first_input = if multiplier == 1 { first } else { first / 2 };
                continue;
            }
            several -= channels;
            if several == 0 {
                (first_input, several) = (first_input + 1, multiplier);
            }
        }
        left -= count;
        output = output.get_mut(count * outputs..).unwrap_or_default();
    }
}

/// A block of a layer, whose inputs and weights have the geometry's lengths.
struct Block<'a> {
    layer: &'a DepthwiseConvS8<'a>,
    input: &'a [i8],
    /// As many inputs of padding as a block has channels.
    padding: &'a [i8],
    first: usize,
    first_input: usize,
    /// Which inputs the channels read: each its own, two the same, or all the first one.
    multiply: Multiply,
}

/// A stretch's taps, and the row, column and first channel for which these are the same taps of the next column: none,
/// where they are not all of the window's, or where its columns leave the input.
struct Stretch<'a> {
    taps: &'a mut [Tap; TAPS],
    next: [usize; 3],
}

impl Block<'_> {
    /// Adds the products of a pixel's window to `slot` of the tiles, of which each channel of the block has one.
    #[inline(never)]
    fn add(&self, [y, x]: [usize; 2], slot: usize, tiles: &mut [Tile], stretch: &mut Stretch<'_>) {
        if tiles.len() > self.padding.len() || slot >= Thumb1::TILE {
            return;
        }
        let g = self.layer.geometry;
        let (rows, columns) = (Axis::rows(g), Axis::columns(g));
        let (inputs, count) = (g.input().channels, rows.kernel * columns.kernel);
        let left = (x * columns.stride).wrapping_sub(columns.padding);
        let inside = left < columns.input && left.wrapping_add(columns.kernel) <= columns.input && count <= TAPS;
        let follows = inside && stretch.next == [y, x, self.first];
        stretch.next = if inside { [y, x + 1, self.first] } else { [usize::MAX; 3] };
        let count = if follows {
            let step = columns.stride * inputs;
            for tap in stretch.taps.iter_mut().take(count) {
                if tap[0] != self.padding.as_ptr() {
                    tap[0] = tap[0].wrapping_add(step);
                }
            }
            count
        } else {
            self.list([y, left], slot, tiles, stretch)
        };
        self.multiply(stretch.taps, count, slot, tiles);
    }

    /// Lists the taps of the window that begins in that column, and returns how many. Of more than a stretch, adds the
    /// products of the first ones.
    #[inline(never)]
    fn list(&self, [y, left]: [usize; 2], slot: usize, tiles: &mut [Tile], stretch: &mut Stretch<'_>) -> usize {
        let g = self.layer.geometry;
        let (rows, columns) = (Axis::rows(g), Axis::columns(g));
        let (inputs, outputs) = (g.input().channels, g.output().channels);
        let mut count = 0;
        let mut weights = self.layer.weights.as_ptr().wrapping_add(self.first);
        let mut row = (y * rows.stride).wrapping_sub(rows.padding);
        for _ in 0..rows.kernel {
            let start = row.wrapping_mul(columns.input).wrapping_add(left).wrapping_mul(inputs);
            let mut values = self.input.as_ptr().wrapping_add(start.wrapping_add(self.first_input));
            for kx in 0..columns.kernel {
                if count == TAPS {
                    self.multiply(stretch.taps, count, slot, tiles);
                    count = 0;
                }
                // Above and left of the input, the difference has wrapped round.
                let inside = row < rows.input && left.wrapping_add(kx) < columns.input;
                if let Some(tap) = stretch.taps.get_mut(count) {
                    *tap = [if inside { values } else { self.padding.as_ptr() }, weights];
                }
                count += 1;
                values = values.wrapping_add(inputs);
                weights = weights.wrapping_add(outputs);
            }
            row = row.wrapping_add(1);
        }
        count
    }

    /// Adds the products of a stretch of so many taps.
    #[inline(never)]
    fn multiply(&self, taps: &[Tap; TAPS], count: usize, slot: usize, tiles: &mut [Tile]) {
        if count == 0 || count > TAPS || slot >= Thumb1::TILE {
            return;
        }
        let sums = tiles.as_flattened_mut().as_mut_ptr().wrapping_add(slot);
        // SAFETY: for each channel, the function reads a value at either pointer of `count` taps, of which there are at
        // most as many: an input of the sample, or padding, and a weight of the tap; and it updates a word of a tile.
        unsafe { (self.multiply)(taps.as_ptr(), taps.as_ptr().wrapping_add(count), sums, tiles.len()) }
    }
}
