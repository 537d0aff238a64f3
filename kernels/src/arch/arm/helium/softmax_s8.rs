//! Softmax of int8 values on cores with Helium, four exponentials at a time.
//!
//! Up to 16 exponentials are kept from their sum to the outputs. Those of longer rows are made twice, which is less
//! than the scalar kernel's one, and needs no memory.
use crate::arch::arm::products::reciprocal;
use crate::int8::{EXP_OF_MINUS_ONE_EIGHTH, EXP_OF_POWERS, ONE_THIRD, SoftmaxS8};
use core::mem::{MaybeUninit, offset_of};

/// As in the scalar kernel.
const SUM_INTEGER_BITS: i32 = 12;

/// All that the assembly must know beside the values.
#[repr(C)]
struct Job {
    multiplier: i32,
    left_shift: i32,
    diff_min: i32,
    /// Minus the largest value, which the assembly finds.
    largest: i32,
    /// What exponentials are multiplied by, and the shift to the right (negative) that follows.
    reciprocal: i32,
    shift: i32,
    /// Where exponentials are kept, and bytes from four of them to the next: 16, or 0 where they are not.
    kept: *mut i32,
    step: usize,
}

/// Exponentials that are kept.
const KEPT: usize = 16;

const MULTIPLIER: usize = offset_of!(Job, multiplier);
const DIFF_MIN: usize = offset_of!(Job, diff_min);
const RECIPROCAL: usize = offset_of!(Job, reciprocal);
const KEEPING: usize = offset_of!(Job, kept);
const _: () = {
    assert!(offset_of!(Job, left_shift) == MULTIPLIER + 4 && offset_of!(Job, largest) == DIFF_MIN + 4);
    assert!(offset_of!(Job, shift) == RECIPROCAL + 4 && offset_of!(Job, step) == KEEPING + 4);
};

/// What the exponential's polynomial and products are made of, in the order in which they are read.
static CONSTANTS: [i32; 9] = {
    let [a, b, c, d, e, f, g] = EXP_OF_POWERS;
    [EXP_OF_MINUS_ONE_EIGHTH, ONE_THIRD, a, b, c, d, e, f, g]
};

