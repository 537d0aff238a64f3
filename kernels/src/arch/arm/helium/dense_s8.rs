//! Dense layer and activation on cores with Helium: 16 inputs of six units at a time, seven loads for six
//! multiplications.
use crate::arch::scalar::conv_s8::dot;
use crate::int8::DenseS8;

/// Units of a group.
const GROUP: usize = 6;

// thumbnet_dense(inputs, weights, count, sums): adds to the sums of six units.
crate::arch::arm::thumb_function! {
    "thumbnet_dense":
    "push {{r2-r11, lr}}",
    "sub sp, #4",
    // r1 inputs; r3, r5, r7, r9, r11, r12 rows of weights; r0, r2, r4, r6, r8, r10 sums.
    "mov lr, r2",
    "mov r12, r3",
    "mov r3, r1",
    "mov r1, r0",
    "add r5, r3, lr",
    "add r7, r5, lr",
    "add r9, r7, lr",
    "add r11, r9, lr",
    "ldm r12, {{r0, r2, r4, r6, r8, r10}}",
    "add r12, r11, lr",
    // 32 inputs a round; then what is left.
    "lsr lr, lr, #5",
    "wls lr, lr, 3f",
    "4:",
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
    "le lr, 4b",
    "3:",
    "ldr lr, [sp, #4]",
    "and lr, lr, #31",
    "wlstp.8 lr, lr, 2f",
    "1:",
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
    "letp lr, 1b",
    "2:",
    "ldr r12, [sp, #8]",
    "stm r12, {{r0, r2, r4, r6, r8, r10}}",
    "add sp, #12",
    "pop {{r4-r11, pc}}"
}

unsafe extern "C" {
    fn thumbnet_dense(inputs: *const i8, weights: *const i8, count: usize, sums: &mut [i32; GROUP]);
}

/// Runs `layer`, whose weights are plain, over one sample.
pub(in crate::arch) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
    let last = layer.units.saturating_sub(GROUP);
    for first in (0..layer.units).step_by(GROUP) {
        // The last group reaches back where units are left over: it computes some of them once more.
        let first = first.min(last);
        let Some(&(mut sums)) = layer.bias[first..].first_chunk::<GROUP>() else {
            // Fewer units than a group.
            for (unit, output) in output.chunks_exact_mut(1).enumerate() {
                let sum = dot(&layer.weights[unit * input.len()..], input);
                layer.requantize.dense(unit, &[layer.bias[unit].wrapping_add(sum)], output);
            }
            return;
        };
        let weights = &layer.weights[first * input.len()..][..GROUP * input.len()];
        // SAFETY: the function reads the inputs and as many weights of each of six units.
        unsafe { thumbnet_dense(input.as_ptr(), weights.as_ptr(), input.len(), &mut sums) }
        layer.requantize.dense(first, &sums, &mut output[first..]);
    }
}
