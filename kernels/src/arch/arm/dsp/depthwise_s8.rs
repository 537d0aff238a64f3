//! Depthwise convolution on cores with the DSP extension: columns of int16, two rows a multiplication.
use super::Core;
use crate::arch::arm::depthwise_s8::{Depthwise, GROUP, Job, Record};
use core::mem::offset_of;

// thumbnet_depthwise_widen(strip, above, below, count, step above, step below).
//
// A column of four channels is eight words: of each channel its rows 0 and 1, then its rows 2 and 3. r4, r6, r8 and r10
// are the lower two of before, which move up, r5, r7, r9 and r11 the new ones: 17 instructions for eight inputs.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_widen":
    "push {{r4-r11, lr}}",
    "ldrd r12, lr, [sp, #36]",
    "1:",
    "ldr r5, [r1]",
    "ldr r7, [r2]",
    "add r1, r1, r12",
    "add r2, r2, lr",
    "pkhbt r4, r5, r7, lsl #16",
    "pkhtb r6, r7, r5, asr #16",
    "sxtb16 r5, r4",
    "sxtb16 r7, r4, ror #8",
    "sxtb16 r9, r6",
    "sxtb16 r11, r6, ror #8",
    "ldr r4, [r0, #4]",
    "ldr r6, [r0, #12]",
    "ldr r8, [r0, #20]",
    "ldr r10, [r0, #28]",
    "stm r0!, {{r4-r11}}",
    "subs r3, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}"
}

// thumbnet_depthwise_outputs(records, strip, output, job): a row of four channels, or two rows.
//
// Of a column of the window with the weights u, v, w and the strip's rows a, b, c, d, the upper output gets
// a u + b v + c w and the lower one b u + c v + d w. The words (a, b) and (c, d) are in r2 and r3, (u, v) and (v, w) of
// the three columns in r4 to r9, the bias in r10, so that four multiplications make six products; sums are in r0 and
// r1. With the doubled multiplier m - 2^32 in r11, SMMLAR gives round(sum * m / 2^32), which is what doubling, rounding
// and taking the high word is. Halves of the right shift go away from zero: one less where it is negative (which
// carries), then halves up, by the shift's carry; a shift by none keeps the first carry, which adds the one again.
//
// Of stride 1 33 instructions make two outputs, of stride 2 20 make one: 1.8 and 2.2 a multiply-accumulate.
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_outputs":
    "push {{r4-r11, lr}}",
    "sub sp, #44",
    // The frame: 0 row, 4 step, 8 end of the strip, 12 shift, 16 zero point, 20 record, 24 strip, 28 output, 32 span,
    // 36 whether it is strided, 40 end of the records.
    "ldrd r4, r5, [r3, #{row}]",
    "strd r4, r5, [sp]",
    "ldrd r4, r5, [r3, #{span}]",
    "strd r4, r5, [sp, #32]",
    "ldr r4, [r3, #{zero_point}]",
    "strd r4, r0, [sp, #16]",
    "strd r1, r2, [sp, #24]",
    "add r0, #{records}",
    "str r0, [sp, #40]",
    "2:",
    "ldr r3, [sp, #20]",
    "ldm r3!, {{r4-r11}}",
    "ldr r2, [r3], #4",
    "str r2, [sp, #12]",
    "str r3, [sp, #20]",
    "ldrd lr, r12, [sp, #24]",
    "ldrd r2, r3, [sp, #32]",
    "add r2, r2, lr",
    "str r2, [sp, #8]",
    "cmp r3, #0",
    "bne 3f",
    "1:",
    "ldrd r2, r3, [lr], #32",
    "smlad r0, r2, r4, r10",
    "smlatb r1, r2, r4, r10",
    "smlabt r0, r3, r5, r0",
    "smlad r1, r3, r5, r1",
    "ldrd r2, r3, [lr]",
    "smlad r0, r2, r6, r0",
    "smlatb r1, r2, r6, r1",
    "smlabt r0, r3, r7, r0",
    "smlad r1, r3, r7, r1",
    "ldrd r2, r3, [lr, #32]",
    "smlad r0, r2, r8, r0",
    "smlatb r1, r2, r8, r1",
    "smlabt r0, r3, r9, r0",
    "smlad r1, r3, r9, r1",
    "ldrd r2, r3, [sp, #12]",
    "smmlar r0, r0, r11, r0",
    "smmlar r1, r1, r11, r1",
    "adds r0, r0, r0, asr #31",
    "asrs r0, r0, r2",
    "adc r0, r0, r3",
    "adds r1, r1, r1, asr #31",
    "asrs r1, r1, r2",
    "adc r1, r1, r3",
    "ldrd r2, r3, [sp]",
    "ssat r0, #8, r0",
    "ssat r1, #8, r1",
    // Where there is no lower row, the upper one takes its place.
    "strb r1, [r12, r2]",
    "strb r0, [r12]",
    "add r12, r12, r3",
    "ldr r2, [sp, #8]",
    "cmp lr, r2",
    "bne 1b",
    "4:",
    // The next channel.
    "ldrd r2, r3, [sp, #24]",
    "adds r2, #8",
    "adds r3, #1",
    "strd r2, r3, [sp, #24]",
    "ldr r2, [sp, #20]",
    "ldr r3, [sp, #40]",
    "cmp r2, r3",
    "bne 2b",
    "add sp, #44",
    "pop {{r4-r11, pc}}",
    "3:",
    "ldrd r2, r3, [lr], #64",
    "smlad r0, r2, r4, r10",
    "smlabt r0, r3, r5, r0",
    "ldrd r2, r3, [lr, #-32]",
    "smlad r0, r2, r6, r0",
    "smlabt r0, r3, r7, r0",
    "ldrd r2, r3, [lr]",
    "smlad r0, r2, r8, r0",
    "smlabt r0, r3, r9, r0",
    "ldrd r2, r3, [sp, #12]",
    "smmlar r0, r0, r11, r0",
    "adds r0, r0, r0, asr #31",
    "asrs r0, r0, r2",
    "adc r0, r0, r3",
    "ldrd r2, r3, [sp, #4]",
    "ssat r0, #8, r0",
    "strb r0, [r12]",
    "add r12, r12, r2",
    "cmp lr, r3",
    "bne 3b",
    "b 4b";
    row = const offset_of!(Job, row),
    span = const offset_of!(Job, span),
    zero_point = const offset_of!(Job, zero_point),
    records = const size_of::<[Record; GROUP]>()
}

/// Two rows to a word.
impl Depthwise for Core {
    fn place(record: &mut Record, row: usize, column: usize, weight: i8) {
        // The first and the second row are one word, the second and the third one the next.
        let halves = bytemuck::cast_slice_mut::<i32, i16>(record).as_chunks_mut::<4>().0;
        let Some([u, v, again, w]) = halves.get_mut(column) else { return };
        match row {
            0 => *u = weight.into(),
            1 => [*v, *again] = [weight.into(); 2],
            _ => *w = weight.into(),
        }
    }

    fn padding(zero_point: i8) -> i32 {
        (i32::from(zero_point) & 0xffff) | (i32::from(zero_point) << 16)
    }
}
