//! Dense layer and activation on Cortex-M0, four units at a time.
use crate::int8::{DenseS8, Requantize};
use core::mem::offset_of;

/// Groups of four units. The assembly loads all fields at once.
#[repr(C)]
struct Groups {
    /// Behind the inputs, and behind the first unit's row of weights.
    inputs: *const i8,
    row: *const i8,
    /// From one unit's row to the next, minus the inputs, sums, and groups.
    stride: usize,
    minus: usize,
    sums: *mut i32,
    groups: usize,
}

// As the assembly has it.
const _: () = assert!(offset_of!(Groups, row) == 4 && offset_of!(Groups, groups) == 20);

// thumbnet_dense(groups): adds to the sums.
//
// r0, r4..r7: the ends of the inputs and of four rows; r1: minus the inputs that are left; r2, r3: an input, a weight;
// r8..r11: the sums; r12: where to enter the loop; lr: the inputs' end. On the stack: row, stride, minus, sums, groups.
// One index serves inputs and weights, so that an input of four units takes 14 instructions: 3.5 a product. A round is
// four inputs: the first one starts inside, so that none is left over.
crate::arch::arm::thumb_function! {
    "thumbnet_dense":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "ldm r0!, {{r1-r6}}",
    "mov lr, r1",
    "push {{r2-r6}}",
    "movs r2, #3",
    "ands r2, r4",
    "movs r3, #28",
    "muls r2, r3, r2",
    "adr r3, 2f",
    "adds r3, r3, r2",
    "adds r3, #1",
    "mov r12, r3",
    "1:",
    "ldr r0, [sp, #12]",
    "ldm r0!, {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "ldr r4, [sp]",
    "ldr r1, [sp, #4]",
    "adds r5, r4, r1",
    "adds r6, r5, r1",
    "adds r7, r6, r1",
    "adds r1, r7, r1",
    "str r1, [sp]",
    "mov r0, lr",
    "ldr r1, [sp, #8]",
    "bx r12",
    ".p2align 2",
    "2:",
    ".rept 4",
    "ldrsb r2, [r0, r1]",
    "ldrsb r3, [r4, r1]",
    "muls r3, r2, r3",
    "add r8, r3",
    "ldrsb r3, [r5, r1]",
    "muls r3, r2, r3",
    "add r9, r3",
    "ldrsb r3, [r6, r1]",
    "muls r3, r2, r3",
    "add r10, r3",
    "ldrsb r3, [r7, r1]",
    "muls r3, r2, r3",
    "add r11, r3",
    "adds r1, #1",
    ".endr",
    // No input is longer than the jump above assumes.
    ".org 2b + 4 * 28",
    "bne 2b",
    "ldr r0, [sp, #12]",
    "mov r1, r8",
    "mov r2, r9",
    "mov r3, r10",
    "mov r4, r11",
    "stm r0!, {{r1-r4}}",
    "str r0, [sp, #12]",
    "ldr r0, [sp, #16]",
    "subs r0, #1",
    "str r0, [sp, #16]",
    "bne 1b",
    "add sp, #20",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}"
}

/// What becomes of the sums of some units. The assembly loads four fields at once, and then the other four.
#[repr(C)]
struct Outputs {
    multiplier: *const i32,
    shift: *const i8,
    sums: *const i32,
    output: *mut i8,
    least: i32,
    largest: i32,
    zero_point: i32,
    units: usize,
}

// As the assembly has it.
const _: () = assert!(offset_of!(Outputs, output) == 12 && offset_of!(Outputs, units) == 28);

