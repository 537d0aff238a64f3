//! Dense layer on Cortex-M3: inputs of int32, one a multiplication, and four a step.
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
    "lsrs lr, r2, #2",
    "add r12, r0, lr, lsl #4",
    "push {{r2, r12}}",
    "beq.w 3f",
    // 8 steps a round: the first round starts inside, so that none is left over.
    "rsb lr, lr, #0",
    "and lr, lr, #7",
    "movs r2, #132",
    "mul r2, r2, lr",
    "adr.w lr, 1f + 1",
    "add lr, lr, r2",
    "bx lr",
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
    // No step is longer than the jump above assumes.
    ".org 1b + 8 * 132",
    "ldr r12, [sp, #4]",
    "cmp r0, r12",
    "bne 1b",
    "3:",
    "ldr r12, [sp]",
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

unsafe extern "C" {
    fn thumbnet_dense(inputs: *const i32, weights: *const i8, count: usize, sums: *mut Sums);
}

/// An input to a word.
impl Vector for Core {
    fn expand(values: &[i8], expanded: &mut [i32]) {
        for (word, &value) in expanded.iter_mut().zip(values) {
            *word = i32::from(value);
        }
    }

    fn multiply(expanded: &[i32], weights: &[i8], sums: &mut Sums) {
        let inputs = weights.len() / 4;
        assert!(expanded.len() >= inputs.div_ceil(2) * Self::WORDS_FOR_TWO);
        // SAFETY: the function reads the words of `inputs` expanded inputs, as many words of weights, and updates the
        // sums; all lie inside, and the caller aligned the weights to words.
        unsafe { thumbnet_dense(expanded.as_ptr(), weights.as_ptr(), inputs, sums) }
    }
}
