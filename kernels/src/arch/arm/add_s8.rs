//! The sum of two int8 tensors on Cortex-M3 and up.
#![expect(unsafe_code, reason = "enters the assembly")]
use super::{clamp, is_plain};
use crate::arch::scalar::add_s8 as scalar;
use crate::int8::{AddS8, QuantizedMultiplier};
use core::mem::offset_of;

/// What the inner loop needs: zero points and doubled multipliers as it wants them.
#[repr(C)]
struct Job {
    count: usize,
    /// Of the term that is scaled.
    zero_point: i32,
    multiplier: i32,
    shift: i32,
    /// What is taken off for the other term's zero point.
    offset: i32,
    /// Of the output.
    output_multiplier: i32,
    output_shift: i32,
    output_zero_point: i32,
}

const _: () = assert!(offset_of!(Job, count) == 0 && offset_of!(Job, output_zero_point) == 28);

// thumbnet_add(scaled, halved, output, job).
//
// One term's factor is 1/2, of the two the one of the larger scale: it is shifted by 19, not by 20 and then halved. The
// other is shifted, scaled and rounded as in `depthwise_s8`: on M4 31 instructions for two sums.
macro_rules! sum {
    () => {
        concat!(
            "ldrsb r11, [r0], #1\n",
            "rsb r11, r4, r11, lsl #20\n",
            scale!("r11", "r5", "r12", "lr"),
            "ldrsb r12, [r1], #1\n",
            "adds r11, r11, r11, asr #31\n",
            "asrs r11, r11, r6\n",
            "adc r11, r11, r7\n",
            "add r11, r11, r12, lsl #19\n",
            scale!("r11", "r8", "r12", "lr"),
            "adds r11, r11, r11, asr #31\n",
            "asrs r11, r11, r9\n",
            "adc r11, r11, r10\n",
            "ssat r11, #8, r11\n",
            "strb r11, [r2], #1",
        )
    };
}
thumb_function! {
    "thumbnet_add":
    "push {{r4-r11, lr}}",
    "ldm r3, {{r3-r10}}",
    "lsls r12, r3, #31",
    "add r3, r3, r0",
    // Two a round: an odd number enters at the second.
    "bmi 2f",
    "1:",
    sum!(),
    "2:",
    sum!(),
    "cmp r0, r3",
    "bne 1b",
    "pop {{r4-r11, pc}}"
}

unsafe extern "C" {
    fn thumbnet_add(scaled: *const i8, halved: *const i8, output: *mut i8, job: *const Job);
}

/// `y[i] = the sum of y[i] and x[i]`, requantised.
pub(in crate::arch) fn add_s8(layer: &AddS8, x: &[i8], y: &mut [i8]) {
    const HALF: QuantizedMultiplier = QuantizedMultiplier { multiplier: 1 << 30, shift: 0 };
    let halved = usize::from(layer.inputs[0] != HALF);
    let factor = layer.inputs[1 - halved];
    if layer.inputs[halved] != HALF || !is_plain(factor) || !is_plain(layer.output) {
        return scalar::add_s8(layer, x, y);
    }
    let count = x.len().min(y.len());
    if count > 0 {
        let job = Job {
            count,
            zero_point: i32::from(layer.input_zero_points[1 - halved]) << AddS8::LEFT_SHIFT,
            multiplier: factor.multiplier << 1,
            shift: -i32::from(factor.shift),
            offset: -i32::from(layer.input_zero_points[halved]) << (AddS8::LEFT_SHIFT - 1),
            output_multiplier: layer.output.multiplier << 1,
            output_shift: -i32::from(layer.output.shift),
            output_zero_point: layer.zero_point.into(),
        };
        let (x, to) = (x.as_ptr(), y.as_mut_ptr());
        let (first, second) = if halved == 1 { (to.cast_const(), x) } else { (x, to.cast_const()) };
        // SAFETY: the function reads so many values of both terms, and writes as many outputs, each after its terms.
        unsafe { thumbnet_add(first, second, to, &raw const job) }
    }
    clamp(y, layer.activation);
}
