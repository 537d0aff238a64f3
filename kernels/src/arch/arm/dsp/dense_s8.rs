//! Dense layer on cores with the DSP extension: inputs of int16, two a multiplication, and eight a step.
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
    "lsrs lr, r5, #3",
    "add r10, r4, lr, lsl #4",
    "mov r1, r6",
    // 4 steps a round: the first round starts inside, so that none is left over.
    "rsbs lr, lr, #0",
    "adr.w r11, 3f + 1",
    "beq 7f",
    "and lr, lr, #3",
    "movs r2, #108",
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
    ".rept 4",
    "ldm r0!, {{r2, r3, r8, r9}}",
    "ldm r1!, {{r10, r11, r12, lr}}",
    "smlad r4, r10, r2, r4",
    "smlad r5, r11, r2, r5",
    "sxtb16 r10, r10",
    "sxtb16 r11, r11",
    "smlad r6, r10, r2, r6",
    "smlad r7, r11, r2, r7",
    "smlad r4, r12, r3, r4",
    "smlad r5, lr, r3, r5",
    "sxtb16 r12, r12",
    "sxtb16 lr, lr",
    "smlad r6, r12, r3, r6",
    "smlad r7, lr, r3, r7",
    "ldm r1!, {{r10, r11, r12, lr}}",
    "smlad r4, r10, r8, r4",
    "smlad r5, r11, r8, r5",
    "sxtb16 r10, r10",
    "sxtb16 r11, r11",
    "smlad r6, r10, r8, r6",
    "smlad r7, r11, r8, r7",
    "smlad r4, r12, r9, r4",
    "smlad r5, lr, r9, r5",
    "sxtb16 r12, r12",
    "sxtb16 lr, lr",
    "smlad r6, r12, r9, r6",
    "smlad r7, lr, r9, r7",
    ".endr",
    "2:",
    // No step is longer than the jump into the round assumes.
    ".org 1b + 4 * 108",
    "ldr r12, [sp, #4 * {words}]",
    "cmp r0, r12",
    "bne 1b",
    "3:",
    "ldr r12, [sp, #{count}]",
    "ubfx r3, r12, #1, #2",
    "cbz r3, 5f",
    "4:",
    "ldr r2, [r0], #4",
    "ldrd r10, r11, [r1], #8",
    "smlad r4, r10, r2, r4",
    "smlad r5, r11, r2, r5",
    "sxtb16 r10, r10",
    "sxtb16 r11, r11",
    "smlad r6, r10, r2, r6",
    "smlad r7, r11, r2, r7",
    "subs r3, #1",
    "bne 4b",
    "5:",
    "lsls r12, r12, #31",
    "beq 6f",
    "ldrsh r2, [r0]",
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
    "subs r2, #2",
    "blt 2f",
    "1:",
    "ldr r6, [r1], #4",
    "ldr r7, [r0], #4",
    "smlad r4, r6, r7, r4",
    "sxtb16 r6, r6",
    "smlad r5, r6, r7, r5",
    "subs r2, #2",
    "bge 1b",
    "2:",
    "lsls r2, r2, #31",
    "beq 3f",
    "ldrsh r6, [r1]",
    "ldrsh r7, [r0]",
    "mla r4, r6, r7, r4",
    "sxtb r6, r6",
    "mla r5, r6, r7, r5",
    "3:",
    "ldr r6, [r3, #4]",
    "subs r4, r4, r5",
    "add r6, r6, r4, asr #8",
    "strd r5, r6, [r3]",
    "pop {{r4-r7, pc}}"
}

// thumbnet_dense_one(inputs, weights, count, sum): the same for one unit, whose weights are plain.
crate::arch::arm::thumb_function! {
    "thumbnet_dense_one":
    "push {{r4-r7, lr}}",
    "ldr r4, [r3]",
    "subs r2, #4",
    "blt 2f",
    "1:",
    "ldr r6, [r1], #4",
    "sxtb16 r5, r6",
    "sxtb16 r6, r6, ror #8",
    "pkhbt r7, r5, r6, lsl #16",
    "pkhtb r6, r6, r5, asr #16",
    "ldr r5, [r0], #4",
    "smlad r4, r7, r5, r4",
    "ldr r5, [r0], #4",
    "smlad r4, r6, r5, r4",
    "subs r2, #4",
    "bge 1b",
    "2:",
    "adds r2, #4",
    "beq 4f",
    "3:",
    "ldrsb r5, [r1], #1",
    "ldrsh r6, [r0], #2",
    "mla r4, r5, r6, r4",
    "subs r2, #1",
    "bne 3b",
    "4:",
    "str r4, [r3]",
    "pop {{r4-r7, pc}}"
}

// thumbnet_expand(values, expanded, count): int8 to int16, which need not lie at words.
crate::arch::arm::thumb_function! {
    "thumbnet_expand":
    "push {{r4, lr}}",
    "subs r2, #4",
    "blt 2f",
    "1:",
    "ldr r3, [r0], #4",
    "sxtb16 r12, r3",
    "sxtb16 r3, r3, ror #8",
    "pkhbt r4, r12, r3, lsl #16",
    "pkhtb r3, r3, r12, asr #16",
    "str r4, [r1], #4",
    "str r3, [r1], #4",
    "subs r2, #4",
    "bge 1b",
    "2:",
    "adds r2, #4",
    "beq 4f",
    "3:",
    "ldrsb r3, [r0], #1",
    "strh r3, [r1], #2",
    "subs r2, #1",
    "bne 3b",
    "4:",
    "pop {{r4, pc}}"
}

unsafe extern "C" {
    fn thumbnet_expand(values: *const i8, expanded: *mut i16, count: usize);
}

/// Writes values as int16, as many as there is room for.
pub(super) fn widen(values: &[i8], wide: &mut [i16]) {
    let count = values.len().min(wide.len());
    // SAFETY: the function reads as many values, and writes as many.
    unsafe { thumbnet_expand(values.as_ptr(), wide.as_mut_ptr(), count) }
}

/// Two inputs to a word.
impl Vector for Core {
    fn expand(values: &[i8], expanded: &mut [i32]) {
        widen(values, bytemuck::cast_slice_mut(expanded));
    }
}
