//! Convolution on cores with Helium: 16 positions at a time of three filters and two pixels, which is all that the six
//! accumulators, five pointers and the loop counter leave room for: five loads for six multiplications.
use super::Core;
use crate::arch::arm::column::Column;
use crate::arch::arm::tile::{Run, Tile, Windows};
use crate::int8::Packing;

// thumbnet_conv_sums(run, column, tiles, fresh): the sums of each filter over the column's two pixels, starting from
// the tiles, or as the biases if fresh. The first or the second two of each four words of the tiles are theirs.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_sums":
    "push {{r4-r11, lr}}",
    "sub sp, #36",
    // The frame: 0 rounds, 4 length of a row of weights, 8 and 12 the two pixels, 16 positions after the rounds, 20
    // fresh, 24 bias, 28 the last tile that starts three filters, 32 where the tiles end. r11 is the tile, r12 the
    // weights.
    "str r3, [sp, #20]",
    "mov r11, r2",
    "ldr r12, [r0, #{weights}]",
    "ldr r3, [r0, #{bias}]",
    "str r3, [sp, #24]",
    "ldr r4, [r0, #{steps}]",
    "ldrd r5, r6, [r0, #{skip}]",
    "add r5, r5, r4",
    "lsr r7, r4, #5",
    "and r4, r4, #31",
    "strd r7, r5, [sp]",
    "str r4, [sp, #16]",
    "add r7, r1, r6",
    "strd r1, r7, [sp, #8]",
    "ldr r6, [r0, #{pairs}]",
    "add r6, r11, r6, lsl #5",
    "sub r7, r6, #48",
    "strd r7, r6, [sp, #28]",
    "cmp r11, r7",
    "bhi.w 6f",
    // Three filters.
    "2:",
    "ldrd lr, r3, [sp]",
    "ldr r1, [sp, #20]",
    "mov r5, r12",
    "add r7, r12, r3",
    "add r9, r7, r3",
    "add r12, r9, r3",
    "cbz r1, 3f",
    "ldr r1, [sp, #24]",
    "ldm r1!, {{r0, r4, r8}}",
    "str r1, [sp, #24]",
    "mov r2, r0",
    "mov r6, r4",
    "mov r10, r8",
    "b 4f",
    "3:",
    "ldrd r0, r2, [r11]",
    "ldrd r4, r6, [r11, #16]",
    "ldrd r8, r10, [r11, #32]",
    "4:",
    "ldrd r1, r3, [sp, #8]",
    // 32 positions a round; then what is left.
    "wls lr, lr, 15f",
    "16:",
    "vldrb.u8 q0, [r1, #16]",
    "vldrb.u8 q2, [r5, #16]",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3, #16]",
    "vmladava.s8 r2, q2, q1",
    "vldrb.u8 q3, [r7, #16]",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q2, [r9, #16]",
    "vmladava.s8 r6, q3, q1",
    "vmladava.s8 r8, q2, q0",
    "vmladava.s8 r10, q2, q1",
    "vldrb.u8 q0, [r1], #32",
    "vldrb.u8 q2, [r5], #32",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3], #32",
    "vmladava.s8 r2, q2, q1",
    "vldrb.u8 q3, [r7], #32",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q2, [r9], #32",
    "vmladava.s8 r6, q3, q1",
    "vmladava.s8 r8, q2, q0",
    "vmladava.s8 r10, q2, q1",
    "le lr, 16b",
    "15:",
    "ldr lr, [sp, #16]",
    "wlstp.8 lr, lr, 8f",
    "5:",
    "vldrb.u8 q0, [r1], #16",
    "vldrb.u8 q2, [r5], #16",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3], #16",
    "vmladava.s8 r2, q2, q1",
    "vldrb.u8 q3, [r7], #16",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q2, [r9], #16",
    "vmladava.s8 r6, q3, q1",
    "vmladava.s8 r8, q2, q0",
    "vmladava.s8 r10, q2, q1",
    "letp lr, 5b",
    "8:",
    "strd r0, r2, [r11]",
    "strd r4, r6, [r11, #16]",
    "strd r8, r10, [r11, #32]",
    "ldr r1, [sp, #28]",
    "adds r11, #48",
    "cmp r11, r1",
    "bls.w 2b",
    // One filter, up to two times.
    "6:",
    "ldr r3, [sp, #32]",
    "cmp r11, r3",
    "bhs 12f",
    "7:",
    "ldrd lr, r3, [sp]",
    "ldr r1, [sp, #20]",
    "mov r5, r12",
    "add r12, r12, r3",
    "cbz r1, 9f",
    "ldr r1, [sp, #24]",
    "ldr r0, [r1], #4",
    "str r1, [sp, #24]",
    "mov r2, r0",
    "b 10f",
    "9:",
    "ldrd r0, r2, [r11]",
    "10:",
    "ldr r1, [sp, #16]",
    "add lr, r1, lr, lsl #5",
    "ldrd r1, r3, [sp, #8]",
    "wlstp.8 lr, lr, 13f",
    "11:",
    "vldrb.u8 q0, [r1], #16",
    "vldrb.u8 q2, [r5], #16",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3], #16",
    "vmladava.s8 r2, q2, q1",
    "letp lr, 11b",
    "13:",
    "strd r0, r2, [r11], #16",
    "b 6b",
    "12:",
    "add sp, #36",
    "pop {{r4-r11, pc}}";
    bias = const Run::BIAS,
    weights = const Run::WEIGHTS,
    steps = const Run::STEPS,
    pairs = const Run::PAIRS,
    skip = const Run::SKIP
}

