//! Convolution on Cortex-M3: columns of int32, one position a multiplication.
use super::Core;
use crate::arch::arm::column::{Column, fill_words};
use crate::arch::arm::conv_tile::conv_tile;
use crate::int8::Packing;

conv_tile!(
    load: "ldrsh", bytes: "2", low: "sxtb.w", multiply: "mla", odd: "",
    clamp: "
        cmp r8, r6
        it lt
        movlt r8, r6
        cmp r8, r7
        it gt
        movgt r8, r7
        add r8, r8, r9
        cmp r4, r6
        it lt
        movlt r4, r6
        cmp r4, r7
        it gt
        movgt r4, r7
        add r4, r4, r9
        strb r8, [r5], #1
        strb r4, [r5], #1"
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

// thumbnet_copy(column, values, count): int8 to every fourth word.
crate::arch::arm::thumb_function! {
    "thumbnet_copy":
    "subs r2, #8",
    "blt 2f",
    "1:",
    "ldrsb r3, [r1], #1",
    "ldrsb r12, [r1], #1",
    "str r3, [r0], #16",
    "str r12, [r0], #16",
    "ldrsb r3, [r1], #1",
    "ldrsb r12, [r1], #1",
    "str r3, [r0], #16",
    "str r12, [r0], #16",
    "ldrsb r3, [r1], #1",
    "ldrsb r12, [r1], #1",
    "str r3, [r0], #16",
    "str r12, [r0], #16",
    "ldrsb r3, [r1], #1",
    "ldrsb r12, [r1], #1",
    "str r3, [r0], #16",
    "str r12, [r0], #16",
    "subs r2, #8",
    "bge 1b",
    "2:",
    "adds r2, #8",
    "beq 4f",
    "3:",
    "ldrsb r3, [r1], #1",
    "str r3, [r0], #16",
    "subs r2, #1",
    "bne 3b",
    "4:",
    "bx lr"
}

unsafe extern "C" {
    fn thumbnet_copy(column: *mut i32, values: *const i8, count: usize);
}

/// One position of one pixel to a word, the words of four pixels side by side.
impl Column for Core {
    const PIXELS: usize = 4;
    const STEP: usize = 1;
    const PACKING: Packing = Packing::Pairs;
    type Wide = i8;

    fn bound(value: i32) -> i32 {
        value
    }

    fn widen(values: &[i8], wide: &mut [i8]) {
        wide.copy_from_slice(values);
    }

    fn copy(column: &mut [i32], start: usize, pixel: usize, values: &[i8]) {
        if values.is_empty() {
            return;
        }
        let words = &mut column[start * 4 + pixel..=(start + values.len() - 1) * 4 + pixel];
        // SAFETY: the function reads the values and writes a word for each of them, of which the last lies inside.
        unsafe { thumbnet_copy(words.as_mut_ptr(), values.as_ptr(), values.len()) }
    }

    fn value(column: &[i32], position: usize, pixel: usize) -> i32 {
        column[position * 4 + pixel]
    }

    fn clear(column: &mut [i32], value: i8) {
        fill_words(column, value.into());
    }
}
