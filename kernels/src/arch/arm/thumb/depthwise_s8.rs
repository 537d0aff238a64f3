//! Depthwise convolution on Cortex-M3: columns of int32, one row a multiplication.
use super::Core;
use crate::arch::arm::depthwise_s8::{Depthwise, GROUP, Job, Record};
use core::mem::offset_of;

// thumbnet_depthwise_widen(strip, above, below, count, step above, step below).
//
// A column of four channels is sixteen words, of each channel its four rows. The lower two of before move up: 20
// instructions for eight inputs.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_widen":
    "push {{r4-r7, lr}}",
    "ldrd r12, lr, [sp, #20]",
    "1:",
    "ldrd r4, r5, [r0, #8]",
    "ldrsb r6, [r1]",
    "ldrsb r7, [r2]",
    "stm r0!, {{r4-r7}}",
    "ldrd r4, r5, [r0, #8]",
    "ldrsb r6, [r1, #1]",
    "ldrsb r7, [r2, #1]",
    "stm r0!, {{r4-r7}}",
    "ldrd r4, r5, [r0, #8]",
    "ldrsb r6, [r1, #2]",
    "ldrsb r7, [r2, #2]",
    "stm r0!, {{r4-r7}}",
    "ldrd r4, r5, [r0, #8]",
    "ldrsb r6, [r1, #3]",
    "ldrsb r7, [r2, #3]",
    "stm r0!, {{r4-r7}}",
    "add r1, r1, r12",
    "add r2, r2, lr",
    "subs r3, #1",
    "bne 1b",
    "pop {{r4-r7, pc}}"
}