// thumbnet_conv_short(run, starts, strip, offsets, tiles): as thumbnet_conv_sums, fresh, of up to 32 positions.
// Position k of a window is at the window's start plus offsets[k]: no column is needed.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_short":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d13}}",
    "ldr r9, [sp, #84]",
    "ldr r10, [r0, #{steps}]",
    "ldr r4, [r0, #{bias}]",
    "ldr r5, [r0, #{weights}]",
    "ldr r11, [r0, #{pairs}]",
    "ldm r1, {{r6-r8, r12}}",
    "add r6, r6, r2",
    "add r7, r7, r2",
    "add r8, r8, r2",
    "add r12, r12, r2",
    "vldrb.u8 q4, [r3]",
    "lsl lr, r11, #1",
    "cmp r10, #16",
    "bgt 2f",
    // Up to 16 positions: four pixels stay in registers.
    "vctp.8 r10",
    "vpstttt",
    "vldrbt.u8 q0, [r6, q4]",
    "vldrbt.u8 q1, [r7, q4]",
    "vldrbt.u8 q2, [r8, q4]",
    "vldrbt.u8 q3, [r12, q4]",
    "dls lr, lr",
    "1:",
    "ldr r0, [r4], #4",
    "vpst",
    "vldrbt.u8 q4, [r5]",
    "mov r2, r0",
    "mov r6, r0",
    "mov r8, r0",
    "vmladava.s8 r0, q4, q0",
    "add r5, r5, r10",
    "vmladava.s8 r2, q4, q1",
    "vmladava.s8 r6, q4, q2",
    "vmladava.s8 r8, q4, q3",
    "strd r0, r2, [r9], #16",
    "strd r6, r8, [r9, #-8]",
    "le lr, 1b",
    "b 5f",
    // Up to 32: two pixels, then the other two.
    "2:",
    "vldrb.u8 q5, [r3, #16]",
    "subs r11, r10, #16",
    "mov r3, #2",
    "str lr, [sp, #-8]!",
    "3:",
    "vldrb.u8 q0, [r6, q4]",
    "vldrb.u8 q2, [r7, q4]",
    "vctp.8 r11",
    "vpstt",
    "vldrbt.u8 q1, [r6, q5]",
    "vldrbt.u8 q3, [r7, q5]",
    "mov r1, r9",
    "strd r4, r5, [sp, #-8]!",
    "ldr lr, [sp, #8]",
    "vpush {{d8-d9}}",
    "dls lr, lr",
    "4:",
    "ldr r0, [r4], #4",
    "vldrb.u8 q4, [r5]",
    "vpst",
    "vldrbt.u8 q6, [r5, #16]",
    "mov r2, r0",
    "vmladava.s8 r0, q4, q0",
    "add r5, r5, r10",
    "vmladava.s8 r2, q4, q2",
    "vmladava.s8 r0, q6, q1",
    "vmladava.s8 r2, q6, q3",
    "strd r0, r2, [r1], #16",
    "le lr, 4b",
    "vpop {{d8-d9}}",
    "ldrd r4, r5, [sp], #8",
    "mov r6, r8",
    "mov r7, r12",
    "add r9, r9, #8",
    "subs r3, #1",
    "bne 3b",
    "add sp, #8",
    "5:",
    "vpop {{d8-d13}}",
    "pop {{r4-r11, pc}}";
    bias = const Run::BIAS,
    weights = const Run::WEIGHTS,
    steps = const Run::STEPS,
    pairs = const Run::PAIRS
}

