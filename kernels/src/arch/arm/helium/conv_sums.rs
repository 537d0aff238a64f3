//! The inner loops of convolutions on cores with Helium: sums of products of filters and windows.
//!
//! `vmladav` adds sixteen products to one register, which must be of even number. What a product costs beside it is
//! loads, so these are shared: windows of up to 48 positions stay in registers while filters pass by, and of longer
//! ones two are multiplied by three filters at a time.
//!
//! Sums lie as `sums[filter][pixel]`, with as many pixels side by side as a call takes. Biases are added when they are
//! requantised: `vmladav` without an `a` needs no register prepared.
use super::run::Run;

// thumbnet_conv_four(run, windows, offsets, sums): the sums of four windows of up to 16 positions. Position k of a
// window is at its start plus offsets[k], or plus k if there are no offsets.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_four":
    "push {{r4-r10, lr}}",
    "vpush {{d8-d9}}",
    "ldr r5, [r0, #{weights}]",
    "ldrd r10, lr, [r0, #{len}]",
    "mov r9, r3",
    "ldm r1, {{r6-r8, r12}}",
    "vctp.8 r10",
    "cbz r2, 1f",
    "vpstttt",
    "vldrbt.u8 q4, [r2]",
    "vldrbt.u8 q0, [r6, q4]",
    "vldrbt.u8 q1, [r7, q4]",
    "vldrbt.u8 q2, [r8, q4]",
    "vpst",
    "vldrbt.u8 q3, [r12, q4]",
    "b 2f",
    "1:",
    "vpstttt",
    "vldrbt.u8 q0, [r6]",
    "vldrbt.u8 q1, [r7]",
    "vldrbt.u8 q2, [r8]",
    "vldrbt.u8 q3, [r12]",
    "2:",
    "dls lr, lr",
    // One filter: 9 instructions for 64 products.
    "3:",
    "vpst",
    "vldrbt.u8 q4, [r5]",
    "vmladav.s8 r0, q4, q0",
    "add r5, r5, r10",
    "vmladav.s8 r2, q4, q1",
    "vmladav.s8 r4, q4, q2",
    "vmladav.s8 r6, q4, q3",
    "stm r9!, {{r0, r2, r4, r6}}",
    "le lr, 3b",
    "vpop {{d8-d9}}",
    "pop {{r4-r10, pc}}";
    weights = const Run::WEIGHTS,
    len = const Run::LEN
}

