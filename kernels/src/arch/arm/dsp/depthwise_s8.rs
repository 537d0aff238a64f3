//! Depthwise convolution on cores with the DSP extension: columns of int16, two rows a multiplication.
use super::Core;
use crate::arch::arm::depthwise_s8::{Depthwise, GROUP, Record};

// thumbnet_depthwise(channels, records, strip, ..): four channels of a stretch.
//
// A column of four channels is eight words in the strip: of each channel its rows 0 and 1, then its rows 2 and 3. Two
// rows more are widened by 17 instructions for eight inputs: r4, r6, r8 and r10 are the lower two of before, which move
// up, r5, r7, r9 and r11 the new ones.
//
// Of a column of the window with the weights u, v, w and the strip's rows a, b, c, d, the upper output gets
// a u + b v + c w and the lower one b u + c v + d w. The words (a, b) and (c, d) are in r2 and r3, (u, v) and (v, w) of
// the three columns in r4 to r9, the bias in r10, so that four multiplications make six products; sums are in r0 and
// r1. r11 is the doubled multiplier: see `scale`. Halves of the right shift go away from zero: one less where it is
// negative (which carries), then halves up, by the shift's carry; a shift by none keeps the first carry, which adds the
// one again. The shift is the lowest byte of a word, the zero point the rest.
//
// Of stride 1 32 instructions make two outputs, of stride 2 19 make one: 1.8 and 2.1 a multiply-accumulate.
thumb_function! {
    "thumbnet_depthwise":
    "push {{r4-r11, lr}}",
    "sub sp, #44",
    // The frame: 0 shift and zero point, 4 row, 8 step, 12 end of the strip, 16 record, 20 strip, 24 output, 28
    // records, 32 strip, 36 its inner columns, 40 where to return to; the other arguments: 80 how many columns are
    // inner, 84 input, 88 line, 92 next row, 96 height, 100 output, 104 width, 108 rows to go, 112 span, 116 whether it
    // is strided, 120 zeros.
    "str r0, [sp, #8]",
    "strd r1, r2, [sp, #28]",
    "str r3, [sp, #36]",
    "bl 8f",
    // The next row, or two.
    "2:",
    "bl 8f",
    "ldrd r2, r3, [sp, #104]",
    // Where there is no lower row, the upper one takes its place.
    "cmp r3, #1",
    "it eq",
    "moveq r2, #0",
    "str r2, [sp, #4]",
    "ldrd r2, r3, [sp, #28]",
    "ldr r4, [sp, #100]",
    "strd r2, r3, [sp, #16]",
    "str r4, [sp, #24]",
    // The next channel.
    "3:",
    "ldr r3, [sp, #16]",
    "ldm r3!, {{r4-r11}}",
    "ldr r2, [r3], #4",
    "str r2, [sp]",
    "str r3, [sp, #16]",
    "ldrd lr, r12, [sp, #20]",
    "ldrd r2, r3, [sp, #112]",
    "add r2, r2, lr",
    "str r2, [sp, #12]",
    "cmp r3, #0",
    "bne 5f",
    "4:",
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
    "ldrd r2, r3, [sp]",
    scale!("r0", "r11", "r2", "r3"),
    scale!("r1", "r11", "r2", "r3"),
    "adds r0, r0, r0, asr #31",
    "asrs r0, r0, r2",
    "adc r0, r0, r2, asr #8",
    "adds r1, r1, r1, asr #31",
    "asrs r1, r1, r2",
    "adc r1, r1, r2, asr #8",
    "ssat r0, #8, r0",
    "ssat r1, #8, r1",
    "strb r1, [r12, r3]",
    "strb r0, [r12]",
    "ldrd r2, r3, [sp, #8]",
    "add r12, r12, r2",
    "cmp lr, r3",
    "bne 4b",
    "6:",
    "ldrd r2, r3, [sp, #20]",
    "adds r2, #8",
    "adds r3, #1",
    "strd r2, r3, [sp, #20]",
    "ldr r2, [sp, #16]",
    "ldr r3, [sp, #28]",
    "adds r3, #{records}",
    "cmp r2, r3",
    "bne 3b",
    "ldrd r2, r3, [sp, #100]",
    "ldr r4, [sp, #108]",
    "ldr r5, [sp, #116]",
    "add r2, r2, r3",
    "subs r4, #1",
    "cmp r5, #0",
    "itt eq",
    "addeq r2, r2, r3",
    "subeq r4, #1",
    "str r2, [sp, #100]",
    "str r4, [sp, #108]",
    "cmp r4, #0",
    "bgt.w 2b",
    "add sp, #44",
    "pop {{r4-r11, pc}}",
    "5:",
    "ldrd r2, r3, [lr], #64",
    "smlad r0, r2, r4, r10",
    "smlabt r0, r3, r5, r0",
    "ldrd r2, r3, [lr, #-32]",
    "smlad r0, r2, r6, r0",
    "smlabt r0, r3, r7, r0",
    "ldrd r2, r3, [lr]",
    "smlad r0, r2, r8, r0",
    "smlabt r0, r3, r9, r0",
    "ldr r1, [sp]",
    "ldrd r2, r3, [sp, #8]",
    scale!("r0", "r11", "r2", "r3"),
    "adds r0, r0, r0, asr #31",
    "asrs r0, r0, r1",
    "adc r0, r0, r1, asr #8",
    "ssat r0, #8, r0",
    "strb r0, [r12]",
    "add r12, r12, r2",
    "cmp lr, r3",
    "bne 5b",
    "b 6b",
    // Widens the next two rows. Those that are not in the input are a word of zeros again and again.
    "8:",
    "str lr, [sp, #40]",
    "ldr r0, [sp, #36]",
    "ldr r3, [sp, #80]",
    "ldrd r4, r5, [sp, #84]",
    "ldrd r6, r7, [sp, #92]",
    "ldr r12, [sp, #8]",
    "mov lr, r12",
    "adds r6, #2",
    "str r6, [sp, #92]",
    "subs r6, #1",
    "mla r2, r6, r5, r4",
    "cmp r6, r7",
    "itt hs",
    "addhs r2, sp, #120",
    "movhs lr, #0",
    "subs r6, #1",
    "mla r1, r6, r5, r4",
    "cmp r6, r7",
    "itt hs",
    "addhs r1, sp, #120",
    "movhs r12, #0",
    "9:",
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
    "bne 9b",
    "ldr pc, [sp, #40]";
    records = const size_of::<[Record; GROUP]>()
}

/// Two rows to a word.
impl Depthwise for Core {
    fn place(record: &mut Record, column: usize, [u, v, w]: [i8; 3]) {
        let [u, v, w]: [i32; 3] = [u.into(), v.into(), w.into()];
        if let Some(words) = record.as_chunks_mut().0.get_mut(column) {
            *words = [(u & 0xffff) | (v << 16), (v & 0xffff) | (w << 16)];
        }
    }

    fn padding(zero_point: i8) -> i32 {
        (i32::from(zero_point) & 0xffff) | (i32::from(zero_point) << 16)
    }
}
