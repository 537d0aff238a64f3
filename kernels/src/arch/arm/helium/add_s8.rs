//! The sum of two int8 tensors on cores with Helium, four values at a time.
use crate::arch::scalar;
use crate::int8::{AddS8, QuantizedMultiplier};
use core::mem::offset_of;

/// A sum whose first term needs a shift alone: all that the assembly must know beside the terms.
#[repr(C)]
struct Job {
    /// `term * factor + offset` of each, 20 bits to the left (one less of the first, whose factor is 1/2).
    offsets: [i32; 2],
    /// What the second term and the sum are multiplied by, and their shifts.
    multipliers: [i32; 2],
    shifts: [i32; 2],
    zero_point: i32,
    /// The least and the largest output.
    least: i32,
    largest: i32,
}

const OFFSETS: usize = offset_of!(Job, offsets);
const MULTIPLIERS: usize = offset_of!(Job, multipliers);
const SHIFTS: usize = offset_of!(Job, shifts);
const ZERO_POINT: usize = offset_of!(Job, zero_point);
const LEAST: usize = offset_of!(Job, least);
const _: () = assert!(offset_of!(Job, largest) == LEAST + 4);

// thumbnet_add(job, exact, other, output, count): 20 instructions for four values. Halves go away from zero as in
// `requantize`.
crate::arch::arm::thumb_function! {
    "thumbnet_add":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d15}}",
    "ldr lr, [sp, #100]",
    "ldrd r4, r5, [r0, #{offsets}]",
    "ldrd r6, r7, [r0, #{multipliers}]",
    "ldrd r8, r9, [r0, #{shifts}]",
    "ldrd r10, r11, [r0, #{least}]",
    "vdup.32 q6, r10",
    "vdup.32 q7, r11",
    "vdup.32 q5, r8",
    "vmov.i32 q4, #0x80000",
    "ldr r12, [r0, #{zero_point}]",
    "vadd.i32 q3, q4, q4",
    "dlstp.32 lr, lr",
    "1:",
    "vldrb.s32 q0, [r1], #4",
    "vldrb.s32 q1, [r2], #4",
    "vmlas.i32 q0, q4, r4",
    "vmlas.i32 q1, q3, r5",
    "vqrdmulh.s32 q1, q1, r6",
    "vand q2, q1, q5",
    "vshr.s32 q2, q2, #31",
    "vadd.i32 q1, q1, q2",
    "vrshl.s32 q1, r8",
    "vadd.i32 q0, q0, q1",
    "vqrdmulh.s32 q0, q0, r7",
    "vshr.s32 q1, q0, #31",
    "vadd.i32 q0, q0, q1",
    "vrshl.s32 q0, r9",
    "vqadd.s32 q0, q0, r12",
    "vmax.s32 q0, q0, q6",
    "vmin.s32 q0, q0, q7",
    "vstrb.32 q0, [r3], #4",
    "letp lr, 1b",
    "vpop {{d8-d15}}",
    "pop {{r4-r11, pc}}";
    offsets = const OFFSETS,
    multipliers = const MULTIPLIERS,
    shifts = const SHIFTS,
    zero_point = const ZERO_POINT,
    least = const LEAST
}

unsafe extern "C" {
    fn thumbnet_add(job: &Job, exact: *const i8, other: *const i8, output: *mut i8, count: usize);
}

/// Adds `x` to `y` in place.
pub(in crate::arch) fn add_s8(layer: &AddS8, x: &[i8], y: &mut [i8]) {
    // The term of the larger scale has a factor of 1/2 (see `AddS8::factors`): its product has nothing to round.
    const HALF: QuantizedMultiplier = QuantizedMultiplier { multiplier: 1 << 30, shift: 0 };
    let (mut inputs, mut zero_points) = (layer.inputs, layer.input_zero_points.map(i32::from));
    let is_second = inputs[0] != HALF;
    if is_second {
        inputs.swap(0, 1);
        zero_points.swap(0, 1);
    }
    let ([exact, other], [exact_zero, other_zero]) = (inputs, zero_points);
    if exact != HALF || layer.output.shift >= 0 || other.shift > 0 || x.is_empty() {
        return scalar::add_s8::add_s8(layer, x, y);
    }
    let factors = [other, layer.output];
    let [least, largest] = layer.activation.map(i32::from);
    let job = Job {
        offsets: [-(exact_zero << (AddS8::LEFT_SHIFT - 1)), -(other_zero << AddS8::LEFT_SHIFT)],
        multipliers: factors.map(|factor| factor.multiplier),
        shifts: factors.map(|factor| factor.shift.into()),
        zero_point: layer.zero_point.into(),
        least,
        largest,
    };
    let count = x.len().min(y.len());
    let output = y.as_mut_ptr();
    let terms = if is_second { [x.as_ptr(), output.cast_const()] } else { [output.cast_const(), x.as_ptr()] };
    // SAFETY: both terms have so many values, and each output is written after the values of its place were read.
    unsafe { thumbnet_add(&job, terms[0], terms[1], output, count) }
}
