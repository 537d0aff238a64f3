//! The sum of two int8 tensors on Cortex-M0.
use super::halves;
use crate::arch::scalar::add_s8 as scalar;
use crate::int8::{AddS8, QuantizedMultiplier};
use core::mem::offset_of;

/// What the inner loop needs.
#[repr(C)]
struct Job {
    count: usize,
    /// The upper bits of the scaled term's multiplier, and its lower 11.
    high: i32,
    low: i32,
    /// The halves of the output's, the lower one signed. The assembly loads these four at once.
    output_high: i32,
    output_low: i32,
    /// What is added to the scaled term before, and how far it is shifted behind.
    before: i32,
    shift: i32,
    /// What is added for the other term's zero point.
    offset: i32,
    /// The largest output less the least.
    range: i32,
    /// The zero point less the least output, and that. The assembly loads these three at once.
    zero_point: i32,
    output_shift: i32,
    least: i32,
}

// As the assembly has it.
const _: () = assert!(offset_of!(Job, high) == 4 && offset_of!(Job, before) == 20 && offset_of!(Job, least) == 44);

// thumbnet_add(scaled, halved, output, job).
//
// One term's factor is 1/2, of the two the one of the larger scale: it is shifted by 19, not by 20 and then halved. The
// other, `x`, has nine bits before it is shifted by 20. With its multiplier `2^11 h + l`, both products are within 32
// bits:
//
//     2^20 x (2^11 h + l) / 2^31 = x h + x l / 2^11
//
// What else is scaled is as in `outputs_s8`, whose rounding by the carry serves here too, and adds the zero point. The
// least output is taken off, so that one end is 0.
//
// r0, r1, r2: values on their way; r3: up to 0; r4, r5: the scaled term's multiplier; r6, r7: the output's. r8, r11:
// the ends of the terms; r9: what is added before; r10: the shift; r12: the offset; lr: the range. On the stack: the
// output's end, zero point, shift, least. 50 instructions a sum.
crate::arch::arm::thumb_function! {
    "thumbnet_add":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "ldm r3!, {{r4}}",
    "adds r0, r0, r4",
    "mov r8, r0",
    "adds r1, r1, r4",
    "mov r11, r1",
    "adds r7, r2, r4",
    "rsbs r0, r4, #0",
    "movs r1, r3",
    "adds r1, #16",
    "ldm r1!, {{r2, r4, r5, r6}}",
    "mov r9, r2",
    "mov r10, r4",
    "mov r12, r5",
    "mov lr, r6",
    "ldm r1!, {{r2, r4, r5}}",
    "push {{r2, r4, r5}}",
    "push {{r7}}",
    "ldm r3!, {{r4-r7}}",
    "movs r3, r0",
    "1:",
    "mov r0, r8",
    "ldrsb r0, [r0, r3]",
    "add r0, r9",
    "movs r1, r0",
    "muls r1, r5, r1",
    "muls r0, r4, r0",
    "asrs r1, r1, #11",
    "adcs r0, r1",
    "mov r2, r10",
    "asrs r1, r0, #31",
    "adds r0, r0, r1",
    "asrs r0, r2",
    "mov r1, r11",
    "ldrsb r2, [r1, r3]",
    "mov r1, r12",
    "adcs r0, r1",
    "lsls r2, r2, #19",
    "adds r0, r0, r2",
    "sxth r1, r0",
    "asrs r0, r0, #16",
    "movs r2, #0",
    "adcs r0, r2",
    "movs r2, r1",
    "muls r2, r7, r2",
    "asrs r2, r2, #16",
    "muls r1, r6, r1",
    "adds r1, r1, r2",
    "movs r2, r0",
    "muls r2, r7, r2",
    "adds r1, r1, r2",
    "muls r0, r6, r0",
    "lsls r0, r0, #1",
    "asrs r1, r1, #15",
    "adcs r0, r1",
    "ldr r2, [sp, #8]",
    "asrs r1, r0, #31",
    "adds r0, r0, r1",
    "asrs r0, r2",
    "ldr r1, [sp, #4]",
    "adcs r0, r1",
    "asrs r1, r0, #31",
    "bics r0, r1",
    "cmp r0, lr",
    "ble 2f",
    "mov r0, lr",
    "2:",
    "ldr r1, [sp, #12]",
    "adds r0, r0, r1",
    "ldr r1, [sp]",
    "strb r0, [r1, r3]",
    "adds r3, #1",
    "bne 1b",
    "add sp, #16",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}"
}

unsafe extern "C" {
    fn thumbnet_add(scaled: *const i8, halved: *const i8, output: *mut i8, job: &Job);
}

/// `y[i] = the sum of y[i] and x[i]`, requantised.
#[inline(never)]
pub(in crate::arch) fn add_s8(layer: &AddS8, x: &[i8], y: &mut [i8]) {
    const HALF: QuantizedMultiplier = QuantizedMultiplier { multiplier: 1 << 30, shift: 0 };
    let halved = usize::from(layer.inputs[0] != HALF);
    let (factor, output) = (layer.inputs[1 - halved], layer.output);
    let count = x.len().min(y.len());
    if layer.inputs[halved] != HALF || factor.shift > 0 || output.shift > 0 || count == 0 {
        return scalar::add_s8(layer, x, y);
    }
    let [least, largest] = layer.activation.map(i32::from);
    let [output_high, output_low] = halves(output.multiplier);
    let job = Job {
        count,
        high: factor.multiplier >> 11,
        low: factor.multiplier & 0x7ff,
        output_high,
        output_low,
        before: -i32::from(layer.input_zero_points[1 - halved]),
        shift: -i32::from(factor.shift),
        offset: -i32::from(layer.input_zero_points[halved]) << (AddS8::LEFT_SHIFT - 1),
        range: largest - least,
        zero_point: i32::from(layer.zero_point) - least,
        output_shift: -i32::from(output.shift),
        least,
    };
    let (x, to) = (x.as_ptr(), y.as_mut_ptr());
    let (first, second) = if halved == 1 { (to.cast_const(), x) } else { (x, to.cast_const()) };
    // SAFETY: the function reads so many values of both terms, and writes as many outputs, each after its terms.
    unsafe { thumbnet_add(first, second, to, &job) }
}