/// Reads four values at r1 and makes q0 their exponentials as [`crate::int8::exp_on_negative_values`] does, or 0 where
/// they do not count. r8 is minus the largest value, r9 to r11 are multiplier, left shift and least difference, and r2
/// is [`CONSTANTS`]. What is shifted to the right is never negative (x^2 is at least 24 times |x^3 / 3|), so that
/// halves up are halves away from zero.
macro_rules! exponentials {
    () => {
        "vldrb.s32 q7, [r1]
        vadd.i32 q7, q7, r8
        vmov q1, q7
        vqshl.s32 q1, r10
        vqrdmulh.s32 q1, q1, r9
        vmov.i32 q6, #0xffffff
        vand q2, q1, q6
        vmvn q6, q6
        vadd.i32 q2, q2, q6
        ldrd r4, r5, [r2]
        vsub.i32 q5, q2, q1
        mov r6, #0x10000000
        vshl.i32 q2, q2, #5
        vdup.32 q0, r4
        vadd.i32 q2, q2, r6
        vqrdmulh.s32 q3, q2, q2
        vqrdmulh.s32 q6, q3, q2
        vqrdmulh.s32 q4, q3, q3
        vrshr.s32 q4, q4, #2
        vadd.i32 q4, q4, q6
        vqrdmulh.s32 q4, q4, r5
        vadd.i32 q4, q4, q3
        vrshr.s32 q4, q4, #1
        vadd.i32 q4, q4, q2
        vqrdmulh.s32 q4, q4, r4
        ldrd r4, r5, [r2, #8]
        ldrd r6, r7, [r2, #16]
        vadd.i32 q0, q0, q4
        vshl.i32 q6, q5, #7
        vpt.s32 lt, q6, zr
        vqrdmulht.s32 q0, q0, r4
        vshl.i32 q6, q5, #6
        vpt.s32 lt, q6, zr
        vqrdmulht.s32 q0, q0, r5
        vshl.i32 q6, q5, #5
        vpt.s32 lt, q6, zr
        vqrdmulht.s32 q0, q0, r6
        vshl.i32 q6, q5, #4
        vpt.s32 lt, q6, zr
        vqrdmulht.s32 q0, q0, r7
        ldrd r4, r5, [r2, #24]
        ldr r6, [r2, #32]
        vshl.i32 q6, q5, #3
        vpt.s32 lt, q6, zr
        vqrdmulht.s32 q0, q0, r4
        vshl.i32 q6, q5, #2
        vpt.s32 lt, q6, zr
        vqrdmulht.s32 q0, q0, r5
        vshl.i32 q6, q5, #1
        vpt.s32 lt, q6, zr
        vqrdmulht.s32 q0, q0, r6
        mvn r7, #0x80000000
        vpt.i32 eq, q1, zr
        vdupt.32 q0, r7
        vpt.s32 lt, q7, r11
        vmovt.i32 q0, #0"
    };
}

// thumbnet_softmax_sum(job, values, constants, count): finds the largest value, and returns the sum of the
// exponentials, with 12 integer bits.
crate::arch::arm::thumb_function! {
    "thumbnet_softmax_sum":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d15}}",
    "ldrd r9, r10, [r0, #{multiplier}]",
    "ldr r11, [r0, #{diff_min}]",
    "mvn r8, #127",
    "mov r4, r1",
    "dlstp.8 lr, r3",
    "2:",
    "vldrb.u8 q0, [r4], #16",
    "vmaxv.s8 r8, q0",
    "letp lr, 2b",
    "rsb r8, r8, #0",
    "str r8, [r0, #{diff_min} + 4]",
    "dlstp.32 lr, r3",
    "ldrd r12, r3, [r0, #{kept}]",
    "movs r0, #0",
    "1:",
    exponentials!(),
    "add r1, r1, #4",
    "vstrw.32 q0, [r12]",
    "add r12, r12, r3",
    "vrshr.s32 q0, q0, #12",
    "vaddva.s32 r0, q0",
    "letp lr, 1b",
    "vpop {{d8-d15}}",
    "pop {{r4-r11, pc}}";
    multiplier = const MULTIPLIER,
    diff_min = const DIFF_MIN,
    kept = const KEEPING
}

/// Writes the outputs of four exponentials: r3 is what they are multiplied by, r12 the shift, r0 -128.
macro_rules! outputs {
    () => {
        "vqrdmulh.s32 q0, q0, r3
        vmov.i32 q1, #127
        vrshl.s32 q0, r12
        vadd.i32 q0, q0, r0
        vmin.s32 q0, q0, q1
        vstrb.32 q0, [r1], #4"
    };
}

// thumbnet_softmax_outputs(job, values, constants, count): replaces the values by their outputs.
crate::arch::arm::thumb_function! {
    "thumbnet_softmax_outputs":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d15}}",
    "ldrd r9, r10, [r0, #{multiplier}]",
    "ldrd r11, r8, [r0, #{diff_min}]",
    "dlstp.32 lr, r3",
    "ldrd r6, r7, [r0, #{kept}]",
    "ldrd r3, r12, [r0, #{reciprocal}]",
    "mvn r0, #127",
    "cmp r7, #0",
    "bne.w 2f",
    "1:",
    exponentials!(),
    outputs!(),
    "letp lr, 1b",
    "b 3f",
    "2:",
    "vldrw.u32 q0, [r6], #16",
    outputs!(),
    "letp lr, 2b",
    "3:",
    "vpop {{d8-d15}}",
    "pop {{r4-r11, pc}}";
    multiplier = const MULTIPLIER,
    diff_min = const DIFF_MIN,
    reciprocal = const RECIPROCAL,
    kept = const KEEPING
}

unsafe extern "C" {
    fn thumbnet_softmax_sum(job: &mut Job, values: *const i8, constants: &[i32; 9], count: usize) -> i32;
    fn thumbnet_softmax_outputs(job: &Job, values: *mut i8, constants: &[i32; 9], count: usize);
}

/// Softmax of each run of `len` values, in place.
#[inline(never)]
pub(in crate::arch) fn softmax_s8(layer: &SoftmaxS8, len: usize, values: &mut [i8]) {
    for row in values.chunks_exact_mut(len.max(1)) {
        let mut kept = MaybeUninit::<[i32; KEPT]>::uninit();
        let mut job = Job {
            multiplier: layer.multiplier,
            left_shift: layer.left_shift.into(),
            diff_min: layer.diff_min,
            largest: 0,
            reciprocal: 0,
            shift: 0,
            kept: kept.as_mut_ptr().cast(),
            step: if row.len() <= KEPT { 16 } else { 0 },
        };
        // SAFETY: there are so many values, and room for as many exponentials or for four.
        let sum = unsafe { thumbnet_softmax_sum(&mut job, row.as_ptr(), &CONSTANTS, row.len()) };
        let headroom = sum.leading_zeros();
        let shift = SUM_INTEGER_BITS + 31 - 8 - headroom as i32;
        // With more than 256 equal inputs nothing is left.
        if shift <= 31 {
            (job.reciprocal, job.shift) = (reciprocal((sum as u32) << headroom), -shift);
        }
        // SAFETY: as above; the exponentials that are kept are there.
        unsafe { thumbnet_softmax_outputs(&job, row.as_mut_ptr(), &CONSTANTS, row.len()) }
    }
}
