//! The inner loops of depthwise convolutions on cores with Helium: lanes are channels.
//!
//! Taps come as a table of addresses, so that a tap beyond the input reads a row of zero points. All pixels of a call
//! have the same taps, each a step further.
use super::depthwise_s8::Job;

/// Makes q2 and q3 the sums of two taps' products, of even and of odd channels. r0 is where the taps' addresses are, r1
/// the weights, r2 the bytes from one tap's weights to the next one's, and r3 where in the addresses the pixel is.
/// `$load` loads 16 channels' inputs.
macro_rules! two_taps {
    ($load:ident) => {
        concat!(
            "ldrd r4, r5, [r0], #8\nadd r4, r4, r3\nadd r5, r5, r3\n",
            $load!("r4"),
            "vldrb.u8 q1, [r1]\nvmullb.s8 q2, q0, q1\nadd r1, r1, r2\nvmullt.s8 q3, q0, q1\n",
            $load!("r5"),
            "vldrb.u8 q1, [r1]\nvmullb.s8 q0, q0, q1\nadd r1, r1, r2\nvadd.i16 q2, q2, q0\n",
            $load!("r5"),
            "vmullt.s8 q0, q0, q1\nvadd.i16 q3, q3, q0\n",
        )
    };
}

/// Makes q0 the inputs of 16 channels: each its own, or the same for two.
macro_rules! one {
    ($from:literal) => {
        concat!("vldrb.u8 q0, [", $from, "]\n")
    };
}
macro_rules! two {
    ($from:literal) => {
        concat!("vldrb.u16 q0, [", $from, "]\nvsli.16 q0, q0, #8\n")
    };
}