// thumbnet_conv_requantize(run, tiles, output): the largest of the four pixels, requantised, four filters at a time.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_requantize":
    "push {{r4-r8, lr}}",
    "vpush {{d8-d15}}",
    // Where the sums of four filters start.
    "mov r12, #0",
    "vidup.u32 q4, r12, #8",
    "vshl.i32 q4, q4, #1",
    "vadd.i32 q4, q4, r1",
    "mov r12, #64",
    "ldrd r4, r5, [r0, #{multiplier}]",
    "ldrd r6, r7, [r0, #{least}]",
    "ldr r8, [r0, #{zero_point}]",
    "ldr r3, [r0, #{pairs}]",
    "vmov.i32 q5, #0",
    "vdup.32 q6, r6",
    "vdup.32 q7, r7",
    "lsls r3, r3, #1",
    "wlstp.32 lr, r3, 2f",
    "1:",
    "vldrw.u32 q0, [q4]",
    "vldrw.u32 q1, [q4, #4]",
    "vldrw.u32 q2, [q4, #8]",
    "vldrw.u32 q3, [q4, #12]",
    "vmax.s32 q0, q0, q1",
    "vmax.s32 q2, q2, q3",
    "vmax.s32 q0, q0, q2",
    "vadd.i32 q4, q4, r12",
    "vldrw.u32 q1, [r4], #16",
    "vldrb.s32 q2, [r5], #4",
    // To the left, then times the multiplier, then to the right: halves away from zero, by one less where it is
    // negative.
    "vmax.s32 q3, q5, q2",
    "vqshl.s32 q0, q0, q3",
    "vqrdmulh.s32 q0, q0, q1",
    "vmin.s32 q2, q2, q5",
    "vand q3, q0, q2",
    "vshr.s32 q3, q3, #31",
    "vqadd.s32 q0, q0, q3",
    "vrshl.s32 q0, q0, q2",
    "vmax.s32 q0, q0, q6",
    "vmin.s32 q0, q0, q7",
    "vadd.i32 q0, q0, r8",
    "vstrb.32 q0, [r2], #4",
    "letp lr, 1b",
    "2:",
    "vpop {{d8-d15}}",
    "pop {{r4-r8, pc}}";
    multiplier = const Run::MULTIPLIER,
    least = const Run::LEAST,
    zero_point = const Run::ZERO_POINT,
    pairs = const Run::PAIRS
}

// thumbnet_gather(column, starts, strip, run, rows, stride): rows of int8 of two pixels, one pixel after the other.
crate::arch::arm::thumb_function! {
    "thumbnet_gather":
    "push {{r4-r11, lr}}",
    "ldrd r4, r5, [sp, #36]",
    // Bytes from one pixel to the next.
    "mul r6, r3, r4",
    "adds r6, #1",
    "bic r6, r6, #1",
    "mov r12, #2",
    "1:",
    "ldr r7, [r1], #4",
    "add r7, r7, r2",
    "mov r8, r0",
    "mov r9, r4",
    "2:",
    "mov r10, r8",
    "mov r11, r7",
    "wlstp.8 lr, r3, 4f",
    "3:",
    "vldrb.u8 q0, [r11], #16",
    "vstrb.8 q0, [r10], #16",
    "letp lr, 3b",
    "4:",
    "add r8, r8, r3",
    "add r7, r7, r5",
    "subs r9, #1",
    "bne 2b",
    "add r0, r0, r6",
    "subs r12, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}"
}

