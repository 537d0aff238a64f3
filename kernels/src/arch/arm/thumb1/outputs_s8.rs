//! Sums in tiles to int8 outputs, rounded twice, as a convolution's are.
//!
//! There is no product of 64 bits. With `x = 2^16 xh + xl` and `m = 2^16 mh + ml`, low halves signed,
//!
//! ```text
//! x m / 2^31 = 2 xh mh + (xl mh + xh ml + xl ml / 2^16) / 2^15
//! ```
//!
//! where the bracket holds in 32 bits for any `x` and any `m` that is not negative: its products are at most 2^30, and
//! it is not 2^31, since `xl < 2^15`. What `xl ml / 2^16` drops can carry nothing into the result. A shift to the right
//! leaves the last bit that it shifted out in the carry, so that `adcs` rounds halves up:
//! gemmlowp's `SaturatingRoundingDoublingHighMul` (which here never saturates) in 14 instructions. The second rounding,
//! away from zero, is the same after one is taken from what is negative; a shift by 0 leaves the carry as that
//! subtraction left it, which puts the one back.
use super::Tile;
use crate::int8::Requantize;
use core::mem::offset_of;

/// What becomes of the tiles of some channels.
#[repr(C)]
struct Outputs {
    /// The first channel's; of its outputs the last one. The assembly loads these six at once.
    bias: *const i32,
    multiplier: *const i32,
    shift: *const i8,
    tiles: *const Tile,
    output: *mut i8,
    channels: usize,
    /// The least and the largest output before the zero point is added, that, and the bytes from one output of a
    /// channel to the one before. The assembly loads these four and the next two at once.
    least: i32,
    largest: i32,
    zero_point: i32,
    back: usize,
    /// As in [`Group`].
    pixels: usize,
    outputs: usize,
}

// thumbnet_conv_outputs(outputs).
//
// On the stack: a channel's sums, the six fields, pixels. r0..r2: a sum on its way; r3: the output; r4, r5: the
// multiplier's halves; r6: the shift to the right; r7: 0. r8..r11: least, largest, zero point, minus the stride; r12:
// where to enter what makes four outputs, the last one first. An output takes 27 instructions, and a channel 45 more.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_outputs":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "sub sp, #44",
    "add r7, sp, #16",
    "ldm r0!, {{r1-r6}}",
    "stm r7!, {{r1-r6}}",
    "ldm r0!, {{r1-r6}}",
    "mov r8, r1",
    "mov r9, r2",
    "mov r10, r3",
    "mov r11, r4",
    "str r5, [r7]",
    "movs r5, #4",
    "subs r5, r5, r6",
    "movs r6, #58",
    "muls r5, r6, r5",
    "adr r6, 6f",
    "adds r5, r5, r6",
    "adds r5, #1",
    "mov r12, r5",
    "1:",
    "ldr r0, [sp, #28]",
    "ldm r0!, {{r1-r4}}",
    "str r0, [sp, #28]",
    "ldr r0, [sp, #16]",
    "ldm r0!, {{r7}}",
    "str r0, [sp, #16]",
    "ldr r0, [sp, #40]",
    "cmp r0, #0",
    "beq 4f",
    "lsls r0, r3, #16",
    "subs r1, r1, r0",
    "lsls r0, r4, #16",
    "subs r2, r2, r0",
    "4:",
    "adds r1, r1, r7",
    "adds r2, r2, r7",
    "adds r3, r3, r7",
    "adds r4, r4, r7",
    "ldr r0, [sp, #40]",
    "cmp r0, #2",
    "blt 5f",
    "cmp r1, r3",
    "bge 2f",
    "mov r1, r3",
    "2:",
    "cmp r2, r4",
    "bge 3f",
    "mov r2, r4",
    "3:",
    "mov r3, r2",
    "cmp r0, #2",
    "beq 5f",
    "cmp r1, r2",
    "bge 5f",
    "mov r1, r2",
    "5:",
    "str r1, [sp]",
    "str r3, [sp, #4]",
    "str r2, [sp, #8]",
    "str r4, [sp, #12]",
    "ldr r0, [sp, #20]",
    "ldm r0!, {{r4}}",
    "str r0, [sp, #20]",
    "movs r7, #0",
    "sxth r5, r4",
    "asrs r4, r4, #16",
    "adcs r4, r7",
    "ldr r0, [sp, #24]",
    "ldrsb r6, [r0, r7]",
    "adds r0, #1",
    "str r0, [sp, #24]",
    "ldr r3, [sp, #32]",
    "adds r0, r3, #1",
    "str r0, [sp, #32]",
    "rsbs r6, r6, #0",
    "bpl 4f",
    // Sums are shifted to the left before they are multiplied, saturated, and there is no shift to the right.
    "rsbs r6, r6, #0",
    "add r2, sp, #16",
    "2:",
    "subs r2, #4",
    "ldr r0, [r2]",
    "movs r1, r0",
    "lsls r1, r6",
    "movs r7, r1",
    "asrs r7, r6",
    "cmp r7, r0",
    "beq 3f",
    // The largest number for what is not negative, and its complement.
    "asrs r0, r0, #31",
    "movs r1, #1",
    "lsls r1, r1, #31",
    "subs r1, #1",
    "eors r1, r0",
    "3:",
    "str r1, [r2]",
    "cmp r2, sp",
    "bne 2b",
    "movs r6, #0",
    "movs r7, #0",
    "4:",
    "bx r12",
    ".p2align 2",
    "6:",
    ".irp k, 12, 8, 4, 0",
    "ldr r2, [sp, #\\k]",
    "sxth r1, r2",
    "asrs r0, r2, #16",
    "adcs r0, r7",
    "movs r2, r1",
    "muls r2, r5, r2",
    "asrs r2, r2, #16",
    "muls r1, r4, r1",
    "adds r1, r1, r2",
    "movs r2, r0",
    "muls r2, r5, r2",
    "adds r1, r1, r2",
    "muls r0, r4, r0",
    "lsls r0, r0, #1",
    "asrs r1, r1, #15",
    "adcs r0, r1",
    "asrs r1, r0, #31",
    "adds r0, r0, r1",
    "asrs r0, r6",
    "adcs r0, r7",
    "cmp r0, r8",
    "bge 7f",
    "mov r0, r8",
    "7:",
    "cmp r0, r9",
    "ble 8f",
    "mov r0, r9",
    "8:",
    "add r0, r10",
    "strb r0, [r3]",
    "add r3, r11",
    ".endr",
    // No output is longer than the jump above assumes.
    ".org 6b + 4 * 58",
    "ldr r0, [sp, #36]",
    "subs r0, #1",
    "str r0, [sp, #36]",
    "beq 4f",
    "b 1b",
    "4:",
    "add sp, #44",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}"
}