// thumbnet_depthwise(job, taps, output, pixels): 16 channels at a time, of at least so many; the last 16 reach back.
// thumbnet_depthwise_two: the same of channels that read one in pairs.
//
// `vmullb` and `vmullt` make 16-bit products of even and of odd channels. Two of them make a sum that still fits, as
// weights are above -128: 2 * 127 * 128 < 2^15. Only these sums are widened, to q4 (channels 0, 4, 8, 12), q5 (2, 6,
// ...), q6 (1, 5, ...) and q7 (3, 7, ...), an order that narrowing undoes. There is no register left for a product
// beside both of its factors, which is why one is loaded again.
macro_rules! depthwise {
    ($name:literal: $channel:literal, $load:ident) => {
        crate::arch::arm::thumb_function! {
            $name:
            "push {{r4-r11, lr}}",
            "vpush {{d8-d15}}",
            "sub sp, #16",
            // The frame: 0 taps, 4 output, 8 pixels to go, 12 bytes from the first pixel. r8 is the channel.
            "mov r7, r0",
            "movs r4, #0",
            "strd r1, r2, [sp]",
            "strd r3, r4, [sp, #8]",
            "ldm r0, {{r9-r12}}",
            "ldr r2, [r0, #{stride}]",
            "1:",
            "mov r8, #0",
            "2:",
            "ldrd r0, r6, [sp]",
            "ldr r3, [sp, #12]",
            "add r1, r12, r8",
            "add r6, r6, r8",
            concat!("add r3, r3, r8", $channel),
            "ldr r4, [r7, #{taps}]",
            "lsrs lr, r4, #1",
            "beq 9f",
            two_taps!($load),
            "vmovlb.s16 q4, q2",
            "vmovlt.s16 q5, q2",
            "vmovlb.s16 q6, q3",
            "vmovlt.s16 q7, q3",
            "sub lr, lr, #1",
            "wls lr, lr, 4f",
            // Two taps: 25 instructions for 32 products, or 28.
            "3:",
            two_taps!($load),
            "vmovlb.s16 q1, q2",
            "vadd.i32 q4, q4, q1",
            "vmovlt.s16 q0, q2",
            "vadd.i32 q5, q5, q0",
            "vmovlb.s16 q1, q3",
            "vadd.i32 q6, q6, q1",
            "vmovlt.s16 q0, q3",
            "vadd.i32 q7, q7, q0",
            "le lr, 3b",
            "4:",
            // A last one.
            "bcc 5f",
            "10:",
            "ldr r4, [r0]",
            "add r4, r4, r3",
            $load!("r4"),
            "vldrb.u8 q1, [r1]",
            "vmullb.s8 q2, q0, q1",
            "vmullt.s8 q3, q0, q1",
            "vmovlb.s16 q1, q2",
            "vadd.i32 q4, q4, q1",
            "vmovlt.s16 q0, q2",
            "vadd.i32 q5, q5, q0",
            "vmovlb.s16 q1, q3",
            "vadd.i32 q6, q6, q1",
            "vmovlt.s16 q0, q3",
            "vadd.i32 q7, q7, q0",
            "5:",
            // Requantises as `requantize` does. q3 is the channels, and r8 the next 16's.
            "vidup.u32 q3, r8, #4",
            "ldr r5, [r7, #{left}]",
            "movs r4, #1",
            "cmp r5, #0",
            "bne.w 8f",
            ".irp sums, q4, q6, q5, q7",
            "vldrw.u32 q0, [r9, q3, uxtw #2]",
            "vadd.i32 \\sums, \\sums, q0",
            "vldrw.u32 q0, [r10, q3, uxtw #2]",
            "vldrb.s32 q1, [r11, q3]",
            "vqrdmulh.s32 \\sums, \\sums, q0",
            "vadd.i32 q3, q3, r4",
            "vshr.s32 q2, \\sums, #31",
            "vadd.i32 \\sums, \\sums, q2",
            "vrshl.s32 \\sums, \\sums, q1",
            ".endr",
            "6:",
            "ldr r4, [r7, #{zero_point}]",
            "vqmovnb.s32 q4, q4",
            "vqmovnb.s32 q6, q6",
            "vqmovnt.s32 q4, q5",
            "vqmovnt.s32 q6, q7",
            "vqadd.s16 q4, q4, r4",
            "vqadd.s16 q6, q6, r4",
            "ldrd r4, r5, [r7, #{least}]",
            "vqmovnb.s16 q4, q4",
            "vdup.8 q0, r4",
            "vqmovnt.s16 q4, q6",
            "vdup.8 q1, r5",
            "vmax.s8 q4, q4, q0",
            "ldr r4, [r7, #{channels}]",
            "vmin.s8 q4, q4, q1",
            "vstrb.8 q4, [r6]",
            "cmp r8, r4",
            "bhs 7f",
            "subs r4, #16",
            "cmp r8, r4",
            "it hi",
            "movhi r8, r4",
            "b 2b",
            "7:",
            "ldrd r4, r5, [sp, #4]",
            "ldr r3, [sp, #12]",
            "ldr r6, [r7, #{step}]",
            "add r4, r4, r2",
            "add r3, r3, r6",
            "subs r5, #1",
            "strd r4, r5, [sp, #4]",
            "str r3, [sp, #12]",
            "bne.w 1b",
            "add sp, #16",
            "vpop {{d8-d15}}",
            "pop {{r4-r11, pc}}",
            // A single tap.
            "9:",
            "vmov.i32 q4, #0",
            "vmov.i32 q5, #0",
            "vmov.i32 q6, #0",
            "vmov.i32 q7, #0",
            "b 10b",
            // Some shift is to the left, or none.
            "8:",
            ".irp sums, q4, q6, q5, q7",
            "vldrw.u32 q0, [r9, q3, uxtw #2]",
            "vadd.i32 \\sums, \\sums, q0",
            "vldrw.u32 q0, [r10, q3, uxtw #2]",
            "vldrb.s32 q1, [r11, q3]",
            "vadd.i32 q3, q3, r4",
            "vpt.s32 gt, q1, zr",
            "vqshlt.s32 \\sums, \\sums, q1",
            "vqrdmulh.s32 \\sums, \\sums, q0",
            "vand q2, \\sums, q1",
            "vshr.s32 q2, q2, #31",
            "vadd.i32 \\sums, \\sums, q2",
            "vpt.s32 lt, q1, zr",
            "vrshlt.s32 \\sums, \\sums, q1",
            ".endr",
            "b 6b";
            stride = const Job::STRIDE,
            taps = const Job::TAPS,
            left = const Job::LEFT,
            zero_point = const Job::ZERO_POINT,
            least = const Job::LEAST,
            channels = const Job::CHANNELS,
            step = const Job::STEP
        }
    };
}
depthwise! {
    "thumbnet_depthwise":
    "", one
}
depthwise! {
    "thumbnet_depthwise_two":
    ", lsr #1", two
}

