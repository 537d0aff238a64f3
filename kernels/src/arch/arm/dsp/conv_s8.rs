//! Convolution on cores with the DSP extension: columns of int16, two positions a multiplication.
use super::Core;
use crate::arch::arm::conv_s8::Column;
use crate::arch::arm::tile::conv_tile;

conv_tile!(
    load: "ldr", bytes: "4", low: "sxtb16", multiply: "smlad",
    odd: "
        ldr r2, [r12, #36]
        cbz r2, 9f
        ldrsh r12, [r1], #2
        ldm r0!, {{r2, r3}}
        sxtb lr, r12
        smlabb r4, r12, r2, r4
        smlabb r8, lr, r2, r8
        smlabb r5, r12, r3, r5
        smlabb r9, lr, r3, r9
        ldm r0!, {{r2, r3}}
        smlabb r6, r12, r2, r6
        smlabb r10, lr, r2, r10
        smlabb r7, r12, r3, r7
        smlabb r11, lr, r3, r11
        ldr r12, [sp, #4]
    9:",
    clamp: "
        ssat r8, #16, r8
        ssat r4, #16, r4
        pkhbt r8, r8, r4, lsl #16
        ssub16 r10, r8, r6
        sel r8, r8, r6
        ssub16 r10, r8, r7
        sel r8, r7, r8
        sadd16 r8, r8, r9
        strb r8, [r5], #1
        lsr r8, r8, #16
        strb r8, [r5], #1"
);

// thumbnet_gather(column, starts, strip, run, rows, stride in bytes): of four pixels, rows of int16 to every fourth word.
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
    "add lr, r2, lr, lsl #1",
    // A row that starts in the lower half of a word.
    "1:",
    "mov r5, lr",
    "mov r6, r3",
    "b 3f",
    // One that starts in the upper half: r12 holds the lower one.
    "2:",
    "mov r5, lr",
    "ldrh r6, [r5], #2",
    "orr r12, r12, r6, lsl #16",
    "str r12, [r0], #16",
    "subs r6, r3, #1",
    "3:",
    "subs r6, #4",
    "blt 5f",
    "4:",
    "ldr r12, [r5], #4",
    "ldr r11, [r5], #4",
    "str r12, [r0], #16",
    "str r11, [r0], #16",
    "subs r6, #4",
    "bge 4b",
    // Of what is left, bit 1 to the carry, bit 0 to the sign.
    "5:",
    "lsls r6, r6, #31",
    "bcc 6f",
    "ldr r12, [r5], #4",
    "str r12, [r0], #16",
    "6:",
    "add lr, lr, r4",
    "bmi 7f",
    "subs r10, #1",
    "bne 1b",
    "b 9f",
    "7:",
    "ldrh r12, [r5]",
    "subs r10, #1",
    "bne 2b",
    "str r12, [r0]",
    "9:",
    "ldr r0, [sp]",
    "subs r9, #1",
    "add r0, r0, #4",
    "bne 8b",
    "pop {{r3-r11, pc}}",
    ".size thumbnet_gather, . - thumbnet_gather",
);

// thumbnet_copy(column, values, count, odd): int8 to every fourth word, from an upper half on if odd.
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
    "cbz r3, 1f",
    "ldrsb r3, [r1], #1",
    "strh r3, [r0], #14",
    "subs r2, #1",
    "1:",
    "push {{r4, lr}}",
    "subs r2, #8",
    "blt 3f",
    "2:",
    "ldr r3, [r1], #4",
    "ldr r4, [r1], #4",
    "sxtb16 r12, r3",
    "sxtb16 r3, r3, ror #8",
    "pkhbt lr, r12, r3, lsl #16",
    "pkhtb r3, r3, r12, asr #16",
    "str lr, [r0], #16",
    "str r3, [r0], #16",
    "sxtb16 r12, r4",
    "sxtb16 r4, r4, ror #8",
    "pkhbt lr, r12, r4, lsl #16",
    "pkhtb r4, r4, r12, asr #16",
    "str lr, [r0], #16",
    "str r4, [r0], #16",
    "subs r2, #8",
    "bge 2b",
    "3:",
    "adds r2, #6",
    "blt 5f",
    "4:",
    "ldrsb r3, [r1], #1",
    "ldrsb r12, [r1], #1",
    "pkhbt r3, r3, r12, lsl #16",
    "str r3, [r0], #16",
    "subs r2, #2",
    "bge 4b",
    "5:",
    "lsls r2, r2, #31",
    "itt mi",
    "ldrsbmi r3, [r1]",
    "strhmi r3, [r0]",
    "pop {{r4, pc}}",
    ".size thumbnet_copy, . - thumbnet_copy",
);

unsafe extern "C" {
    fn thumbnet_copy(column: *mut i16, values: *const i8, count: usize, odd: usize);
    fn thumbnet_gather(
        column: *mut i32,
        starts: &[usize; 4],
        strip: *const i16,
        run: usize,
        rows: usize,
        stride: usize,
    );
}

/// Two positions of one pixel to a word, the words of four pixels side by side.
impl Column for Core {
    const POSITIONS: usize = 200;
    const WORDS_FOR_TWO: usize = 4;
    const STEP: usize = 2;
    type Wide = i16;

    fn bound(value: i32) -> i32 {
        (value & 0xffff) | (value << 16)
    }

    fn widen(value: i8) -> i16 {
        value.into()
    }

    fn copy(column: &mut [i32], start: usize, pixel: usize, values: &[i8]) {
        if values.is_empty() {
            return;
        }
        let last = start + values.len() - 1;
        let halves: &mut [i16] = bytemuck::cast_slice_mut(column);
        let halves = &mut halves[half(start, pixel)..=half(last, pixel)];
        // SAFETY: the function reads the values and writes one half for each of them, of which the first and the last lie
        // inside.
        unsafe { thumbnet_copy(halves.as_mut_ptr(), values.as_ptr(), values.len(), start % 2) }
    }

    fn fill(column: &mut [i32], start: usize, pixel: usize, value: i8, count: usize) {
        if count == 0 {
            return;
        }
        // Whole words: a half too many is written again by what follows, or behind the last position.
        let pair = (i32::from(value) & 0xffff) | (i32::from(value) << 16);
        let mut words = column[start / 2 * 4 + pixel..].iter_mut().step_by(4);
        if start % 2 == 1
            && let Some(word) = words.next()
        {
            *word = (*word & 0xffff) | (pair << 16);
        }
        for word in words.take((count + 1 - start % 2) / 2) {
            *word = pair;
        }
    }

    fn gather(column: &mut [i32], strip: &[i16], starts: [usize; 4], run: usize, rows: usize, stride: usize) {
        let extent = (rows - 1) * stride + run;
        assert!(run > 0 && rows > 0 && starts.iter().all(|start| start + extent <= strip.len()));
        assert!((rows * run).div_ceil(2) * 4 <= column.len());
        // SAFETY: from each start on the function reads `rows` runs of the strip, and writes all of the column's words that
        // they make; both lie inside.
        unsafe {
            thumbnet_gather(column.as_mut_ptr(), &starts, strip.as_ptr(), run, rows, stride * size_of::<i16>());
        }
    }
}

/// The half word of a position.
const fn half(position: usize, pixel: usize) -> usize {
    (position / 2 * 4 + pixel) * 2 + position % 2
}
