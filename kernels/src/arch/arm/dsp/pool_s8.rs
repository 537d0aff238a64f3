//! Pooling on cores with the DSP extension: four channels of int8 in a word.

// thumbnet_max_pool(input, output, channels, window).
//
// SSUB8 says of each byte whether it is at least that of the maximum in r8, and SEL takes it: 5 instructions for four
// values. The last channels are done with some before them, where these are four.
crate::arch::arm::thumb_function! {
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
    "mvn r8, #127",
    "mov r9, r0",
    "mov r10, r4",
    "6:",
    "mov r11, r5",
    "7:",
    "ldrsb r12, [r9, r11]",
    "cmp r12, r8",
    "it gt",
    "movgt r8, r12",
    "subs r11, r11, r6",
    "bpl 7b",
    "add r9, r9, r7",
    "subs r10, r10, #1",
    "bne 6b",
    "strb r8, [r1], #1",
    "adds r0, #1",
    "subs r2, #1",
    "bne 5b",
    "pop {{r4-r11, pc}}"
}

// thumbnet_window_sums(input, sums, window): of four channels, at most 255 values each. Sums of 16 bits of the channels 0
// and 2 are in r3, of 1 and 3 in r12: 5 instructions for four values.
crate::arch::arm::thumb_function! {
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
