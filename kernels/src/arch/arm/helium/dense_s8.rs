//! Dense layer and activation on cores with Helium: 16 inputs of six units at a time, seven loads for six
//! multiplications.
use super::run::Run;
use crate::arch::scalar::conv_s8::dot;
use crate::int8::DenseS8;

// thumbnet_dense(run, input, output): returns one more than the largest shift.
//
// The sums of up to 24 units are made, six units at a time and then two, and then requantised as
// [`crate::int8::multiply_rounding_once`] does where the shift is below -1: `vmulh` is the high word of the product,
// and what is shifted out of it is rounded by `vrshl`, halves up. They must go away from zero: one less where the
// product is negative makes halves up of it, and that is one less in the high word where the low one is 0.
crate::arch::arm::thumb_function! {
    "thumbnet_dense":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d13}}",
    "sub sp, #144",
    // The frame: 0 input, 4 length, 8 weights, 12 bias, 16 the next sums, 20 output, 24 multiplier, 28 shift, 32 units
    // left, 36 zero point, 40 units of the block to go, 44 sums of a block.
    "ldm r0, {{r3-r6}}",
    "ldr r7, [r0, #{len}]",
    "strd r1, r7, [sp]",
    "strd r6, r3, [sp, #8]",
    "strd r4, r5, [sp, #24]",
    "str r2, [sp, #20]",
    "ldrd r3, r4, [r0, #{least}]",
    "vdup.32 q4, r3",
    "vdup.32 q5, r4",
    "mvn r3, #127",
    "vdup.32 q6, r3",
    "ldr r11, [r0, #{count}]",
    "ldr r12, [r0, #{zero_point}]",
    "str r12, [sp, #36]",
    // A block of units: r11 are left.
    "1:",
    "add r10, sp, #44",
    "str r10, [sp, #16]",
    "str r11, [sp, #32]",
    "cmp r11, #24",
    "it hi",
    "movhi r11, #24",
    "b 6f",
    // Six units.
    "2:",
    "str r11, [sp, #40]",
    "ldrd r1, lr, [sp]",
    "ldrd r3, r12, [sp, #8]",
    "add r5, r3, lr",
    "add r7, r5, lr",
    "add r9, r7, lr",
    "add r11, r9, lr",
    "ldm r12!, {{r0, r2, r4, r6, r8, r10}}",
    "str r12, [sp, #12]",
    "add r12, r11, lr",
    "add lr, r12, lr",
    "str lr, [sp, #8]",
    "ldr lr, [sp, #4]",
    // 32 inputs a round; then what is left.
    "lsr lr, lr, #5",
    "wls lr, lr, 4f",
    "3:",
    "vldrb.u8 q0, [r1, #16]",
    "vldrb.u8 q1, [r3, #16]",
    "vmladava.s8 r0, q1, q0",
    "vldrb.u8 q2, [r5, #16]",
    "vmladava.s8 r2, q2, q0",
    "vldrb.u8 q3, [r7, #16]",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q1, [r9, #16]",
    "vmladava.s8 r6, q1, q0",
    "vldrb.u8 q2, [r11, #16]",
    "vmladava.s8 r8, q2, q0",
    "vldrb.u8 q3, [r12, #16]",
    "vmladava.s8 r10, q3, q0",
    "vldrb.u8 q0, [r1], #32",
    "vldrb.u8 q1, [r3], #32",
    "vmladava.s8 r0, q1, q0",
    "vldrb.u8 q2, [r5], #32",
    "vmladava.s8 r2, q2, q0",
    "vldrb.u8 q3, [r7], #32",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q1, [r9], #32",
    "vmladava.s8 r6, q1, q0",
    "vldrb.u8 q2, [r11], #32",
    "vmladava.s8 r8, q2, q0",
    "vldrb.u8 q3, [r12], #32",
    "vmladava.s8 r10, q3, q0",
    "le lr, 3b",
    "4:",
    "ldr lr, [sp, #4]",
    "and lr, lr, #31",
    "wlstp.8 lr, lr, 5f",
    "14:",
    "vldrb.u8 q0, [r1], #16",
    "vldrb.u8 q1, [r3], #16",
    "vmladava.s8 r0, q1, q0",
    "vldrb.u8 q2, [r5], #16",
    "vmladava.s8 r2, q2, q0",
    "vldrb.u8 q3, [r7], #16",
    "vmladava.s8 r4, q3, q0",
    "vldrb.u8 q1, [r9], #16",
    "vmladava.s8 r6, q1, q0",
    "vldrb.u8 q2, [r11], #16",
    "vmladava.s8 r8, q2, q0",
    "vldrb.u8 q3, [r12], #16",
    "vmladava.s8 r10, q3, q0",
    "letp lr, 14b",
    "5:",
    "ldr r12, [sp, #16]",
    "stm r12!, {{r0, r2, r4, r6, r8, r10}}",
    "str r12, [sp, #16]",
    "ldr r11, [sp, #40]",
    "subs r11, #6",
    "6:",
    "cmp r11, #6",
    "bhs.w 2b",
    "cmp r11, #0",
    "beq 9f",
    // Two units, or the last one twice.
    "7:",
    "ldrd r1, lr, [sp]",
    "ldrd r3, r12, [sp, #8]",
    "ldr r0, [r12]",
    "mov r2, r0",
    "mov r5, r3",
    "subs r11, #2",
    "itt hs",
    "ldrhs r2, [r12, #4]",
    "addhs r5, r3, lr",
    "add r4, r5, lr",
    "add r12, r12, #8",
    "strd r4, r12, [sp, #8]",
    "dlstp.8 lr, lr",
    "8:",
    "vldrb.u8 q0, [r1], #16",
    "vldrb.u8 q1, [r3], #16",
    "vmladava.s8 r0, q1, q0",
    "vldrb.u8 q2, [r5], #16",
    "vmladava.s8 r2, q2, q0",
    "letp lr, 8b",
    "ldr r12, [sp, #16]",
    "strd r0, r2, [r12], #8",
    "str r12, [sp, #16]",
    "bhi 7b",
    // Requantises the block: 16 instructions for four units.
    "9:",
    "ldrd r2, r3, [sp, #20]",
    "ldrd r5, r11, [sp, #28]",
    "ldr r12, [sp, #36]",
    "add r1, sp, #44",
    "mov r4, r11",
    "cmp r4, #24",
    "it hi",
    "movhi r4, #24",
    "movs r6, #1",
    "dlstp.32 lr, r4",
    "10:",
    "vldrw.u32 q0, [r1], #16",
    "vldrw.u32 q1, [r3], #16",
    "vldrb.s32 q2, [r5], #4",
    "vmulh.s32 q3, q0, q1",
    "vadd.i32 q2, q2, r6",
    "vmul.i32 q0, q0, q1",
    "vmax.s32 q6, q6, q2",
    "vshr.s32 q1, q3, #31",
    "vpt.i32 eq, q0, zr",
    "vaddt.i32 q3, q3, q1",
    "vrshl.s32 q3, q3, q2",
    "vmax.s32 q3, q3, q4",
    "vmin.s32 q3, q3, q5",
    "vadd.i32 q3, q3, r12",
    "vstrb.32 q3, [r2], #4",
    "letp lr, 10b",
    "strd r2, r3, [sp, #20]",
    "str r5, [sp, #28]",
    "subs r11, r11, r4",
    "bne.w 1b",
    "mov r0, #0x80000000",
    "vmaxv.s32 r0, q6",
    "add sp, #144",
    "vpop {{d8-d13}}",
    "pop {{r4-r11, pc}}";
    len = const Run::LEN,
    count = const Run::COUNT,
    least = const Run::LEAST,
    zero_point = const Run::ZERO_POINT
}

unsafe extern "C" {
    fn thumbnet_dense(run: &Run<'_>, input: *const i8, output: *mut i8) -> i32;
}

/// Runs `layer`, whose weights are plain, over one sample.
pub(in crate::arch) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
    let Some(run) = Run::units(layer).filter(|_| input.len() == layer.inputs && output.len() == layer.units) else {
        return;
    };
    // SAFETY: the function reads the inputs and the run's slices, and writes the outputs.
    let most = unsafe { thumbnet_dense(&run, input.as_ptr(), output.as_mut_ptr()) };
    if most >= 0 {
        // A scale of a quarter or more, which no trained network has, takes the long way.
        let units = layer.weights.chunks_exact(layer.inputs.max(1)).zip(layer.bias);
        for ((unit, output), (weights, bias)) in output.chunks_exact_mut(1).enumerate().zip(units) {
            layer.requantize.dense(unit, &[bias.wrapping_add(dot(weights, input))], output);
        }
    }
}