// thumbnet_depthwise_any(job, taps, output, pixels): four channels at a time, of any number. Channel c reads the
// input's channel offsets[c].
crate::arch::arm::thumb_function! {
    "thumbnet_depthwise_any":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d15}}",
    "sub sp, #16",
    // The frame is that of `thumbnet_depthwise`.
    "mov r7, r0",
    "movs r4, #0",
    "strd r1, r2, [sp]",
    "strd r3, r4, [sp, #8]",
    "ldm r0, {{r9-r12}}",
    "ldr r2, [r0, #{stride}]",
    "ldr r6, [r0, #{zero_point}]",
    "ldrd r4, r5, [r0, #{least}]",
    "vdup.32 q5, r4",
    "vdup.32 q6, r5",
    "vmov.i32 q7, #0",
    "1:",
    "mov r8, #0",
    "2:",
    "ldr r4, [r7, #{channels}]",
    "ldr r5, [r7, #{offsets}]",
    "sub r4, r4, r8",
    "add r5, r5, r8",
    "add r3, r9, r8, lsl #2",
    "vctp.32 r4",
    "vpstt",
    "vldrbt.u32 q3, [r5]",
    "vldrwt.u32 q4, [r3]",
    "ldr r0, [sp]",
    "ldr r3, [sp, #12]",
    "ldr lr, [r7, #{taps}]",
    "add r1, r12, r8",
    "dls lr, lr",
    "3:",
    "ldr r4, [r0], #4",
    "add r4, r4, r3",
    "vpstt",
    "vldrbt.s32 q0, [r4, q3]",
    "vldrbt.s32 q1, [r1]",
    "add r1, r1, r2",
    "vmul.i32 q0, q0, q1",
    "vadd.i32 q4, q4, q0",
    "le lr, 3b",
    "add r4, r10, r8, lsl #2",
    "add r5, r11, r8",
    "vpstt",
    "vldrwt.u32 q0, [r4]",
    "vldrbt.s32 q1, [r5]",
    // To the left, then times the multiplier, then to the right. The predicate is taken.
    "vmax.s32 q2, q1, q7",
    "vqshl.s32 q4, q4, q2",
    "vqrdmulh.s32 q4, q4, q0",
    "vand q2, q4, q1",
    "vshr.s32 q2, q2, #31",
    "vadd.i32 q4, q4, q2",
    "vmin.s32 q1, q1, q7",
    "vrshl.s32 q4, q4, q1",
    "vqadd.s32 q4, q4, r6",
    "vmax.s32 q4, q4, q5",
    "vmin.s32 q4, q4, q6",
    "ldr r4, [sp, #4]",
    "ldr r5, [r7, #{channels}]",
    "add r4, r4, r8",
    "vpst",
    "vstrbt.32 q4, [r4]",
    "add r8, r8, #4",
    "cmp r8, r5",
    "blo 2b",
    "ldrd r4, r5, [sp, #4]",
    "ldr r3, [r7, #{step}]",
    "ldr r0, [sp, #12]",
    "add r4, r4, r2",
    "add r0, r0, r3",
    "subs r5, #1",
    "strd r4, r5, [sp, #4]",
    "str r0, [sp, #12]",
    "bne 1b",
    "add sp, #16",
    "vpop {{d8-d15}}",
    "pop {{r4-r11, pc}}";
    stride = const Job::STRIDE,
    taps = const Job::TAPS,
    zero_point = const Job::ZERO_POINT,
    least = const Job::LEAST,
    channels = const Job::CHANNELS,
    offsets = const Job::OFFSETS,
    step = const Job::STEP
}