// thumbnet_dense_outputs(outputs): rounds once, halves away from zero.
//
// A sum's magnitude times the multiplier, with all halves unsigned: `2^32 xh mh + 2^16 mid + low`, where
// `mid = xl mh + xh ml + (xl ml >> 16) < 2^32`. Nearly always the low 32 bits are shifted out, and the last bit that is
// rounds.
//
// r0..r2: a sum on its way; r3: its sign; r4, r5: the multiplier's halves; r6: the shift; r7: 0. r8..r11: least,
// largest, zero point, units; r12: the lowest product. On the stack: four pointers.
crate::arch::arm::thumb_function! {
    "thumbnet_dense_outputs":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "ldm r0!, {{r1-r4}}",
    "push {{r1-r4}}",
    "ldm r0!, {{r1-r4}}",
    "mov r8, r1",
    "mov r9, r2",
    "mov r10, r3",
    "mov r11, r4",
    "1:",
    "ldr r1, [sp]",
    "ldm r1!, {{r4}}",
    "str r1, [sp]",
    "uxth r5, r4",
    "lsrs r4, r4, #16",
    "ldr r1, [sp, #4]",
    "movs r7, #0",
    "ldrsb r6, [r1, r7]",
    "adds r1, #1",
    "str r1, [sp, #4]",
    "ldr r1, [sp, #8]",
    "ldm r1!, {{r0}}",
    "str r1, [sp, #8]",
    "asrs r3, r0, #31",
    "eors r0, r3",
    "subs r0, r0, r3",
    "uxth r1, r0",
    "lsrs r0, r0, #16",
    "movs r2, r1",
    "muls r2, r5, r2",
    "mov r12, r2",
    "lsrs r2, r2, #16",
    "muls r1, r4, r1",
    "adds r1, r1, r2",
    "movs r2, r0",
    "muls r2, r5, r2",
    "adds r1, r1, r2",
    "muls r0, r4, r0",
    "lsrs r2, r1, #16",
    "adds r0, r0, r2",
    "adds r6, #1",
    "rsbs r6, r6, #0",
    "ble 6f",
    "lsrs r0, r6",
    "adcs r0, r7",
    "2:",
    "eors r0, r3",
    "subs r0, r0, r3",
    "cmp r0, r8",
    "bge 3f",
    "mov r0, r8",
    "3:",
    "cmp r0, r9",
    "ble 4f",
    "mov r0, r9",
    "4:",
    "add r0, r10",
    "ldr r1, [sp, #12]",
    "strb r0, [r1]",
    "adds r1, #1",
    "str r1, [sp, #12]",
    "mov r1, r11",
    "subs r1, #1",
    "mov r11, r1",
    "bne 1b",
    "add sp, #16",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}",
    // A shift to the right by n = 1..=32 of all 64 bits, r0 and r1. It is more than 32 bits can hold where
    // r0 >> (n - 1) is not 0, or rounding reaches 2^31: then it is beyond either end in any case.
    "6:",
    "lsls r1, r1, #16",
    "mov r2, r12",
    "uxth r2, r2",
    "adds r1, r1, r2",
    "adds r6, #32",
    "subs r2, r6, #1",
    "movs r7, r0",
    "lsrs r7, r2",
    "bne 7f",
    "movs r2, #32",
    "subs r2, r2, r6",
    "lsls r0, r2",
    "lsrs r1, r6",
    "adcs r0, r1",
    "bpl 2b",
    "7:",
    "movs r0, #1",
    "lsls r0, r0, #31",
    "subs r0, #1",
    "b 2b"
}

unsafe extern "C" {
    fn thumbnet_dense(groups: &Groups);
    fn thumbnet_dense_outputs(outputs: &Outputs);
}

/// Units whose sums are made before they are requantised: whole groups.
const BLOCK: usize = 16;

/// Runs `layer`, whose weights are plain, over one sample.
#[inline(never)]
pub(in crate::arch) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
    let units = layer.units;
    let mut first = 0;
    while first < units {
        // Whole groups; then those that are left, as the end of a group that began before; or one by one, where there
        // are fewer than four.
        let (start, count, stored) = match units - first {
            left @ 4.. => (first, left.min(BLOCK) / 4, left.min(BLOCK) / 4 * 4),
            left if units >= 4 => (units - 4, 1, left),
            _ => (first, 1, 1),
        };
        let mut sums = [[0; 4]; BLOCK / 4];
        let sums = sums.get_mut(..count).unwrap_or_default();
        add(layer, input, start, sums);
        let sums = sums.as_flattened().get(first - start..).unwrap_or_default();
        store(&layer.requantize, first, sums, output.get_mut(first..first + stored).unwrap_or_default());
        first += stored;
    }
}

/// Makes the sums of units from `first` on; where the layer has fewer than four, of that one four times.
#[inline(never)]
fn add(layer: &DenseS8<'_>, input: &[i8], first: usize, sums: &mut [[i32; 4]]) {
    let DenseS8 { inputs, units, weights, .. } = *layer;
    let bias = layer.bias.get(first..).unwrap_or_default();
    sums.as_flattened_mut().iter_mut().zip(bias).for_each(|(sum, bias)| *sum = *bias);
    let stride = if units < 4 { 0 } else { inputs };
    let last = first + if units < 4 { 1 } else { 4 * sums.len() };
    if inputs == 0 || input.len() < inputs || sums.is_empty() || last * inputs > weights.len() {
        return;
    }
    let groups = Groups {
        inputs: input.as_ptr().wrapping_add(inputs),
        row: weights.as_ptr().wrapping_add((first + 1) * inputs),
        stride,
        minus: inputs.wrapping_neg(),
        groups: sums.len(),
        sums: sums.as_flattened_mut().as_mut_ptr(),
    };
    // SAFETY: the function reads the inputs, a row of as many weights for each sum (or the same one for all four),
    // which lie in the slice, and updates the sums.
    unsafe { thumbnet_dense(&groups) }
}

/// Requantises the sums of units `first..`, as many as there are outputs.
#[inline(never)]
fn store(requantize: &Requantize<'_>, first: usize, sums: &[i32], output: &mut [i8]) {
    let (Some(multiplier), Some(shift)) = (requantize.multiplier.get(first..), requantize.shift.get(first..)) else {
        return;
    };
    let units = sums.len().min(output.len());
    if units == 0 || multiplier.len().min(shift.len()) < units {
        return;
    }
    let zero_point = i32::from(requantize.zero_point);
    let [least, largest] = requantize.activation.map(|end| i32::from(end) - zero_point);
    let (multiplier, shift, sums) = (multiplier.as_ptr(), shift.as_ptr(), sums.as_ptr());
    let outputs = Outputs { multiplier, shift, sums, output: output.as_mut_ptr(), least, largest, zero_point, units };
    // SAFETY: the function reads `units` sums, multipliers and shifts, and writes as many outputs.
    unsafe { thumbnet_dense_outputs(&outputs) }
}