// thumbnet_copy(column, values, count)
crate::arch::arm::thumb_function! {
    "thumbnet_copy":
    "push {{r4, lr}}",
    "wlstp.8 lr, r2, 2f",
    "1:",
    "vldrb.u8 q0, [r1], #16",
    "vstrb.8 q0, [r0], #16",
    "letp lr, 1b",
    "2:",
    "pop {{r4, pc}}"
}

// thumbnet_fill(bytes, value, count)
crate::arch::arm::thumb_function! {
    "thumbnet_fill":
    "push {{r4, lr}}",
    "vdup.8 q0, r1",
    "wlstp.8 lr, r2, 2f",
    "1:",
    "vstrb.8 q0, [r0], #16",
    "letp lr, 1b",
    "2:",
    "pop {{r4, pc}}"
}

unsafe extern "C" {
    fn thumbnet_fill(bytes: *mut i8, value: i32, count: usize);
    fn thumbnet_copy(column: *mut i8, values: *const i8, count: usize);
}

/// The bytes of the column that belong to `count` positions of `pixel`.
#[inline(always)]
fn part(column: &mut [i32], start: usize, pixel: usize, count: usize) -> &mut [i8] {
    let stride = column.len() * 2;
    &mut bytemuck::cast_slice_mut::<i32, i8>(column)[pixel * stride + start..][..count]
}

/// Two pixels, the second one's positions after the first one's, a byte each.
impl Column for Core {
    const PIXELS: usize = 2;
    const STEP: usize = 1;
    const PACKING: Packing = Packing::Plain;
    type Wide = i8;

    fn bound(value: i32) -> i32 {
        value
    }

    fn widen(values: &[i8], wide: &mut [i8]) {
        assert!(values.len() == wide.len());
        // SAFETY: both have that many bytes.
        unsafe { thumbnet_copy(wide.as_mut_ptr(), values.as_ptr(), wide.len()) }
    }

    fn copy(column: &mut [i32], start: usize, pixel: usize, values: &[i8]) {
        let to = part(column, start, pixel, values.len());
        // SAFETY: both have that many bytes.
        unsafe { thumbnet_copy(to.as_mut_ptr(), values.as_ptr(), to.len()) }
    }

    fn value(column: &[i32], position: usize, pixel: usize) -> i32 {
        bytemuck::cast_slice::<i32, i8>(column)[pixel * column.len() * 2 + position].into()
    }

    fn clear(column: &mut [i32], value: i8) {
        Self::fill(bytemuck::cast_slice_mut(column), value);
    }

    fn fill(wide: &mut [i8], value: i8) {
        // SAFETY: it has that many bytes.
        unsafe { thumbnet_fill(wide.as_mut_ptr(), value.into(), wide.len()) }
    }

    fn largest(run: &Run<'_>, tiles: &[Tile], output: &mut [i8]) -> bool {
        run.largest(tiles, output);
        true
    }
}

impl Core {
    /// How far from a window's start each of its positions is, if `thumbnet_conv_short` can read such windows.
    pub(in crate::arch::arm) fn offsets(windows: &Windows) -> Option<[u8; 32]> {
        let extent = (windows.rows - 1) * windows.stride + windows.run;
        if windows.rows * windows.run > 32 || extent > 256 {
            return None;
        }
        let mut offsets = [0; 32];
        let mut next = offsets.iter_mut();
        for row in 0..windows.rows {
            for (offset, at) in next.by_ref().take(windows.run).zip(row * windows.stride..) {
                *offset = at as u8;
            }
        }
        Some(offsets)
    }
}
