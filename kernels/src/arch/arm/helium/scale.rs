//! A factor, a zero point and the ends of an activation, by which four values are brought to an output's scale.

use crate::int8::QuantizedMultiplier;
use core::mem::offset_of;

/// What is added to each operand, and what becomes of the result: all that the assembly must know beside values.
#[repr(C)]
pub(super) struct Scale {
    offsets: [i32; 2],
    multiplier: i32,
    /// Shifts to the left before the multiplication, and (negative) to the right after it.
    left: i32,
    right: i32,
    zero_point: i32,
    /// The least and the largest output.
    least: i32,
    largest: i32,
}

const _: () = {
    // The assembly reads them all at once, from the fourth register on.
    assert!(offset_of!(Scale, offsets) == 0 && offset_of!(Scale, multiplier) == 8 && offset_of!(Scale, left) == 12);
    assert!(offset_of!(Scale, right) == 16 && offset_of!(Scale, zero_point) == 20);
    assert!(offset_of!(Scale, least) == 24 && offset_of!(Scale, largest) == 28);
};

impl Scale {
    pub(super) fn new(zero_points: [i8; 2], factor: QuantizedMultiplier, zero_point: i8, activation: [i8; 2]) -> Self {
        let [least, largest] = activation.map(i32::from);
        let shift = i32::from(factor.shift);
        Self {
            offsets: zero_points.map(|zero_point| -i32::from(zero_point)),
            multiplier: factor.multiplier,
            left: shift.max(0),
            right: shift.min(0),
            zero_point: zero_point.into(),
            least,
            largest,
        }
    }

    /// Of sums, to which an offset is added.
    pub(super) fn of_sum(offset: i32, factor: QuantizedMultiplier, zero_point: i8) -> Self {
        Self { offsets: [offset, 0], ..Self::new([0; 2], factor, zero_point, [i8::MIN, i8::MAX]) }
    }
}

/// Reads a [`Scale`] at r0 into r4 to r9 and q4 to q6.
macro_rules! read_scale {
    () => {
        "ldm r0, {{r4-r11}}
        vdup.32 q4, r8
        vdup.32 q5, r10
        vdup.32 q6, r11"
    };
}

/// Makes q0 outputs, rounded twice as in `requantize`, with halves away from zero.
macro_rules! scale {
    () => {
        "vqshl.s32 q0, r7
        vqrdmulh.s32 q0, q0, r6
        vand q1, q0, q4
        vshr.s32 q1, q1, #31
        vadd.i32 q0, q0, q1
        vrshl.s32 q0, r8
        vqadd.s32 q0, q0, r9
        vmax.s32 q0, q0, q5
        vmin.s32 q0, q0, q6"
    };
}
pub(super) use {read_scale, scale};
