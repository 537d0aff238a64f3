//! Convolution on cores with the DSP extension: columns of int16, two positions a multiplication. A step of the inner
//! loop is 12 instructions for 16 multiply-accumulates.
use super::{Core, dense_s8};
use crate::arch::arm::pairs::column::Column;
use crate::arch::arm::pairs::conv_tile::conv_tile;
use crate::arch::arm::pairs::run::Source;
use crate::arch::arm::pairs::run::place_window;

conv_tile!(
    load: "ldr", bytes: "4", low: "sxtb16", multiply: "smlad",
    half: "
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
        smlabb r11, lr, r3, r11",
    single: "
        ldrsb r2, [r1], #1
        ldrsb r3, [r1], #1
        pkhbt r2, r2, r3, lsl #16",
    single_half: "
        ldr r3, [sp, #{half}]
        cbz r3, 83f
        ldrsb r2, [r1]
        ldm r0, {{r8-r11}}
        smlabb r4, r2, r8, r4
        smlabb r5, r2, r9, r5
        smlabb r6, r2, r10, r6
        smlabb r7, r2, r11, r7
    83:",
    // Two to the power of 32 less the places, by which the multiplication shifts.
    shifts: "
        movs r3, #1
        adds r0, #32
        lsls r0, r3, r0
        ble.w 95f
        adds lr, lr, #32
        lsls lr, r3, lr
        ble.w 95f",
    sixteen: "mov r0, #0x10000",
    scale: "
        .macro scale x, m, s
        smmlar \\x, \\x, \\m, \\x
        add \\x, \\x, \\x, asr #31
        smmlar \\x, \\x, \\s, r3
        .endm
        .macro unscale
        .endm",
    bound: "
        .macro bound x
        ssub8 r12, \\x, r2
        sel \\x, \\x, r2
        ssub8 r12, \\x, r3
        sel \\x, r3, \\x
        .endm"
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

// thumbnet_gather_inside(column, source, pixels): int8 of four pixels, to words side by side, of two positions
// each. See `Source`.
crate::arch::arm::thumb_function! {
    "thumbnet_gather_inside":
    "push {{r4-r11, lr}}",
    "mov r11, r1",
    "mov r1, r2",
    "add r2, r2, #32",
    "push {{r2, r3}}",
    // A pixel: r2 and r3 are where its window starts, as row and as input of that, r6 and r5 the window's rows before
    // the input and in it, r9 and r4 the same in inputs of a row.
    "1:",
    place_window!(),
    "4:",
    "lsrs r6, r3, #1",
    "add r6, r0, r6, lsl #4",
    "mov r9, r4",
    "bcc 5f",
    // The first value goes to an upper half.
    "ldrsb r12, [r2], #1",
    "strh r12, [r6, #2]",
    "adds r6, #16",
    "subs r9, #1",
    "5:",
    "subs r9, #8",
    "blt 7f",
    "6:",
    "ldr r12, [r2], #4",
    "sxtb16 lr, r12",
    "sxtb16 r12, r12, ror #8",
    "pkhbt r10, lr, r12, lsl #16",
    "pkhtb r12, r12, lr, asr #16",
    "str r10, [r6], #16",
    "str r12, [r6], #16",
    "ldr r12, [r2], #4",
    "sxtb16 lr, r12",
    "sxtb16 r12, r12, ror #8",
    "pkhbt r10, lr, r12, lsl #16",
    "pkhtb r12, r12, lr, asr #16",
    "str r10, [r6], #16",
    "str r12, [r6], #16",
    "subs r9, #8",
    "bge 6b",
    "7:",
    "adds r9, #6",
    "blt 11f",
    "10:",
    "ldrsb r12, [r2], #1",
    "ldrsb lr, [r2], #1",
    "pkhbt r12, r12, lr, lsl #16",
    "str r12, [r6], #16",
    "subs r9, #2",
    "bge 10b",
    "11:",
    "lsls r9, r9, #31",
    "itt mi",
    "ldrsbmi r12, [r2], #1",
    "strhmi r12, [r6]",
    "add r2, r2, r7",
    "add r3, r3, r8",
    "subs r5, #1",
    "bne 4b",
    "9:",
    "adds r0, #4",
    "ldr r2, [sp]",
    "cmp r1, r2",
    "bne.w 1b",
    "add sp, #8",
    "pop {{r4-r11, pc}}";
    strides = const Source::STRIDES,
    height = const Source::HEIGHT,
    stride = const Source::STRIDE,
    words = const Source::WORDS
}

// thumbnet_raise(values, outputs, count): the larger one of each output and its value.
crate::arch::arm::thumb_function! {
    "thumbnet_raise":
    "push {{r4, lr}}",
    "subs r2, #4",
    "blt 2f",
    "1:",
    "ldr r3, [r0], #4",
    "ldr r4, [r1]",
    "ssub8 r12, r3, r4",
    "sel r3, r3, r4",
    "str r3, [r1], #4",
    "subs r2, #4",
    "bge 1b",
    "2:",
    "adds r2, #4",
    "beq 4f",
    "3:",
    "ldrsb r3, [r0], #1",
    "ldrsb r4, [r1]",
    "cmp r3, r4",
    "it lt",
    "movlt r3, r4",
    "strb r3, [r1], #1",
    "subs r2, #1",
    "bne 3b",
    "4:",
    "pop {{r4, pc}}"
}

unsafe extern "C" {
    fn thumbnet_raise(values: *const i8, outputs: *mut i8, count: usize);
}

/// Two positions of one pixel to a word, the words of four pixels side by side.
impl Column for Core {
    const STEP: usize = 2;
    type Wide = i16;

    fn bound(value: i8) -> i32 {
        i32::from_ne_bytes([value as u8; 4])
    }

    fn widen(values: &[i8], wide: &mut [i16]) {
        dense_s8::widen(values, wide);
    }

    fn fill(wide: &mut [i16], value: i8) {
        wide.fill(value.into());
    }

    fn raise(values: &[i8], outputs: &mut [i8]) {
        let count = values.len().min(outputs.len());
        // SAFETY: the function reads as many values, and updates as many outputs, as there are of both.
        unsafe { thumbnet_raise(values.as_ptr(), outputs.as_mut_ptr(), count) }
    }

    fn word(value: i8) -> i32 {
        (i32::from(value) & 0xffff) | (i32::from(value) << 16)
    }
}
