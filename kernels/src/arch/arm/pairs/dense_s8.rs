//! Dense layer and activation on Cortex-M3, M4, M7 and M33, four units at a time.
//!
//! ```text
//! for each block of units
//!     for each stretch of inputs
//!         expand the inputs
//!         for each four units, and for the last ones: multiply
//!     requantise
//! ```
//!
//! So the inputs are expanded once a block instead of once every four units, and neither the expanded inputs nor the
//! sums that wait from stretch to stretch need memory in proportion to the layer.
use super::Core;
use crate::arch::cores::{BLOCK, DenseCut, expanded_words};
use crate::int8::{DenseS8, Packing};
use core::mem::offset_of;

/// How a core keeps inputs.
pub(in crate::arch::arm) trait Vector: DenseCut {
    /// Writes `values` into `expanded`, as many as this has room for.
    fn expand(values: &[i8], expanded: &mut [i32]);
}

/// Ends four units: makes the odd ones' sums of r4 and r5 and the even ones' of r6 and r7, stores them, and goes on at
/// label 8 if there are more; then takes the frame off.
macro_rules! end_of_four {
    () => {
        concat!(
            "6:\n",
            "ldr r3, [sp, #{sums}]\n",
            "ldr r2, [r3, #4]\n",
            "ldr r8, [r3, #12]\n",
            "sub r4, r4, r6\n",
            "sub r5, r5, r7\n",
            "add r4, r2, r4, asr #8\n",
            "add r5, r8, r5, asr #8\n",
            "strd r6, r4, [r3], #8\n",
            "strd r7, r5, [r3], #8\n",
            "str r3, [sp, #{sums}]\n",
            "ldrd r4, r5, [sp, #{end}]\n",
            "add r1, r1, r5\n",
            "cmp r3, r4\n",
            "bne.w 8b\n",
            "add sp, #4 * {words} + 8\n",
        )
    };
}
pub(in crate::arch::arm) use end_of_four;

/// Fours of units over one stretch of inputs: what the assembly must know.
#[repr(C)]
pub(in crate::arch::arm) struct Fours {
    inputs: *const i32,
    /// Inputs of the stretch.
    count: usize,
    /// Of the first four: the weights, from the stretch's first input on, and the sums.
    weights: *const i8,
    sums: *mut i32,
    /// Where the sums of the last four end.
    end: *const i32,
    /// Bytes of weights between the end of one stretch of four units and the start of the next one's.
    skip: usize,
}

impl Fours {
    pub(in crate::arch::arm) const COUNT: usize = offset_of!(Self, count);
    pub(in crate::arch::arm) const SUMS: usize = offset_of!(Self, sums);
    pub(in crate::arch::arm) const END: usize = offset_of!(Self, end);
    pub(in crate::arch::arm) const SKIP: usize = offset_of!(Self, skip);
    /// Its words.
    pub(in crate::arch::arm) const WORDS: usize = size_of::<Self>() / 4;
}

/// How sums become outputs.
#[repr(C)]
struct Outputs {
    multiplier: *const i32,
    shift: *const i8,
    output: *mut i8,
    count: usize,
    zero_point: i32,
    bounded: usize,
    least: i32,
    largest: i32,
}

const _: () = {
    assert!(offset_of!(Fours, inputs) == 0 && Fours::COUNT == 4 && offset_of!(Fours, weights) == 8);
    assert!(Fours::SUMS == 12 && Fours::END == 16 && Fours::SKIP == 20 && Fours::WORDS == 6);
    assert!(offset_of!(Outputs, multiplier) == 0 && offset_of!(Outputs, largest) == 28);
};

unsafe extern "C" {
    fn thumbnet_dense(fours: &Fours);
    fn thumbnet_dense_pair(inputs: *const i32, weights: *const i8, count: usize, sums: &mut [i32; 2]);
    fn thumbnet_dense_one(inputs: *const i32, weights: *const i8, count: usize, sum: &mut i32);
    fn thumbnet_dense_outputs(sums: *const i32, outputs: &Outputs);
}

// thumbnet_dense_outputs(sums, outputs): see `int8::multiply_rounding_once`. The product starts at one less where it is
// negative, so that halves up are halves away from zero.
crate::arch::arm::thumb_function! {
    "thumbnet_dense_outputs":
    "push {{r4-r11, lr}}",
    "ldm r1, {{r1, r2, r3, r4, r5, r6, r7, r8}}",
    "1:",
    "ldr r9, [r0], #4",
    "ldr r10, [r1], #4",
    "asr r11, r9, #31",
    "mov lr, r11",
    "smlal r11, lr, r9, r10",
    // All of the low word is shifted out, and some more places: or else it goes the long way.
    "ldrsb r12, [r2], #1",
    "mvns r12, r12",
    "ble 5f",
    "asrs lr, lr, r12",
    "adc lr, lr, r5",
    "2:",
    "ssat lr, #8, lr",
    "cbnz r6, 4f",
    "3:",
    "strb lr, [r3], #1",
    "subs r4, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}",
    "4:",
    "cmp lr, r7",
    "it lt",
    "movlt lr, r7",
    "cmp lr, r8",
    "it gt",
    "movgt lr, r8",
    "b 3b",
    // To the left, a place at a time, until it is too large.
    "5:",
    "adds r12, #1",
    "bgt 6f",
    "adds r11, r11, r11",
    "adcs lr, lr, lr",
    "bvc 5b",
    "asr lr, lr, #31",
    "eor lr, lr, #0x80000000",
    "b 7f",
    "6:",
    "lsls r11, r11, #1",
    "adcs lr, lr, #0",
    "it vs",
    "mvnvs lr, #0x80000000",
    "7:",
    "ssat lr, #16, lr",
    "add lr, lr, r5",
    "b 2b"
}

