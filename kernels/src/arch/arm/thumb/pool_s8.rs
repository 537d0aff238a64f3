//! Pooling on Cortex-M3.
use crate::arch::arm::pool_s8::maxima_one_by_one;

// thumbnet_max_pool(input, output, channels, window).
//
// Eight channels at a time are in r4 and r5, their highest bits turned, so that they have no sign. Of a new word t and
// the maximum a, the highest bit of each byte of (t + 255 - a) / 2 says whether t is larger:
//
//     (t & !a) + ((!(t ^ a) >> 1) & 0x7f7f7f7f)      the halves of what both have, and of what one has
//
// As a mask of all bits it takes a ^ t to a: 23 instructions for eight values. The last channels are done with some
// before them, where these are eight.
macro_rules! larger {
    ($offset:literal, $largest:literal) => {
        concat!(
            "ldr r6, [r9, #",
            $offset,
            "]\n",
            "eor r6, r6, #0x80808080\n",
            "eor r7, r6, ",
            $largest,
            "\n",
            "bic r8, r10, r7, lsr #1\n",
            "bic r6, r6, ",
            $largest,
            "\n",
            "add r8, r8, r6\n",
            "and r8, r11, r8, lsr #7\n",
            "rsb r8, r8, r8, lsl #8\n",
            "and r7, r7, r8\n",
            "eor ",
            $largest,
            ", ",
            $largest,
            ", r7",
        )
    };
}
thumb_function! {
    "thumbnet_max_pool":
    "push {{r4-r11, lr}}",
    "sub sp, #16",
    // The frame: 0 input, 4 output, 8 channels to go, 12 rows.
    "ldm r3, {{r4-r7}}",
    "cmp r2, #8",
    "blt 5f",
    "stm sp, {{r0, r1, r2, r4}}",
    "mov r12, r5",
    "mov r2, r6",
    "mov lr, r7",
    "mov r10, #0x7f7f7f7f",
    "mov r11, #0x01010101",
    "1:",
    // The first value is the largest so far.
    "ldr r3, [sp, #12]",
    "mov r1, r12",
    "add r9, r0, r1",
    "ldr r4, [r9]",
    "ldr r5, [r9, #4]",
    "eor r4, r4, #0x80808080",
    "eor r5, r5, #0x80808080",
    "b 9f",
    "2:",
    "mov r1, r12",
    "3:",
    "add r9, r0, r1",
    larger!("0", "r4"),
    larger!("4", "r5"),
    "9:",
    "subs r1, r1, r2",
    "bpl 3b",
    "add r0, r0, lr",
    "subs r3, #1",
    "bne 2b",
    "eor r4, r4, #0x80808080",
    "eor r5, r5, #0x80808080",
    "ldm sp, {{r0, r1, r6}}",
    "str r4, [r1], #4",
    "str r5, [r1], #4",
    "adds r0, #8",
    "subs r6, #8",
    "beq 4f",
    "cmp r6, #8",
    "bge 8f",
    "subs r6, #8",
    "add r0, r0, r6",
    "add r1, r1, r6",
    "movs r6, #8",
    "8:",
    "stm sp, {{r0, r1, r6}}",
    "b 1b",
    "4:",
    "add sp, #16",
    "pop {{r4-r11, pc}}",
    // Less than eight channels.
    "5:",
    maxima_one_by_one!(),
    "add sp, #16",
    "pop {{r4-r11, pc}}"
}

// thumbnet_average_pool(input, output, channels, window): at least four channels. Sums are in r8 to r11; the last
// channels are done with some before them.
thumb_function! {
    "thumbnet_average_pool":
    "push {{r4-r11, lr}}",
    "sub sp, #20",
    // The frame: 0 input, 4 output, 8 channels to go, 12 count, 16 rows.
    "ldm r3, {{r4-r7, r12}}",
    "strd r0, r1, [sp]",
    "strd r2, r12, [sp, #8]",
    "str r4, [sp, #16]",
    "1:",
    "ldr r2, [sp, #16]",
    "mov r8, #0",
    "mov r9, #0",
    "mov r10, #0",
    "mov r11, #0",
    "2:",
    "mov r1, r5",
    "3:",
    "add lr, r0, r1",
    "ldrsb r3, [lr]",
    "ldrsb r4, [lr, #1]",
    "add r8, r8, r3",
    "add r9, r9, r4",
    "ldrsb r3, [lr, #2]",
    "ldrsb r4, [lr, #3]",
    "add r10, r10, r3",
    "add r11, r11, r4",
    "subs r1, r1, r6",
    "bpl 3b",
    "add r0, r0, r7",
    "subs r2, #1",
    "bne 2b",
    "ldrd r0, r1, [sp]",
    "ldrd r2, r3, [sp, #8]",
    "lsrs r4, r3, #1",
    mean!("r8", "r4"),
    mean!("r9", "r4"),
    mean!("r10", "r4"),
    mean!("r11", "r4"),
    "adds r0, #4",
    "subs r2, #4",
    "beq 4f",
    "cmp r2, #4",
    "bge 5f",
    "subs r2, #4",
    "add r0, r0, r2",
    "add r1, r1, r2",
    "movs r2, #4",
    "5:",
    "strd r0, r1, [sp]",
    "str r2, [sp, #8]",
    "b 1b",
    "4:",
    "add sp, #20",
    "pop {{r4-r11, pc}}"
}

// thumbnet_window_sums(input, sums, window): of four channels, 11 instructions for four values.
thumb_function! {
    "thumbnet_window_sums":
    "push {{r4-r11, lr}}",
    "ldm r2, {{r4-r7}}",
    "ldm r1, {{r8-r11}}",
    "1:",
    "mov r12, r5",
    "2:",
    "add lr, r0, r12",
    "ldrsb r2, [lr]",
    "ldrsb r3, [lr, #1]",
    "add r8, r8, r2",
    "add r9, r9, r3",
    "ldrsb r2, [lr, #2]",
    "ldrsb r3, [lr, #3]",
    "add r10, r10, r2",
    "add r11, r11, r3",
    "subs r12, r12, r6",
    "bpl 2b",
    "add r0, r0, r7",
    "subs r4, r4, #1",
    "bne 1b",
    "stm r1, {{r8-r11}}",
    "pop {{r4-r11, pc}}"
}