// thumbnet_depthwise_outputs(records, strip, output, job): a row of four channels, or two rows.
//
// Of a column of the window with the weights u, v, w and the strip's rows a, b, c, d, the upper output gets
// a u + b v + c w and the lower one b u + c v + d w: a and b, then c and d are in r2 and r3. Weights of the three columns
// are in r4 to r11, and the last one in r12, or in r1 of stride 2; sums are in r0 and r1. With the doubled multiplier
// m - 2^32, the high word of the sum's product and the sum and the product's highest low bit are round(sum * m / 2^32).
// Halves of the right shift go away from zero: one less where it is negative (which carries), then halves up, by the
// shift's carry; a shift by none keeps the first carry, which adds the one again.
//
// Of stride 1 50 instructions make two outputs, of stride 2 32 make one: 2.8 and 3.6 a multiply-accumulate.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_outputs":
    "push {{r4-r11, lr}}",
    "sub sp, #60",
    // The frame: 0 output, 4 row, 8 step, 12 end of the strip, 16 last weight, 20 bias, 24 multiplier, 28 shift, 32 zero
    // point, 36 record, 40 strip, 44 first output, 48 span, 52 whether it is strided, 56 end of the records.
    "ldrd r4, r5, [r3, #{row}]",
    "strd r4, r5, [sp, #4]",
    "ldrd r4, r5, [r3, #{span}]",
    "strd r4, r5, [sp, #48]",
    "ldr r4, [r3, #{zero_point}]",
    "strd r4, r0, [sp, #32]",
    "strd r1, r2, [sp, #40]",
    "add r0, #{records}",
    "str r0, [sp, #56]",
    "2:",
    "ldr r3, [sp, #36]",
    "ldm r3!, {{r4-r11}}",
    "ldm r3!, {{r0, r1, r2, r12}}",
    "str r3, [sp, #36]",
    "add r3, sp, #16",
    "stm r3, {{r0, r1, r2, r12}}",
    "ldrd lr, r2, [sp, #40]",
    "str r2, [sp]",
    "ldrd r2, r3, [sp, #48]",
    "add r2, r2, lr",
    "str r2, [sp, #12]",
    "cmp r3, #0",
    "bne 3f",
    "1:",
    "ldrd r12, r0, [sp, #16]",
    "ldrd r2, r3, [lr], #64",
    "mla r1, r3, r4, r0",
    "mla r0, r2, r4, r0",
    "mla r0, r3, r5, r0",
    "ldrd r2, r3, [lr, #-56]",
    "mla r0, r2, r6, r0",
    "mla r1, r2, r5, r1",
    "mla r1, r3, r6, r1",
    "ldrd r2, r3, [lr]",
    "mla r1, r3, r7, r1",
    "mla r0, r2, r7, r0",
    "mla r0, r3, r8, r0",
    "ldrd r2, r3, [lr, #8]",
    "mla r0, r2, r9, r0",
    "mla r1, r2, r8, r1",
    "mla r1, r3, r9, r1",
    "ldrd r2, r3, [lr, #64]",
    "mla r1, r3, r10, r1",
    "mla r0, r2, r10, r0",
    "mla r0, r3, r11, r0",
    "ldrd r2, r3, [lr, #72]",
    "mla r0, r2, r12, r0",
    "mla r1, r2, r11, r1",
    "mla r1, r3, r12, r1",
    "ldr r12, [sp, #24]",
    "smull r2, r3, r0, r12",
    "lsls r2, r2, #1",
    "adc r0, r3, r0",
    "smull r2, r3, r1, r12",
    "lsls r2, r2, #1",
    "adc r1, r3, r1",
    "ldrd r2, r3, [sp, #28]",
    "adds r0, r0, r0, asr #31",
    "asrs r0, r0, r2",
    "adc r0, r0, r3",
    "adds r1, r1, r1, asr #31",
    "asrs r1, r1, r2",
    "adc r1, r1, r3",
    "ssat r0, #8, r0",
    "ssat r1, #8, r1",
    "ldrd r2, r3, [sp]",
    // Where there is no lower row, the upper one takes its place.
    "strb r1, [r2, r3]",
    "strb r0, [r2]",
    "ldrd r3, r12, [sp, #8]",
    "add r2, r2, r3",
    "str r2, [sp]",
    "cmp lr, r12",
    "bne 1b",
    "4:",
    // The next channel.
    "ldrd r2, r3, [sp, #40]",
    "adds r2, #16",
    "adds r3, #1",
    "strd r2, r3, [sp, #40]",
    "ldr r2, [sp, #36]",
    "ldr r3, [sp, #56]",
    "cmp r2, r3",
    "bne 2b",
    "add sp, #60",
    "pop {{r4-r11, pc}}",
    "3:",
    "ldrd r1, r0, [sp, #16]",
    "ldrd r2, r3, [lr], #128",
    "mla r0, r2, r4, r0",
    "mla r0, r3, r5, r0",
    "ldr r2, [lr, #-120]",
    "mla r0, r2, r6, r0",
    "ldrd r2, r3, [lr, #-64]",
    "mla r0, r2, r7, r0",
    "mla r0, r3, r8, r0",
    "ldr r2, [lr, #-56]",
    "mla r0, r2, r9, r0",
    "ldrd r2, r3, [lr]",
    "mla r0, r2, r10, r0",
    "mla r0, r3, r11, r0",
    "ldr r2, [lr, #8]",
    "mla r0, r2, r1, r0",
    "ldr r12, [sp, #24]",
    "smull r2, r3, r0, r12",
    "lsls r2, r2, #1",
    "adc r0, r3, r0",
    "ldrd r2, r3, [sp, #28]",
    "adds r0, r0, r0, asr #31",
    "asrs r0, r0, r2",
    "adc r0, r0, r3",
    "ssat r0, #8, r0",
    "ldr r2, [sp]",
    "strb r0, [r2]",
    "ldrd r3, r12, [sp, #8]",
    "add r2, r2, r3",
    "str r2, [sp]",
    "cmp lr, r12",
    "bne 3b",
    "b 4b";
    row = const offset_of!(Job, row),
    span = const offset_of!(Job, span),
    zero_point = const offset_of!(Job, zero_point),
    records = const size_of::<[Record; GROUP]>()
}

/// A row to a word.
impl Depthwise for Core {
    fn place(record: &mut Record, row: usize, column: usize, weight: i8) {
        if let Some(word) = record.get_mut(3 * column + row) {
            *word = weight.into();
        }
    }

    fn padding(zero_point: i8) -> i32 {
        zero_point.into()
    }
}