// thumbnet_conv_two(run, windows, offsets, sums): as thumbnet_conv_four, two windows of 17 to 48 positions. The last
// register of a window ends where the window does, without the positions that the one before has: so nothing beyond a
// row of weights is read, and no load in the loop needs a predicate.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_two":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d15}}",
    "ldr r5, [r0, #{weights}]",
    "ldrd r10, lr, [r0, #{len}]",
    "mov r9, r3",
    "ldrd r6, r7, [r1]",
    // Positions that the last two registers share, and where the last one starts.
    "rsb r4, r10, #0",
    "and r4, r4, #15",
    "sub r8, r10, #16",
    "add r11, r2, r8",
    "dls lr, lr",
    "cmp r10, #32",
    "bgt 3f",
    "cbz r2, 1f",
    "vldrb.u8 q4, [r2]",
    "vldrb.u8 q5, [r11]",
    "vldrb.u8 q0, [r6, q4]",
    "vldrb.u8 q2, [r7, q4]",
    "vctp.8 r4",
    "vpnot",
    "vpstt",
    "vldrbt.u8 q1, [r6, q5]",
    "vldrbt.u8 q3, [r7, q5]",
    "b 2f",
    "1:",
    "vldrb.u8 q0, [r6]",
    "vldrb.u8 q2, [r7]",
    "add r6, r6, r8",
    "add r7, r7, r8",
    "vctp.8 r4",
    "vpnot",
    "vpstt",
    "vldrbt.u8 q1, [r6]",
    "vldrbt.u8 q3, [r7]",
    // One filter of two registers: 9 instructions for 64 products.
    "2:",
    "vldrb.u8 q4, [r5]",
    "vmladav.s8 r0, q4, q0",
    "add r5, r5, r10",
    "vmladav.s8 r2, q4, q2",
    "vldrb.u8 q5, [r5, #-16]",
    "vmladava.s8 r0, q5, q1",
    "vmladava.s8 r2, q5, q3",
    "strd r0, r2, [r9], #8",
    "le lr, 2b",
    "b 6f",
    "3:",
    "cbz r2, 4f",
    "vldrb.u8 q6, [r2]",
    "vldrb.u8 q7, [r2, #16]",
    "vldrb.u8 q0, [r6, q6]",
    "vldrb.u8 q3, [r7, q6]",
    "vldrb.u8 q6, [r11]",
    "vldrb.u8 q1, [r6, q7]",
    "vldrb.u8 q4, [r7, q7]",
    "vctp.8 r4",
    "vpnot",
    "vpstt",
    "vldrbt.u8 q2, [r6, q6]",
    "vldrbt.u8 q5, [r7, q6]",
    "b 5f",
    "4:",
    "vldrb.u8 q0, [r6]",
    "vldrb.u8 q1, [r6, #16]",
    "vldrb.u8 q3, [r7]",
    "vldrb.u8 q4, [r7, #16]",
    "add r6, r6, r8",
    "add r7, r7, r8",
    "vctp.8 r4",
    "vpnot",
    "vpstt",
    "vldrbt.u8 q2, [r6]",
    "vldrbt.u8 q5, [r7]",
    // One filter of three registers: 12 instructions for 96 products.
    "5:",
    "vldrb.u8 q6, [r5]",
    "vmladav.s8 r0, q6, q0",
    "vldrb.u8 q7, [r5, #16]",
    "vmladav.s8 r2, q6, q3",
    "add r5, r5, r10",
    "vmladava.s8 r0, q7, q1",
    "vldrb.u8 q6, [r5, #-16]",
    "vmladava.s8 r2, q7, q4",
    "vmladava.s8 r0, q6, q2",
    "vmladava.s8 r2, q6, q5",
    "strd r0, r2, [r9], #8",
    "le lr, 5b",
    "6:",
    "vpop {{d8-d15}}",
    "pop {{r4-r11, pc}}";
    weights = const Run::WEIGHTS,
    len = const Run::LEN
}

// thumbnet_conv_64(run, windows, offsets, sums): as thumbnet_conv_sums, of 64 positions: a pointwise convolution's of
// so many channels, of which small networks are made. No pointer moves within three filters, which take 48 instructions
// for 384 products.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_64":
    "push {{r4-r11, lr}}",
    "ldr r5, [r0, #{weights}]",
    "ldr r12, [r0, #{count}]",
    "ldrd r1, r7, [r1]",
    "mov r9, r3",
    "movs r0, #3",
    "udiv lr, r12, r0",
    "mls r12, lr, r0, r12",
    "add r3, r5, #128",
    "wls lr, lr, 2f",
    "1:",
    "vldrb.u8 q0, [r1]",
    "vldrb.u8 q2, [r5]",
    "vmladav.s8 r0, q2, q0",
    "vldrb.u8 q1, [r7]",
    "vmladav.s8 r2, q2, q1",
    "vldrb.u8 q3, [r5, #64]",
    "vmladav.s8 r4, q3, q0",
    "vldrb.u8 q2, [r3]",
    "vmladav.s8 r6, q3, q1",
    "vmladav.s8 r8, q2, q0",
    "vmladav.s8 r10, q2, q1",
    ".irp at, 16, 32, 48",
    "vldrb.u8 q0, [r1, #\\at]",
    "vldrb.u8 q2, [r5, #\\at]",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r7, #\\at]",
    "vmladava.s8 r2, q2, q1",
    "vldrb.u8 q3, [r5, #64 + \\at]",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q2, [r3, #\\at]",
    "vmladava.s8 r6, q3, q1",
    "vmladava.s8 r8, q2, q0",
    "vmladava.s8 r10, q2, q1",
    ".endr",
    "add r5, r5, #192",
    "add r3, r3, #192",
    "stm r9!, {{r0, r2, r4, r6, r8, r10}}",
    "le lr, 1b",
    // One filter, up to two times.
    "2:",
    "wls lr, r12, 4f",
    "3:",
    "movs r0, #0",
    "movs r2, #0",
    ".irp at, 0, 16, 32, 48",
    "vldrb.u8 q0, [r1, #\\at]",
    "vldrb.u8 q2, [r5, #\\at]",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r7, #\\at]",
    "vmladava.s8 r2, q2, q1",
    ".endr",
    "add r5, r5, #64",
    "strd r0, r2, [r9], #8",
    "le lr, 3b",
    "4:",
    "pop {{r4-r11, pc}}";
    weights = const Run::WEIGHTS,
    count = const Run::COUNT
}

