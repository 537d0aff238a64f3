//! Convolution on Cortex-M3: columns of int32, one position a multiplication. A step of the inner loop is 12
//! instructions for 8 multiply-accumulates.
use super::Core;
use crate::arch::arm::pairs::column::Column;
use crate::arch::arm::pairs::conv_tile::conv_tile;
use crate::arch::arm::pairs::run::Source;
use crate::arch::arm::pairs::run::place_window;

conv_tile!(
    load: "ldrsh", bytes: "2", low: "sxtb.w", multiply: "mla", half: "",
    single: "ldrsb r2, [r1], #1",
    single_half: "",
    // The places.
    shifts: "
        str r1, [sp, #{weights}]
        rsbs r0, r0, #0
        ble.w 95f
        rsbs lr, lr, #0
        ble.w 95f",
    sixteen: "movs r0, #16",
    scale: "
        .macro scale x, m, s
        mov r1, #0x80000000
        smlal r1, \\x, \\x, \\m
        add \\x, \\x, \\x, asr #31
        asrs \\x, \\x, \\s
        adc \\x, \\x, r3
        .endm
        .macro unscale
        ldr r1, [sp, #{weights}]
        .endm",
    bound: "
        .macro bound x
        sxtb.w r12, \\x
        sbfx lr, \\x, #8, #8
        cmp r12, r2
        it lt
        movlt r12, r2
        cmp r12, r3
        it gt
        movgt r12, r3
        cmp lr, r2
        it lt
        movlt lr, r2
        cmp lr, r3
        it gt
        movgt lr, r3
        bfi r12, lr, #8, #24
        mov \\x, r12
        .endm"
);

// thumbnet_gather(column, starts, strip, run, rows, stride in bytes): rows of int8 of four pixels, side by side.
crate::arch::arm::thumb_function! {
    "thumbnet_gather":
    "push {{r4-r11, lr}}",
    "ldm r1, {{r4-r7}}",
    "ldrd r12, lr, [sp, #36]",
    "add r4, r2, r4",
    "add r5, r2, r5",
    "add r6, r2, r6",
    "add r7, r2, r7",
    // From the end of one row to the start of the next.
    "sub lr, lr, r3",
    "1:",
    "mov r1, r3",
    "2:",
    "ldrsb r8, [r4], #1",
    "ldrsb r9, [r5], #1",
    "ldrsb r10, [r6], #1",
    "ldrsb r11, [r7], #1",
    "stm r0!, {{r8-r11}}",
    "subs r1, #1",
    "bne 2b",
    "add r4, r4, lr",
    "add r5, r5, lr",
    "add r6, r6, lr",
    "add r7, r7, lr",
    "subs r12, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}"
}

// thumbnet_gather_inside(column, source, pixels): int8 of four pixels, to words side by side. See `Source`.
crate::arch::arm::thumb_function! {
    "thumbnet_gather_inside":
    "push {{r4-r11, lr}}",
    "mov r11, r1",
    "mov r1, r2",
    "add r2, r2, #32",
    "push {{r2, r3}}",
    // Two pixels, if there are two more and no padding in their windows: r2 and r4 are the sources, r3 the words, r8
    // the rows to go, r10 what lies between two rows.
    "1:",
    "ldr r2, [sp]",
    "subs r2, r2, r1",
    "lsls r2, r2, #28",
    "bmi 5f",
    "ldm r1, {{r2-r5}}",
    "ldrd r6, r7, [r11, #{strides}]",
    "ldrd r8, r9, [r11, #{strides} + 8]",
    "mla r2, r2, r6, r8",
    "mla r3, r3, r7, r9",
    "mla r4, r4, r6, r8",
    "mla r5, r5, r7, r9",
    "ldrd r6, r8, [r11, #{height}]",
    "ldrd r7, r9, [r11, #{stride}]",
    "subs r6, r6, r8",
    "blo 5f",
    "subs r10, r7, r9",
    "blo 5f",
    "cmp r2, r6",
    "it ls",
    "cmpls r4, r6",
    "bhi 5f",
    "cmp r3, r10",
    "it ls",
    "cmpls r5, r10",
    "bhi 5f",
    "mla r2, r2, r7, r3",
    "mla r4, r4, r7, r5",
    "ldr r3, [r11]",
    "add r2, r2, r3",
    "add r4, r4, r3",
    "mov r3, r0",
    "12:",
    "subs r5, r9, #8",
    "blt 14f",
    "13:",
    ".rept 8",
    "ldrsb r6, [r2], #1",
    "ldrsb r12, [r4], #1",
    "strd r6, r12, [r3], #16",
    ".endr",
    "subs r5, #8",
    "bge 13b",
    "14:",
    "adds r5, #8",
    "beq 16f",
    "15:",
    "ldrsb r6, [r2], #1",
    "ldrsb r12, [r4], #1",
    "strd r6, r12, [r3], #16",
    "subs r5, #1",
    "bne 15b",
    "16:",
    "add r2, r2, r10",
    "add r4, r4, r10",
    "subs r8, #1",
    "bne 12b",
    "adds r0, #4",
    "adds r1, #16",
    "b 9f",
    // One: r2 and r3 are where its window starts, as row and as input of that, r6 and r5 the window's rows before
    // the input and in it, r9 and r4 the same in inputs of a row.
    "5:",
    place_window!(),
    "add r3, r0, r3, lsl #4",
    "4:",
    "mov r6, r3",
    "subs r9, r4, #8",
    "blt 7f",
    "6:",
    ".rept 4",
    "ldrsb r10, [r2], #1",
    "ldrsb r12, [r2], #1",
    "str r10, [r6], #16",
    "str r12, [r6], #16",
    ".endr",
    "subs r9, #8",
    "bge 6b",
    "7:",
    "adds r9, #8",
    "beq 11f",
    "10:",
    "ldrsb r12, [r2], #1",
    "str r12, [r6], #16",
    "subs r9, #1",
    "bne 10b",
    "11:",
    "add r2, r2, r7",
    "add r3, r3, r8, lsl #4",
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

/// One position of one pixel to a word, the words of four pixels side by side.
impl Column for Core {
    const STEP: usize = 1;
    type Wide = i8;

    fn bound(value: i8) -> i32 {
        value.into()
    }

    fn widen(values: &[i8], wide: &mut [i8]) {
        if wide.len() == values.len() {
            wide.copy_from_slice(values);
        }
    }

    fn fill(wide: &mut [i8], value: i8) {
        wide.fill(value);
    }

    fn raise(values: &[i8], outputs: &mut [i8]) {
        for (output, &value) in outputs.iter_mut().zip(values) {
            *output = value.max(*output);
        }
    }

    fn word(value: i8) -> i32 {
        value.into()
    }
}
