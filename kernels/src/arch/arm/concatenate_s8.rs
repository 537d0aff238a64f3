//! One part of a concatenation of int8 tensors on Cortex-M3 and up.
#![expect(unsafe_code, reason = "enters the assembly")]
use crate::arch::scalar::concatenate_s8 as scalar;
use crate::int8::{QuantizedMultiplier, RescaleS8};
use core::mem::offset_of;

/// What the inner loop needs.
#[repr(C)]
struct Job {
    /// How far values are shifted left, and their zero point as far.
    left_shift: i32,
    zero_point: i32,
    multiplier: i32,
    shift: i32,
    output_zero_point: i32,
}

const _: () = assert!(offset_of!(Job, left_shift) == 0 && offset_of!(Job, output_zero_point) == 16);

// thumbnet_rescale(x, y, count, job): rounds as `depthwise_s8`, on M4 11 instructions a value.
thumb_function! {
    "thumbnet_rescale":
    "push {{r4-r8, lr}}",
    "ldm r3, {{r4-r8}}",
    "1:",
    "ldrsb r3, [r0], #1",
    "lsls r3, r4",
    "subs r3, r3, r5",
    scale!("r3", "r6", "r12", "lr"),
    "adds r3, r3, r3, asr #31",
    "asrs r3, r3, r7",
    "adc r3, r3, r8",
    "ssat r3, #8, r3",
    "strb r3, [r1], #1",
    "subs r2, #1",
    "bne 1b",
    "pop {{r4-r8, pc}}"
}

unsafe extern "C" {
    fn thumbnet_rescale(x: *const i8, y: *mut i8, count: usize, job: *const Job);
}

/// Writes rows of `width` values, in the output's scale, to the columns `first..first + width` of rows of `to_width`.
pub(in crate::arch) fn concatenate_s8(
    layer: &RescaleS8,
    width: usize,
    x: &[i8],
    [first, to_width]: [usize; 2],
    y: &mut [i8],
) {
    /// So far a difference of two int8 can be shifted without a loss.
    const LONGEST: i8 = 20;
    const ONE: QuantizedMultiplier = QuantizedMultiplier { multiplier: 1 << 30, shift: 1 };
    let [factor, below] = layer.factors;
    let plain = factor == below && factor.multiplier >= 1 << 30 && factor.shift <= LONGEST && width > 0;
    if !plain || layer.activation != [i8::MIN, i8::MAX] {
        return scalar::concatenate_s8(layer, width, x, [first, to_width], y);
    }
    let same = factor == ONE && layer.input_zero_point == layer.zero_point;
    let left_shift = factor.shift.max(0).into();
    let job = Job {
        left_shift,
        zero_point: i32::from(layer.input_zero_point) << left_shift,
        multiplier: factor.multiplier << 1,
        shift: -i32::from(factor.shift.min(0)),
        output_zero_point: layer.zero_point.into(),
    };
    let mut rows = y.chunks_exact_mut(to_width.max(1));
    for x in x.chunks_exact(width.max(1)) {
        let Some(y) = rows.next() else { return };
        let Some(y) = y.get_mut(first..).and_then(|y| y.get_mut(..width)) else { return };
        if same {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = *x);
        } else {
            // SAFETY: the function reads and writes so many values.
            unsafe { thumbnet_rescale(x.as_ptr(), y.as_mut_ptr(), width, &raw const job) }
        }
    }
}