unsafe extern "C" {
    fn thumbnet_conv_outputs(outputs: &Outputs);
}

// As the assembly has it.
const _: () = assert!(offset_of!(Outputs, channels) == 20 && offset_of!(Outputs, outputs) == 44);

/// The outputs that tiles become.
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// Of how many of a tile's four pixels an output is the largest: 1, 2 or 4. Or 0: a tile is the sums of the first,
    /// the third, the second and the fourth pixel, and each is an output.
    pub(super) pixels: usize,
    /// Outputs of a tile, at most as many as pixels allow.
    pub(super) outputs: usize,
    /// From one of them to the next.
    pub(super) stride: usize,
}

/// Requantises the tiles of channels `first..`, as many as there are tiles, to the first bytes of `output` and those
/// that follow after each stride. Does nothing where these do not fit.
pub(super) fn requantize(
    bias: &[i32],
    requantize: &Requantize<'_>,
    first: usize,
    tiles: &[Tile],
    group: Group,
    output: &mut [i8],
) {
    let (channels, Group { pixels, outputs, stride }) = (tiles.len(), group);
    let last = first.wrapping_add(channels);
    let fits = last <= bias.len() && last <= requantize.multiplier.len() && last <= requantize.shift.len();
    let last_output = outputs.wrapping_sub(1).wrapping_mul(stride);
    let room = last_output.wrapping_add(channels) <= output.len();
    if !fits || !room || channels == 0 || outputs == 0 || outputs > 4 {
        return;
    }
    let zero_point = i32::from(requantize.zero_point);
    let [least, largest] = requantize.activation.map(|end| i32::from(end) - zero_point);
    let outputs = Outputs {
        bias: bias.as_ptr().wrapping_add(first),
        multiplier: requantize.multiplier.as_ptr().wrapping_add(first),
        shift: requantize.shift.as_ptr().wrapping_add(first),
        tiles: tiles.as_ptr(),
        output: output.as_mut_ptr().wrapping_add(last_output),
        channels,
        least,
        largest,
        zero_point,
        back: stride.wrapping_neg(),
        pixels,
        outputs,
    };
    // SAFETY: the function reads `channels` tiles, biases, multipliers and shifts, and writes as many bytes for each
    // output, of which the last ones lie in the slice.
    unsafe { thumbnet_conv_outputs(&outputs) }
}
