//! The product of two int8 tensors on Cortex-M0.
use super::halves;
use crate::arch::scalar::multiply_s8 as scalar;
use crate::int8::MulS8;
use core::mem::offset_of;

/// What the inner loop needs. The assembly loads five fields at once, and then the others.
#[repr(C)]
struct Job {
    count: usize,
    /// The multiplier's halves, the lower one signed.
    high: i32,
    low: i32,
    shift: i32,
    /// The output's zero point less the least output.
    zero_point: i32,
    /// What is added to both factors.
    before: [i32; 2],
    /// The least output, and the largest less that.
    least: i32,
    range: i32,
}

// As the assembly has it.
const _: () = assert!(offset_of!(Job, before) == 20 && offset_of!(Job, range) == 32);

// thumbnet_multiply(x, y, job).
//
// A product `p` of two factors has a magnitude of at most 255^2, and with `m = 2^16 h + l` of a signed `l` these are
// within 32 bits, the sum too:
//
//     p m / 2^31 = (p h + p l / 2^16) / 2^15
//
// It is rounded as in `outputs_s8`, and brought between the ends as in `add_s8`.
//
// r0, r1, r2: values on their way; r3: up to 0; r4, r5: the multiplier; r6: the shift; r7: the zero point. r8, r9: the
// ends of x and y; r10, r11: what is added before; r12: the least; lr: the range. 27 instructions a product.
crate::arch::arm::thumb_function! {
    "thumbnet_multiply":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "ldm r2!, {{r3-r7}}",
    "adds r0, r0, r3",
    "mov r8, r0",
    "adds r1, r1, r3",
    "mov r9, r1",
    "rsbs r3, r3, #0",
    "ldm r2!, {{r0, r1}}",
    "mov r10, r0",
    "mov r11, r1",
    "ldm r2!, {{r0, r1}}",
    "mov r12, r0",
    "mov lr, r1",
    "1:",
    "mov r0, r8",
    "ldrsb r0, [r0, r3]",
    "add r0, r10",
    "mov r2, r9",
    "ldrsb r1, [r2, r3]",
    "add r1, r11",
    "muls r0, r1, r0",
    "movs r1, r0",
    "muls r1, r5, r1",
    "asrs r1, r1, #16",
    "muls r0, r4, r0",
    "adds r0, r0, r1",
    "asrs r0, r0, #15",
    "movs r1, #0",
    "adcs r0, r1",
    "asrs r1, r0, #31",
    "adds r0, r0, r1",
    "asrs r0, r6",
    "adcs r0, r7",
    "asrs r1, r0, #31",
    "bics r0, r1",
    "cmp r0, lr",
    "ble 2f",
    "mov r0, lr",
    "2:",
    "add r0, r12",
    "strb r0, [r2, r3]",
    "adds r3, #1",
    "bne 1b",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}"
}

unsafe extern "C" {
    fn thumbnet_multiply(x: *const i8, y: *mut i8, job: &Job);
}

/// Multiplies `y` by `x` in place; `x` is repeated where it is shorter.
#[inline(never)]
pub(in crate::arch) fn multiply_s8(layer: &MulS8, x: &[i8], y: &mut [i8]) {
    if layer.factor.shift > 0 || x.is_empty() {
        return scalar::multiply_s8(layer, x, y);
    }
    let [least, largest] = layer.activation.map(i32::from);
    let [high, low] = halves(layer.factor.multiplier);
    let [of_y, of_x] = layer.input_zero_points;
    let job = Job {
        count: x.len(),
        high,
        low,
        shift: -i32::from(layer.factor.shift),
        zero_point: i32::from(layer.zero_point) - least,
        before: [-i32::from(of_x), -i32::from(of_y)],
        least,
        range: largest - least,
    };
    for y in y.chunks_exact_mut(x.len()) {
        // SAFETY: the function reads as many values as `x` has, and reads and writes as many of `y`.
        unsafe { thumbnet_multiply(x.as_ptr(), y.as_mut_ptr(), &job) }
    }
}
