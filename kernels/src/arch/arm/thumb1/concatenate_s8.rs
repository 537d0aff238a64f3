//! One part of a concatenation of int8 tensors on Cortex-M0.
use crate::arch::scalar::concatenate_s8 as scalar;
use crate::int8::{QuantizedMultiplier, RescaleS8};
use core::mem::offset_of;

/// What the inner loop needs. The assembly loads three fields at once, and then the others.
#[repr(C)]
struct Job {
    before: i32,
    least: i32,
    /// The largest output less the least.
    range: i32,
    /// The multiplier's upper bits, and its lower 11.
    high: i32,
    low: i32,
    /// How far the product is shifted, which is rounded, and how far then.
    first_shift: i32,
    /// The zero point less the least output.
    zero_point: i32,
    shift: i32,
}

// As the assembly has it.
const _: () = assert!(offset_of!(Job, high) == 12 && offset_of!(Job, shift) == 28);

// thumbnet_rescale(x, y, count, job).
//
// As the scaled term of `add_s8`, of which a value `x` is 2^20 times as large:
//
//     2^s x (2^11 h + l) / 2^31 = (x h + x l / 2^11) / 2^(20 - s)
//
// Of s = 20 there would be no bit that rounds.
//
// r0, r1: values on their way; r2: the second shift; r3: up to 0; r4, r5: the multiplier; r6: the first shift; r7: the
// zero point. r8, r9: the ends of x and y; r10: what is added before; r12: the least; lr: the range. 24 instructions a
// value.
crate::arch::arm::thumb_function! {
    "thumbnet_rescale":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "push {{r4-r6}}",
    "adds r0, r0, r2",
    "mov r8, r0",
    "adds r1, r1, r2",
    "mov r9, r1",
    "rsbs r1, r2, #0",
    "ldm r3!, {{r4-r6}}",
    "mov r10, r4",
    "mov r12, r5",
    "mov lr, r6",
    "ldm r3!, {{r4-r7}}",
    "ldr r2, [r3]",
    "movs r3, r1",
    "1:",
    "mov r0, r8",
    "ldrsb r0, [r0, r3]",
    "add r0, r10",
    "movs r1, r0",
    "muls r1, r5, r1",
    "asrs r1, r1, #11",
    "muls r0, r4, r0",
    "adds r0, r0, r1",
    "asrs r0, r6",
    "movs r1, #0",
    "adcs r0, r1",
    "asrs r1, r0, #31",
    "adds r0, r0, r1",
    "asrs r0, r2",
    "adcs r0, r7",
    "asrs r1, r0, #31",
    "bics r0, r1",
    "cmp r0, lr",
    "ble 2f",
    "mov r0, lr",
    "2:",
    "add r0, r12",
    "mov r1, r9",
    "strb r0, [r1, r3]",
    "adds r3, #1",
    "bne 1b",
    "pop {{r4-r6}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "pop {{r4-r7, pc}}"
}

unsafe extern "C" {
    fn thumbnet_rescale(x: *const i8, y: *mut i8, count: usize, job: &Job);
}

/// Writes rows of `width` values, in the output's scale, to the columns `first..first + width` of rows of `to_width`.
#[inline(never)]
pub(in crate::arch) fn concatenate_s8(
    layer: &RescaleS8,
    width: usize,
    x: &[i8],
    [first, to_width]: [usize; 2],
    y: &mut [i8],
) {
    /// The longest shift to the left.
    const LONGEST: i8 = 19;
    const ONE: QuantizedMultiplier = QuantizedMultiplier { multiplier: 1 << 30, shift: 1 };
    let [factor, below] = layer.factors;
    if factor != below || factor.shift > LONGEST || width == 0 {
        return scalar::concatenate_s8(layer, width, x, [first, to_width], y);
    }
    let [least, largest] = layer.activation.map(i32::from);
    let same = factor == ONE && layer.input_zero_point == layer.zero_point && [least, largest] == [-128, 127];
    let job = Job {
        before: -i32::from(layer.input_zero_point),
        least,
        range: largest - least,
        high: factor.multiplier >> 11,
        low: factor.multiplier & 0x7ff,
        first_shift: 20 - i32::from(factor.shift.max(0)),
        zero_point: i32::from(layer.zero_point) - least,
        shift: -i32::from(factor.shift.min(0)),
    };
    let mut rows = y.chunks_exact_mut(to_width.max(1));
    for x in x.chunks_exact(width) {
        let Some(y) = rows.next() else { return };
        let Some(y) = y.get_mut(first..).and_then(|y| y.get_mut(..width)) else { return };
        if same {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = *x);
        } else {
            // SAFETY: the function reads and writes so many values.
            unsafe { thumbnet_rescale(x.as_ptr(), y.as_mut_ptr(), width, &job) }
        }
    }
}
