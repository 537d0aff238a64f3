//! Dense layer on Cortex-M3: inputs of int32, one a multiplication, and four a step.
use super::Core;
use crate::arch::arm::pairs::dense_s8::{Fours, Vector, end_of_four};

// thumbnet_dense(fours).
//
// The weights of inputs k and k + 1 are two words, one of each pair of units (a, b) and (c, d). A word as it is adds
// a + 256 b to the sum S; its low bytes add a to A; b's sum is (S - A) / 256, as in `pairs::run`.
crate::arch::arm::thumb_function! {
    "thumbnet_dense":
    "push {{r4-r11, lr}}",
    // The frame is `Fours`, the inputs' end after whole steps, and where in the round to enter.
    "ldm r0, {{r4-r9}}",
    "lsrs lr, r5, #2",
    "add r10, r4, lr, lsl #4",
    "mov r1, r6",
    // 8 steps a round: the first round starts inside, so that none is left over.
    "rsbs lr, lr, #0",
    "adr.w r11, 3f + 1",
    "beq 7f",
    "and lr, lr, #7",
    "movs r2, #132",
    "mul r2, r2, lr",
    "adr.w r11, 1f + 1",
    "add r11, r11, r2",
    "7:",
    "push {{r4-r11}}",
    // Four units: r4 and r5 are what the odd ones' sums are made of, r6 and r7 the even ones' sums.
    "8:",
    "ldr r3, [sp, #{sums}]",
    "ldr r6, [r3]",
    "ldr r7, [r3, #8]",
    "mov r4, r6",
    "mov r5, r7",
    "ldr r0, [sp]",
    "ldr pc, [sp, #4 * {words} + 4]",
    ".p2align 2",
    "1:",
    ".rept 8",
    "ldm r0!, {{r2, r3, r8, r9}}",
    "ldrsh r10, [r1], #16",
    "ldrsh r11, [r1, #-12]",
    "mla r4, r10, r2, r4",
    "mla r5, r11, r2, r5",
    "sxtb.w r10, r10",
    "sxtb.w r11, r11",
    "mla r6, r10, r2, r6",
    "mla r7, r11, r2, r7",
    "ldrsh r10, [r1, #-14]",
    "ldrsh r11, [r1, #-10]",
    "mla r4, r10, r3, r4",
    "mla r5, r11, r3, r5",
    "sxtb.w r10, r10",
    "sxtb.w r11, r11",
    "mla r6, r10, r3, r6",
    "mla r7, r11, r3, r7",
    "ldrsh r10, [r1, #-8]",
    "ldrsh r11, [r1, #-4]",
    "mla r4, r10, r8, r4",
    "mla r5, r11, r8, r5",
    "sxtb.w r10, r10",
    "sxtb.w r11, r11",
    "mla r6, r10, r8, r6",
    "mla r7, r11, r8, r7",
    "ldrsh r10, [r1, #-6]",
    "ldrsh r11, [r1, #-2]",
    "mla r4, r10, r9, r4",
    "mla r5, r11, r9, r5",
    "sxtb.w r10, r10",
    "sxtb.w r11, r11",
    "mla r6, r10, r9, r6",
    "mla r7, r11, r9, r7",
    ".endr",
    "2:",
    // No step is longer than the jump into the round assumes.
    ".org 1b + 8 * 132",
    "ldr r12, [sp, #4 * {words}]",
    "cmp r0, r12",
    "bne 1b",
    "3:",
    "ldr r12, [sp, #{count}]",
    "tst r12, #2",
    "beq 5f",
    "ldm r0!, {{r2, r3}}",
    "ldrsh r10, [r1]",
    "ldrsh r11, [r1, #4]",
    "mla r4, r10, r2, r4",
    "mla r5, r11, r2, r5",
    "sxtb r10, r10",
    "sxtb r11, r11",
    "mla r6, r10, r2, r6",
    "mla r7, r11, r2, r7",
    "ldrsh r10, [r1, #2]",
    "ldrsh r11, [r1, #6]",
    "mla r4, r10, r3, r4",
    "mla r5, r11, r3, r5",
    "sxtb r10, r10",
    "sxtb r11, r11",
    "mla r6, r10, r3, r6",
    "mla r7, r11, r3, r7",
    "add r1, #8",
    "5:",
    "lsls r12, r12, #31",
    "beq 6f",
    "ldr r2, [r0]",
    "ldrsh r10, [r1], #4",
    "ldrsh r11, [r1, #-2]",
    "mla r4, r10, r2, r4",
    "mla r5, r11, r2, r5",
    "sxtb r10, r10",
    "sxtb r11, r11",
    "mla r6, r10, r2, r6",
    "mla r7, r11, r2, r7",
    end_of_four!(),
    "pop {{r4-r11, pc}}";
    count = const Fours::COUNT,
    sums = const Fours::SUMS,
    end = const Fours::END,
    words = const Fours::WORDS
}

// thumbnet_dense_pair(inputs, weights, count, sums): the same for two units, whose weights lie as a convolution's.
crate::arch::arm::thumb_function! {
    "thumbnet_dense_pair":
    "push {{r4-r7, lr}}",
    "ldr r4, [r3]",
    "mov r5, r4",
    "1:",
    "ldrsh r6, [r1], #2",
    "ldr r7, [r0], #4",
    "mla r4, r6, r7, r4",
    "sxtb r6, r6",
    "mla r5, r6, r7, r5",
    "subs r2, #1",
    "bne 1b",
    "ldr r6, [r3, #4]",
    "subs r4, r4, r5",
    "add r6, r6, r4, asr #8",
    "strd r5, r6, [r3]",
    "pop {{r4-r7, pc}}"
}

// thumbnet_dense_one(inputs, weights, count, sum): the same for one unit, whose weights are plain.
crate::arch::arm::thumb_function! {
    "thumbnet_dense_one":
    "push {{r4-r6, lr}}",
    "ldr r4, [r3]",
    "1:",
    "ldrsb r5, [r1], #1",
    "ldr r6, [r0], #4",
    "mla r4, r5, r6, r4",
    "subs r2, #1",
    "bne 1b",
    "str r4, [r3]",
    "pop {{r4-r6, pc}}"
}

// thumbnet_expand(values, expanded, count): int8 to int32.
crate::arch::arm::thumb_function! {
    "thumbnet_expand":
    "push {{r4-r6, lr}}",
    "subs r2, #4",
    "blt 2f",
    "1:",
    "ldrsb r3, [r0], #1",
    "ldrsb r4, [r0], #1",
    "ldrsb r5, [r0], #1",
    "ldrsb r6, [r0], #1",
    "stm r1!, {{r3-r6}}",
    "subs r2, #4",
    "bge 1b",
    "2:",
    "adds r2, #4",
    "beq 4f",
    "3:",
    "ldrsb r3, [r0], #1",
    "str r3, [r1], #4",
    "subs r2, #1",
    "bne 3b",
    "4:",
    "pop {{r4-r6, pc}}"
}

unsafe extern "C" {
    fn thumbnet_expand(values: *const i8, expanded: *mut i32, count: usize);
}

/// An input to a word.
impl Vector for Core {
    fn expand(values: &[i8], expanded: &mut [i32]) {
        let count = values.len().min(expanded.len());
        // SAFETY: the function reads as many values, and writes a word for each.
        unsafe { thumbnet_expand(values.as_ptr(), expanded.as_mut_ptr(), count) }
    }
}