/// Adds the products of 16 positions of three filters and two windows: the windows' from byte `$at` on.
macro_rules! three_filters {
    ($multiply:literal, $at:literal) => {
        concat!(
            concat!("vldrb.u8 q0, [r1, #", $at, "]\n"),
            concat!("vldrb.u8 q2, [r5], #16\n", $multiply, " r0, q2, q0\n"),
            concat!("vldrb.u8 q1, [r3, #", $at, "]\n", $multiply, " r2, q2, q1\n"),
            concat!("vldrb.u8 q3, [r7], #16\n", $multiply, " r4, q3, q0\n"),
            concat!("vldrb.u8 q2, [r9], #16\n", $multiply, " r6, q3, q1\n"),
            concat!($multiply, " r8, q2, q0\n", $multiply, " r10, q2, q1\n")
        )
    };
}

/// The same of one filter, of a row of three times so many positions.
macro_rules! one_filter {
    () => {
        ".irp at, 0, 16, 32
        vldrb.u8 q0, [r1, #\\at]
        vldrb.u8 q2, [r5], #16
        vmladava.s8 r0, q2, q0
        vldrb.u8 q1, [r3, #\\at]
        vmladava.s8 r2, q2, q1
        .endr"
    };
}

// thumbnet_conv_rows(run, windows, offsets, sums): as thumbnet_conv_sums, of three rows of 48 bytes, which lie a stride
// apart: those of a 3 x 3 convolution of 16 channels, without a copy of its windows. Three filters take 109
// instructions for 864 products.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_rows":
    "push {{r4-r11, lr}}",
    "ldrd r6, r7, [r1]",
    "strd r6, r7, [sp, #-8]!",
    "ldr r5, [r0, #{weights}]",
    "ldr r6, [r0, #{count}]",
    "ldr r12, [r0, #{stride}]",
    "mov r11, r3",
    "movs r0, #3",
    "udiv lr, r6, r0",
    "mls r6, lr, r0, r6",
    "push {{r6, r7}}",
    "add r7, r5, #144",
    "add r9, r5, #288",
    "wls lr, lr, 2f",
    "1:",
    "ldrd r1, r3, [sp, #8]",
    three_filters!("vmladav.s8", "0"),
    three_filters!("vmladava.s8", "16"),
    three_filters!("vmladava.s8", "32"),
    ".rept 2",
    "add r1, r1, r12",
    "add r3, r3, r12",
    three_filters!("vmladava.s8", "0"),
    three_filters!("vmladava.s8", "16"),
    three_filters!("vmladava.s8", "32"),
    ".endr",
    "mov r5, r9",
    "add r7, r9, #144",
    "add r9, r9, #288",
    "stm r11!, {{r0, r2, r4, r6, r8, r10}}",
    "le lr, 1b",
    // One filter, up to two times.
    "2:",
    "pop {{r6, r7}}",
    "wls lr, r6, 4f",
    "3:",
    "ldrd r1, r3, [sp]",
    "movs r0, #0",
    "movs r2, #0",
    one_filter!(),
    ".rept 2",
    "add r1, r1, r12",
    "add r3, r3, r12",
    one_filter!(),
    ".endr",
    "strd r0, r2, [r11], #8",
    "le lr, 3b",
    "4:",
    "add sp, #8",
    "pop {{r4-r11, pc}}";
    weights = const Run::WEIGHTS,
    count = const Run::COUNT,
    stride = const Run::STRIDE
}

// thumbnet_conv_sums(run, windows, offsets, sums): two windows of more than 32 positions, each in one piece, without
// offsets. Six sums, five
// pointers and the loop counter leave two registers; five loads for six multiplications, which are 96 products.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_sums":
    "push {{r4-r11, lr}}",
    "sub sp, #28",
    // The frame: 0 rounds, 4 length of a row of weights, 8 and 12 the windows, 16 positions after the rounds, 20 the
    // last sums that start three filters, 24 where the sums end. r11 is the sums, r12 the weights.
    "mov r11, r3",
    "ldr r12, [r0, #{weights}]",
    "ldrd r4, r6, [r0, #{len}]",
    "ldrd r7, r8, [r1]",
    "strd r7, r8, [sp, #8]",
    "sub r5, r4, #16",
    "lsr r7, r5, #5",
    "and r5, r5, #31",
    "strd r7, r4, [sp]",
    "str r5, [sp, #16]",
    "add r6, r11, r6, lsl #3",
    "sub r7, r6, #24",
    "strd r7, r6, [sp, #20]",
    "cmp r11, r7",
    "bhi 6f",
    // Three filters: 16 positions, then 32 a round, then what is left.
    "2:",
    "ldrd lr, r3, [sp]",
    "mov r5, r12",
    "add r7, r12, r3",
    "add r9, r7, r3",
    "add r12, r9, r3",
    "ldrd r1, r3, [sp, #8]",
    "vldrb.u8 q0, [r1], #16",
    "vldrb.u8 q2, [r5], #16",
    "vmladav.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3], #16",
    "vmladav.s8 r2, q2, q1",
    "vldrb.u8 q3, [r7], #16",
    "vmladav.s8 r4, q3, q0",
    "vldrb.u8 q2, [r9], #16",
    "vmladav.s8 r6, q3, q1",
    "vmladav.s8 r8, q2, q0",
    "vmladav.s8 r10, q2, q1",
    "wls lr, lr, 15f",
    "16:",
    "vldrb.u8 q0, [r1, #16]",
    "vldrb.u8 q2, [r5, #16]",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3, #16]",
    "vmladava.s8 r2, q2, q1",
    "vldrb.u8 q3, [r7, #16]",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q2, [r9, #16]",
    "vmladava.s8 r6, q3, q1",
    "vmladava.s8 r8, q2, q0",
    "vmladava.s8 r10, q2, q1",
    "vldrb.u8 q0, [r1], #32",
    "vldrb.u8 q2, [r5], #32",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3], #32",
    "vmladava.s8 r2, q2, q1",
    "vldrb.u8 q3, [r7], #32",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q2, [r9], #32",
    "vmladava.s8 r6, q3, q1",
    "vmladava.s8 r8, q2, q0",
    "vmladava.s8 r10, q2, q1",
    "le lr, 16b",
    "15:",
    "ldr lr, [sp, #16]",
    "wlstp.8 lr, lr, 8f",
    "5:",
    "vldrb.u8 q0, [r1], #16",
    "vldrb.u8 q2, [r5], #16",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3], #16",
    "vmladava.s8 r2, q2, q1",
    "vldrb.u8 q3, [r7], #16",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q2, [r9], #16",
    "vmladava.s8 r6, q3, q1",
    "vmladava.s8 r8, q2, q0",
    "vmladava.s8 r10, q2, q1",
    "letp lr, 5b",
    "8:",
    "ldr r1, [sp, #20]",
    "stm r11!, {{r0, r2, r4, r6, r8, r10}}",
    "cmp r11, r1",
    "bls.w 2b",
    // One filter, up to two times.
    "6:",
    "ldr r3, [sp, #24]",
    "cmp r11, r3",
    "bhs 12f",
    "ldr lr, [sp, #4]",
    "mov r5, r12",
    "add r12, r12, lr",
    "movs r0, #0",
    "movs r2, #0",
    "ldrd r1, r3, [sp, #8]",
    "dlstp.8 lr, lr",
    "11:",
    "vldrb.u8 q0, [r1], #16",
    "vldrb.u8 q2, [r5], #16",
    "vmladava.s8 r0, q2, q0",
    "vldrb.u8 q1, [r3], #16",
    "vmladava.s8 r2, q2, q1",
    "letp lr, 11b",
    "strd r0, r2, [r11], #8",
    "b 6b",
    "12:",
    "add sp, #28",
    "pop {{r4-r11, pc}}";
    weights = const Run::WEIGHTS,
    len = const Run::LEN
}
