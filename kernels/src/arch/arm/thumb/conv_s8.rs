//! Convolution on Cortex-M3: columns of int32, one position a multiplication.
use super::Core;
use crate::arch::arm::conv_s8::Column;
use crate::arch::arm::tile::conv_tile;

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

// thumbnet_gather(column, starts, strip, run, rows, stride in bytes): of four pixels, rows of int8 to every fourth word.
core::arch::global_asm!(
    ".syntax unified",
    ".thumb",
    concat!(".cpu ", env!("THUMBNET_CPU")),
    ".section .text.thumbnet_gather,\"ax\",%progbits",
    ".p2align 2",
    ".global thumbnet_gather",
    ".type thumbnet_gather, %function",
    ".thumb_func",
    "thumbnet_gather:",
    "push {{r3-r11, lr}}",
    "ldrd r8, r4, [sp, #40]",
    "mov r9, #4",
    // A pixel.
    "8:",
    "ldr lr, [r1], #4",
    "str r0, [sp]",
    "mov r10, r8",
    "add lr, r2, lr",
    "1:",
    "mov r5, lr",
    "subs r6, r3, #4",
    "blt 3f",
    "2:",
    "ldrsb r12, [r5], #1",
    "str r12, [r0], #16",
    "ldrsb r12, [r5], #1",
    "str r12, [r0], #16",
    "ldrsb r12, [r5], #1",
    "str r12, [r0], #16",
    "ldrsb r12, [r5], #1",
    "str r12, [r0], #16",
    "subs r6, #4",
    "bge 2b",
    "3:",
    "adds r6, #4",
    "beq 5f",
    "4:",
    "ldrsb r12, [r5], #1",
    "str r12, [r0], #16",
    "subs r6, #1",
    "bne 4b",
    "5:",
    "add lr, lr, r4",
    "subs r10, #1",
    "bne 1b",
    "9:",
    "ldr r0, [sp]",
    "subs r9, #1",
    "add r0, r0, #4",
    "bne 8b",
    "pop {{r3-r11, pc}}",
    ".size thumbnet_gather, . - thumbnet_gather",
);

// thumbnet_copy(column, values, count): int8 to every fourth word.
core::arch::global_asm!(
    ".syntax unified",
    ".thumb",
    concat!(".cpu ", env!("THUMBNET_CPU")),
    ".section .text.thumbnet_copy,\"ax\",%progbits",
    ".p2align 2",
    ".global thumbnet_copy",
    ".type thumbnet_copy, %function",
    ".thumb_func",
    "thumbnet_copy:",
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
    "bx lr",
    ".size thumbnet_copy, . - thumbnet_copy",
);

unsafe extern "C" {
    fn thumbnet_copy(column: *mut i32, values: *const i8, count: usize);
    fn thumbnet_gather(column: *mut i32, starts: &[usize; 4], strip: *const i8, run: usize, rows: usize, stride: usize);
}

/// One position of one pixel to a word, the words of four pixels side by side.
impl Column for Core {
    const POSITIONS: usize = 100;
    const WORDS_FOR_TWO: usize = 8;
    const STEP: usize = 1;
    type Wide = i8;

    fn bound(value: i32) -> i32 {
        value
    }

    fn widen(value: i8) -> i8 {
        value
    }

    fn copy(column: &mut [i32], start: usize, pixel: usize, values: &[i8]) {
        if values.is_empty() {
            return;
        }
        let words = &mut column[start * 4 + pixel..=(start + values.len() - 1) * 4 + pixel];
        // SAFETY: the function reads the values and writes a word for each of them, of which the last lies inside.
        unsafe { thumbnet_copy(words.as_mut_ptr(), values.as_ptr(), values.len()) }
    }

    fn fill(column: &mut [i32], start: usize, pixel: usize, value: i8, count: usize) {
        if count == 0 {
            return;
        }
        for word in column[start * 4 + pixel..].iter_mut().step_by(4).take(count) {
            *word = i32::from(value);
        }
    }

    fn gather(column: &mut [i32], strip: &[i8], starts: [usize; 4], run: usize, rows: usize, stride: usize) {
        let extent = (rows - 1) * stride + run;
        assert!(run > 0 && rows > 0 && starts.iter().all(|start| start + extent <= strip.len()));
        assert!(rows * run * 4 <= column.len());
        // SAFETY: from each start on the function reads `rows` runs of the strip, and writes all of the column's words that
        // they make; both lie inside.
        unsafe {
            thumbnet_gather(column.as_mut_ptr(), &starts, strip.as_ptr(), run, rows, stride * size_of::<i8>());
        }
    }
}
