//! The product of two int8 tensors on Cortex-M3 and up.
#![expect(unsafe_code, reason = "enters the assembly")]
use super::{clamp, is_plain};
use crate::arch::scalar::multiply_s8 as scalar;
use crate::int8::MulS8;
use core::mem::offset_of;

/// What the inner loop needs.
#[repr(C)]
struct Job {
    count: usize,
    zero_points: [i32; 2],
    multiplier: i32,
    shift: i32,
    zero_point: i32,
}

const _: () = assert!(offset_of!(Job, count) == 0 && offset_of!(Job, zero_point) == 20);

// thumbnet_multiply(x, y, job): rounds as `depthwise_s8`, on M4 13 instructions a product.
thumb_function! {
    "thumbnet_multiply":
    "push {{r4-r9, lr}}",
    "ldm r2, {{r4-r9}}",
    "add r4, r4, r0",
    "1:",
    "ldrsb r2, [r0], #1",
    "ldrsb r3, [r1]",
    "subs r2, r2, r6",
    "subs r3, r3, r5",
    "muls r2, r3, r2",
    scale!("r2", "r7", "r3", "r12"),
    "adds r2, r2, r2, asr #31",
    "asrs r2, r2, r8",
    "adc r2, r2, r9",
    "ssat r2, #8, r2",
    "strb r2, [r1], #1",
    "cmp r0, r4",
    "bne 1b",
    "pop {{r4-r9, pc}}"
}

unsafe extern "C" {
    fn thumbnet_multiply(x: *const i8, y: *mut i8, job: *const Job);
}

/// Multiplies `y` by `x` in place; `x` is repeated where it is shorter.
pub(in crate::arch) fn multiply_s8(layer: &MulS8, x: &[i8], y: &mut [i8]) {
    if !is_plain(layer.factor) || x.is_empty() {
        return scalar::multiply_s8(layer, x, y);
    }
    let job = Job {
        count: x.len(),
        zero_points: layer.input_zero_points.map(i32::from),
        multiplier: layer.factor.multiplier << 1,
        shift: -i32::from(layer.factor.shift),
        zero_point: layer.zero_point.into(),
    };
    for y in y.chunks_exact_mut(x.len()) {
        // SAFETY: the function reads as many values as `x` has, and reads and writes as many of `y`.
        unsafe { thumbnet_multiply(x.as_ptr(), y.as_mut_ptr(), &raw const job) }
    }
    clamp(y, layer.activation);
}
