//! Dense layer on cores with the DSP extension: inputs of int16, two a multiplication, and eight a step.
use super::Core;
use crate::arch::arm::pairs::dense_s8::{Sums, Vector};
use crate::arch::cores::DenseCut;

// thumbnet_dense(inputs, weights, count, sums).
//
// The weights of inputs k and k + 1 are two words, one of each pair of units (a, b) and (c, d). A word as it is adds
// a + 256 b to the sum S; its low bytes add a to A; b's sum is (S - A) / 256, as in `tile`.
crate::arch::arm::thumb_function! {
    "thumbnet_dense":
    "push {{r3-r11, lr}}",
    "ldrd r6, r7, [r3, #8]",
    "mov r4, r6",
    "mov r5, r7",
    "lsrs lr, r2, #3",
    "add r12, r0, lr, lsl #4",
    "push {{r2, r12}}",
    "beq.w 3f",
    // 4 steps a round: the first round starts inside, so that none is left over.
    "rsb lr, lr, #0",
    "and lr, lr, #3",
    "movs r2, #108",
    "mul r2, r2, lr",
    "adr.w lr, 1f + 1",
    "add lr, lr, r2",
    "bx lr",
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
    // No step is longer than the jump above assumes.
    ".org 1b + 4 * 108",
    "ldr r12, [sp, #4]",
    "cmp r0, r12",
    "bne 1b",
    "3:",
    "ldr r12, [sp]",
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
    "ldrsh r10, [r1]",
    "ldrsh r11, [r1, #2]",
    "mla r4, r10, r2, r4",
    "mla r5, r11, r2, r5",
    "sxtb r10, r10",
    "sxtb r11, r11",
    "mla r6, r10, r2, r6",
    "mla r7, r11, r2, r7",
    "6:",
    "ldr r3, [sp, #8]",
    "ldrd r2, r8, [r3]",
    "sub r4, r4, r6",
    "sub r5, r5, r7",
    "add r4, r2, r4, asr #8",
    "add r5, r8, r5, asr #8",
    "stm r3, {{r4-r7}}",
    "add sp, #12",
    "pop {{r4-r11, pc}}"
}

// thumbnet_expand(values, expanded, count): int8 to int16.
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
    "strd r4, r3, [r1], #8",
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
    fn thumbnet_expand(values: *const i8, expanded: *mut i32, count: usize);
    fn thumbnet_dense(inputs: *const i32, weights: *const i8, count: usize, sums: *mut Sums);
}

/// Two inputs to a word.
impl Vector for Core {
    fn expand(values: &[i8], expanded: &mut [i32]) {
        assert!(values.len().div_ceil(2) <= expanded.len());
        // SAFETY: the function reads the values and writes half a word for each.
        unsafe { thumbnet_expand(values.as_ptr(), expanded.as_mut_ptr(), values.len()) }
    }

    fn multiply(expanded: &[i32], weights: &[i8], sums: &mut Sums) {
        let inputs = weights.len() / 4;
        assert!(expanded.len() >= inputs.div_ceil(2) * Self::WORDS_FOR_TWO);
        // SAFETY: the function reads the words of `inputs` expanded inputs, as many words of weights, and updates the
        // sums; all lie inside, and the caller aligned the weights to words.
        unsafe { thumbnet_dense(expanded.as_ptr(), weights.as_ptr(), inputs, sums) }
    }
}
