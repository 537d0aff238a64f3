//! Pooling on cores with the DSP extension: four channels of int8 in a word.
use crate::arch::arm::pool_s8::maxima_one_by_one;

// thumbnet_max_pool(input, output, channels, window).
//
// SSUB8 says of each byte whether it is at least that of the maximum in r8, and SEL takes it: 5 instructions for four
// values. The last channels are done with some before them, where these are four.
thumb_function! {
    "thumbnet_max_pool":
    "push {{r4-r11, lr}}",
    "ldm r3, {{r4-r7}}",
    "cmp r2, #4",
    "blt 5f",
    "1:",
    "mov r8, #0x80808080",
    "mov r9, r0",
    "mov r10, r4",
    "2:",
    "mov r11, r5",
    "3:",
    "ldr r12, [r9, r11]",
    "ssub8 lr, r12, r8",
    "sel r8, r12, r8",
    "subs r11, r11, r6",
    "bpl 3b",
    "add r9, r9, r7",
    "subs r10, r10, #1",
    "bne 2b",
    "str r8, [r1], #4",
    "adds r0, #4",
    "subs r2, #4",
    "beq 4f",
    "cmp r2, #4",
    "bge 1b",
    "subs r2, #4",
    "add r0, r0, r2",
    "add r1, r1, r2",
    "movs r2, #4",
    "b 1b",
    "4:",
    "pop {{r4-r11, pc}}",
    // Less than four channels.
    "5:",
    maxima_one_by_one!(),
    "pop {{r4-r11, pc}}"
}

// thumbnet_average_pool(input, output, channels, window): at least four channels, at most 255 values of each. Sums are
// as in thumbnet_window_sums, in r11 and r12; the last channels are done as of a maximum.
thumb_function! {
    "thumbnet_average_pool":
    "push {{r4-r11, lr}}",
    "ldm r3, {{r4-r7, r8}}",
    "mov r3, r8",
    "1:",
    "mov r11, #0",
    "mov r12, #0",
    "mov r8, r0",
    "mov r9, r4",
    "2:",
    "mov r10, r5",
    "3:",
    "ldr lr, [r8, r10]",
    "sxtab16 r11, r11, lr",
    "sxtab16 r12, r12, lr, ror #8",
    "subs r10, r10, r6",
    "bpl 3b",
    "add r8, r8, r7",
    "subs r9, r9, #1",
    "bne 2b",
    "lsr r8, r3, #1",
    "sxth r9, r11",
    "sxth r10, r12",
    "asr r11, r11, #16",
    "asr r12, r12, #16",
    mean!("r9", "r8"),
    mean!("r10", "r8"),
    mean!("r11", "r8"),
    mean!("r12", "r8"),
    "adds r0, #4",
    "subs r2, #4",
    "beq 4f",
    "cmp r2, #4",
    "bge 1b",
    "subs r2, #4",
    "add r0, r0, r2",
    "add r1, r1, r2",
    "movs r2, #4",
    "b 1b",
    "4:",
    "pop {{r4-r11, pc}}"
}

// thumbnet_window_sums(input, sums, window): of four channels, at most 255 values each. Sums of 16 bits of the channels
// 0 and 2 are in r3, of 1 and 3 in r12: 5 instructions for four values.
thumb_function! {
    "thumbnet_window_sums":
    "push {{r4-r8, lr}}",
    "ldm r2, {{r4-r7}}",
    "movs r3, #0",
    "mov r12, #0",
    "1:",
    "mov r8, r5",
    "2:",
    "ldr lr, [r0, r8]",
    "sxtab16 r3, r3, lr",
    "sxtab16 r12, r12, lr, ror #8",
    "subs r8, r8, r6",
    "bpl 2b",
    "add r0, r0, r7",
    "subs r4, r4, #1",
    "bne 1b",
    "ldm r1, {{r4-r7}}",
    "sxtah r4, r4, r3",
    "sxtah r5, r5, r12",
    "add r6, r6, r3, asr #16",
    "add r7, r7, r12, asr #16",
    "stm r1, {{r4-r7}}",
    "pop {{r4-r8, pc}}"
}