/// Runs `layer`, whose weights are packed in quads and aligned to words, over one sample; does nothing if they are not.
pub(in crate::arch) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    if !layer.weights.as_ptr().addr().is_multiple_of(4) || layer.packing != Packing::Quads {
        return;
    }
    let Some((expanded, sums)) = scratch.split_at_mut_checked(expanded_words::<Core>(layer.inputs)) else { return };
    let fours = layer.units / 4;
    for first in (0..fours.max(1)).step_by(BLOCK) {
        let count = (fours - first).min(BLOCK);
        let end = if first + count == fours { layer.units } else { 4 * (first + count) };
        let units = 4 * first..end;
        let (Some(sums), Some(bias)) = (sums.get_mut(..units.len()), layer.bias.get(units.clone())) else { return };
        sums.iter_mut().zip(bias).for_each(|(sum, bias)| *sum = *bias);
        let mut start = 0;
        for values in input.chunks(Core::INPUTS) {
            // A single stretch may still be there from the block before.
            if first == 0 || input.len() > Core::INPUTS {
                Core::expand(values, expanded);
            }
            let Some((of_fours, rest)) = sums.split_at_mut_checked(4 * count) else { return };
            // Where a network has no four units, all that is for them is left out.
            if count > 0 {
                multiply_fours(layer, 4 * first, start, values.len(), expanded, of_fours);
            }
            multiply_rest(layer, start, values.len(), expanded, rest);
            start += values.len();
        }
        requantize(layer, units.start, sums, output);
    }
}

// Apart, these three keep their parameters out of the frame of whoever runs a network's steps, which is on the stack in
// convolutions as well.

/// Adds the products of `count` inputs from `start` on with the weights of units from `first` on to the sums, of which
/// there are four by four.
#[inline(never)]
fn multiply_fours(layer: &DenseS8<'_>, first: usize, start: usize, count: usize, inputs: &[i32], sums: &mut [i32]) {
    let end = (first + sums.len()).saturating_mul(layer.inputs);
    let Some(weights) = layer.weights.get(first * layer.inputs..end) else { return };
    let Some(weights) = weights.get(4 * start..).filter(|_| start + count <= layer.inputs) else { return };
    if sums.is_empty() || count == 0 || expanded_words::<Core>(count) > inputs.len() {
        return;
    }
    let fours = Fours {
        inputs: inputs.as_ptr(),
        count,
        weights: weights.as_ptr(),
        end: sums.as_ptr_range().end,
        sums: sums.as_mut_ptr(),
        skip: 4 * (layer.inputs - count),
    };
    // SAFETY: the function reads `count` expanded inputs, the weights of as many inputs of the units, and updates their
    // sums; all lie inside, and the caller aligned the weights to words.
    unsafe { thumbnet_dense(&fours) }
}

/// The same for the last units, up to three: a pair, and one whose weights are plain.
#[inline(never)]
fn multiply_rest(layer: &DenseS8<'_>, start: usize, count: usize, inputs: &[i32], sums: &mut [i32]) {
    if sums.is_empty() || count == 0 || expanded_words::<Core>(count) > inputs.len() {
        return;
    }
    let Some(weights) = layer.weights.get((layer.units - sums.len()) * layer.inputs..) else { return };
    let (pairs, one) = sums.as_chunks_mut::<2>();
    for pair in &mut *pairs {
        let Some(weights) = weights.get(2 * start..2 * (start + count)) else { return };
        // SAFETY: the function reads `count` expanded inputs and the weights of as many, and updates the sums.
        unsafe { thumbnet_dense_pair(inputs.as_ptr(), weights.as_ptr(), count, pair) }
    }
    for sum in one {
        let first = 2 * pairs.len() * layer.inputs + start;
        let Some(weights) = weights.get(first..first + count) else { return };
        // SAFETY: as above.
        unsafe { thumbnet_dense_one(inputs.as_ptr(), weights.as_ptr(), count, sum) }
    }
}

/// Makes outputs of the sums of units from `first` on.
#[inline(never)]
fn requantize(layer: &DenseS8<'_>, first: usize, sums: &[i32], output: &mut [i8]) {
    let (units, requantize) = (first..first + sums.len(), &layer.requantize);
    let (Some(multiplier), Some(shift), Some(output)) =
        (requantize.multiplier.get(units.clone()), requantize.shift.get(units.clone()), output.get_mut(units))
    else {
        return;
    };
    let [least, largest] = requantize.activation;
    let outputs = Outputs {
        multiplier: multiplier.as_ptr(),
        shift: shift.as_ptr(),
        output: output.as_mut_ptr(),
        count: sums.len(),
        zero_point: requantize.zero_point.into(),
        bounded: usize::from((least, largest) != (i8::MIN, i8::MAX)),
        least: least.into(),
        largest: largest.into(),
    };
    if outputs.count > 0 {
        // SAFETY: the function reads as many sums, multipliers and shifts as there are, and writes as many outputs.
        unsafe { thumbnet_dense_outputs(sums.as_ptr(), &outputs) }
    }
}
