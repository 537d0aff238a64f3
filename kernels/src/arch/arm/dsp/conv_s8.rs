//! Convolution on cores with the DSP extension: columns of int16, two positions a multiplication.
use super::Core;
use crate::arch::arm::column::{Column, fill_words};
use crate::arch::arm::conv_tile::conv_tile;
use crate::int8::Packing;

conv_tile!(
    load: "ldr", bytes: "4", low: "sxtb16", multiply: "smlad",
    odd: "
        cbz r2, 9f
        ldrsh r12, [r1], #2
        ldm r0!, {{r2, r3}}
        sxtb lr, r12
        smlabb r4, r12, r2, r4
        smlabb r8, lr, r2, r8
        smlabb r5, r12, r3, r5
        smlabb r9, lr, r3, r9
        ldm r0!, {{r2, r3}}
        smlabb r6, r12, r2, r6
        smlabb r10, lr, r2, r10
        smlabb r7, r12, r3, r7
        smlabb r11, lr, r3, r11
        ldr r12, [sp, #4]
    9:",
    clamp: "
        ssat r8, #16, r8
        ssat r4, #16, r4
        pkhbt r8, r8, r4, lsl #16
        ssub16 r10, r8, r6
        sel r8, r8, r6
        ssub16 r10, r8, r7
        sel r8, r7, r8
        sadd16 r8, r8, r9
        strb r8, [r5], #1
        lsr r8, r8, #16
        strb r8, [r5], #1"
);

// thumbnet_gather(column, starts, strip, run, rows, stride in bytes): rows of int16 of four pixels, side by side.
crate::arch::arm::thumb_function! {
    "thumbnet_gather":
    "push {{r4-r11, lr}}",
    "ldm r1, {{r4-r7}}",
    "ldrd r12, lr, [sp, #36]",
    "add r4, r2, r4, lsl #1",
    "add r5, r2, r5, lsl #1",
    "add r6, r2, r6, lsl #1",
    "add r7, r2, r7, lsl #1",
    // From the end of one row to the start of the next.
    "sub lr, lr, r3, lsl #1",
    // A row that starts in lower halves.
    "1:",
    "lsrs r1, r3, #1",
    "beq 3f",
    "2:",
    "ldr r8, [r4], #4",
    "ldr r9, [r5], #4",
    "ldr r10, [r6], #4",
    "ldr r11, [r7], #4",
    "stm r0!, {{r8-r11}}",
    "subs r1, #1",
    "bne 2b",
    "3:",
    "lsls r1, r3, #31",
    "bmi 4f",
    "add r4, r4, lr",
    "add r5, r5, lr",
    "add r6, r6, lr",
    "add r7, r7, lr",
    "subs r12, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}",
    // Its last value, if it has an odd number, shares a word with the next row's first.
    "4:",
    "ldrh r8, [r4], #2",
    "ldrh r9, [r5], #2",
    "ldrh r10, [r6], #2",
    "ldrh r11, [r7], #2",
    "add r4, r4, lr",
    "add r5, r5, lr",
    "add r6, r6, lr",
    "add r7, r7, lr",
    "subs r12, #1",
    "beq 7f",
    "ldrh r2, [r4], #2",
    "orr r8, r8, r2, lsl #16",
    "ldrh r2, [r5], #2",
    "orr r9, r9, r2, lsl #16",
    "ldrh r2, [r6], #2",
    "orr r10, r10, r2, lsl #16",
    "ldrh r2, [r7], #2",
    "orr r11, r11, r2, lsl #16",
    "stm r0!, {{r8-r11}}",
    "lsrs r1, r3, #1",
    "beq 6f",
    "5:",
    "ldr r8, [r4], #4",
    "ldr r9, [r5], #4",
    "ldr r10, [r6], #4",
    "ldr r11, [r7], #4",
    "stm r0!, {{r8-r11}}",
    "subs r1, #1",
    "bne 5b",
    "6:",
    "add r4, r4, lr",
    "add r5, r5, lr",
    "add r6, r6, lr",
    "add r7, r7, lr",
    "subs r12, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}",
    "7:",
    "stm r0!, {{r8-r11}}",
    "pop {{r4-r11, pc}}"
}

// thumbnet_copy(column, values, count, odd): int8 to every fourth word, from an upper half on if odd.
crate::arch::arm::thumb_function! {
    "thumbnet_copy":
    "cbz r3, 1f",
    "ldrsb r3, [r1], #1",
    "strh r3, [r0], #14",
    "subs r2, #1",
    "1:",
    "push {{r4, lr}}",
    "subs r2, #8",
    "blt 3f",
    "2:",
    "ldr r3, [r1], #4",
    "ldr r4, [r1], #4",
    "sxtb16 r12, r3",
    "sxtb16 r3, r3, ror #8",
    "pkhbt lr, r12, r3, lsl #16",
    "pkhtb r3, r3, r12, asr #16",
    "str lr, [r0], #16",
    "str r3, [r0], #16",
    "sxtb16 r12, r4",
    "sxtb16 r4, r4, ror #8",
    "pkhbt lr, r12, r4, lsl #16",
    "pkhtb r4, r4, r12, asr #16",
    "str lr, [r0], #16",
    "str r4, [r0], #16",
    "subs r2, #8",
    "bge 2b",
    "3:",
    "adds r2, #6",
    "blt 5f",
    "4:",
    "ldrsb r3, [r1], #1",
    "ldrsb r12, [r1], #1",
    "pkhbt r3, r3, r12, lsl #16",
    "str r3, [r0], #16",
    "subs r2, #2",
    "bge 4b",
    "5:",
    "lsls r2, r2, #31",
    "itt mi",
    "ldrsbmi r3, [r1]",
    "strhmi r3, [r0]",
    "pop {{r4, pc}}"
}

unsafe extern "C" {
    fn thumbnet_copy(column: *mut i16, values: *const i8, count: usize, odd: usize);
}

/// Two positions of one pixel to a word, the words of four pixels side by side.
impl Column for Core {
    const PIXELS: usize = 4;
    const STEP: usize = 2;
    const PACKING: Packing = Packing::Pairs;
    type Wide = i16;

    fn bound(value: i32) -> i32 {
        (value & 0xffff) | (value << 16)
    }

    fn widen(values: &[i8], wide: &mut [i16]) {
        for (wide, &value) in wide.iter_mut().zip(values) {
            *wide = value.into();
        }
    }

    fn copy(column: &mut [i32], start: usize, pixel: usize, values: &[i8]) {
        if values.is_empty() {
            return;
        }
        let last = start + values.len() - 1;
        let halves: &mut [i16] = bytemuck::cast_slice_mut(column);
        let halves = &mut halves[half(start, pixel)..=half(last, pixel)];
        // SAFETY: the function reads the values and writes one half for each of them, of which the first and the last
        // lie inside.
        unsafe { thumbnet_copy(halves.as_mut_ptr(), values.as_ptr(), values.len(), start % 2) }
    }

    fn value(column: &[i32], position: usize, pixel: usize) -> i32 {
        bytemuck::cast_slice::<i32, i16>(column)[half(position, pixel)].into()
    }

    fn clear(column: &mut [i32], value: i8) {
        fill_words(column, (i32::from(value) & 0xffff) | (i32::from(value) << 16));
    }
}

/// The half word of a position.
const fn half(position: usize, pixel: usize) -> usize {
    (position / 2 * 4 + pixel) * 2 + position % 2
}
