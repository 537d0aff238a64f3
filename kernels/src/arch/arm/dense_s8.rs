//! Dense layer and activation on Cortex-M3 and up, four units at a time.
//!
//! ```text
//! for each block of units
//!     for each stretch of inputs
//!         expand the inputs
//!         for each four units: multiply
//!     requantise
//! ```
//!
//! So the inputs are expanded once a block instead of once every four units, and neither the expanded inputs nor the sums
//! that wait from stretch to stretch need memory in proportion to the layer.
#![expect(unsafe_code, reason = "enters the assembly")]
use super::Core;
use crate::quant::{DenseS8, Packing};

/// Groups of four units whose sums wait in scratch at a time.
const BLOCK: usize = 32;

/// Sums of four units: of the odd ones, then of the even ones, in the order in which their registers are stored.
pub(super) type Sums = [i32; 4];

/// How a core keeps inputs, and multiplies them.
pub(super) trait Vector {
    /// Inputs of a stretch. Even, and at most [`crate::quant::Packing::SUM_LIMIT`].
    const INPUTS: usize;

    /// The words that two inputs take.
    const WORDS_FOR_TWO: usize;

    /// Writes `values` into `expanded`.
    fn expand(values: &[i8], expanded: &mut [i32]);

    /// Adds the products of the expanded inputs with the weights of four units (four bytes for each input) to the sums.
    fn multiply(expanded: &[i32], weights: &[i8], sums: &mut Sums);
}

/// The words of a stretch.
const fn expanded_words(inputs: usize) -> usize {
    let inputs = if inputs < Core::INPUTS { inputs } else { Core::INPUTS };
    inputs.div_ceil(2) * Core::WORDS_FOR_TWO
}

/// The words of scratch that [`dense_s8`] needs.
pub(in crate::arch) const fn dense_s8_scratch_len(inputs: usize, units: usize) -> usize {
    let groups = units / 4;
    expanded_words(inputs) + (if groups < BLOCK { groups } else { BLOCK }) * 4
}

/// Runs `layer`, whose weights are packed in quads and aligned to words, over one sample.
pub(in crate::arch) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    let (expanded, sums) = scratch.split_at_mut(expanded_words(layer.inputs));
    let sums = sums.as_chunks_mut::<4>().0;
    let groups = layer.units / 4;
    for block in (0..groups).step_by(BLOCK) {
        let sums = &mut sums[..(groups - block).min(BLOCK)];
        for (sums, bias) in sums.iter_mut().zip(&layer.bias.as_chunks::<4>().0[block..]) {
            *sums = [bias[1], bias[3], bias[0], bias[2]];
        }
        let mut first = 4 * block * layer.inputs;
        for values in input.chunks(Core::INPUTS) {
            // A single stretch may still be there from the block before.
            if block == 0 || input.len() > Core::INPUTS {
                Core::expand(values, expanded);
            }
            let mut at = first;
            for sums in &mut *sums {
                Core::multiply(expanded, &layer.weights[at..][..4 * values.len()], sums);
                at += 4 * layer.inputs;
            }
            first += 4 * values.len();
        }
        for (group, &[b, d, a, c]) in sums.iter().enumerate() {
            store(layer, 4 * (block + group), &[a, b, c, d], output);
        }
    }
    // Up to three units are left over: a pair, and one whose weights are plain.
    for unit in (groups * 4..layer.units).step_by(2) {
        store(layer, unit, &last(layer, input, unit), output);
    }
}

/// Requantises the sums of units from `unit` on, as far as there are any.
#[inline(never)]
fn store(layer: &DenseS8<'_>, unit: usize, sums: &[i32], output: &mut [i8]) {
    for ((unit, &sum), output) in (unit..).zip(sums).zip(&mut output[unit..]) {
        *output = layer.requantize.dense(unit, sum);
    }
}

// thumbnet_dense_pair(weights, input, count, sums): adds to the sums of two units, b and a, whose weights are halfwords
// a + 256 b.
core::arch::global_asm!(
    ".syntax unified",
    ".thumb",
    concat!(".cpu ", env!("THUMBNET_CPU")),
    ".section .text.thumbnet_dense_pair,\"ax\",%progbits",
    ".p2align 2",
    ".global thumbnet_dense_pair",
    ".type thumbnet_dense_pair, %function",
    ".thumb_func",
    "thumbnet_dense_pair:",
    "push {{r4-r7, lr}}",
    "ldrd r4, r5, [r3]",
    "mov r6, r5",
    "1:",
    "ldrsh r7, [r0], #2",
    "ldrsb r12, [r1], #1",
    "mla r6, r7, r12, r6",
    "sxtb r7, r7",
    "mla r5, r7, r12, r5",
    "subs r2, #1",
    "bne 1b",
    "sub r6, r6, r5",
    "add r4, r4, r6, asr #8",
    "strd r4, r5, [r3]",
    "pop {{r4-r7, pc}}",
    ".size thumbnet_dense_pair, . - thumbnet_dense_pair",
);

// thumbnet_dense_one(weights, input, count, sum): the sum and the products of one unit, whose weights are plain.
core::arch::global_asm!(
    ".syntax unified",
    ".thumb",
    concat!(".cpu ", env!("THUMBNET_CPU")),
    ".section .text.thumbnet_dense_one,\"ax\",%progbits",
    ".p2align 2",
    ".global thumbnet_dense_one",
    ".type thumbnet_dense_one, %function",
    ".thumb_func",
    "thumbnet_dense_one:",
    "push {{r4, lr}}",
    "1:",
    "ldrsb r4, [r0], #1",
    "ldrsb r12, [r1], #1",
    "mla r3, r4, r12, r3",
    "subs r2, #1",
    "bne 1b",
    "mov r0, r3",
    "pop {{r4, pc}}",
    ".size thumbnet_dense_one, . - thumbnet_dense_one",
);

unsafe extern "C" {
    fn thumbnet_dense_pair(weights: *const i8, input: *const i8, count: usize, sums: &mut [i32; 2]);
    fn thumbnet_dense_one(weights: *const i8, input: *const i8, count: usize, sum: i32) -> i32;
}

/// The sums of the last one or two units.
#[inline(never)]
fn last(layer: &DenseS8<'_>, input: &[i8], unit: usize) -> [i32; 2] {
    let weights = &layer.weights[unit * input.len()..];
    if layer.units - unit == 1 {
        assert!(!input.is_empty() && weights.len() >= input.len());
        // SAFETY: there are that many weights and inputs, at least one.
        return [unsafe { thumbnet_dense_one(weights.as_ptr(), input.as_ptr(), input.len(), layer.bias[unit]) }, 0];
    }
    let mut sums = [layer.bias[unit + 1], layer.bias[unit]];
    for (weights, input) in weights.chunks(2 * Packing::SUM_LIMIT).zip(input.chunks(Packing::SUM_LIMIT)) {
        assert!(weights.len() >= 2 * input.len());
        // SAFETY: there are that many halfwords of weights and inputs, at least one.
        unsafe { thumbnet_dense_pair(weights.as_ptr(), input.as_ptr(), input.len(), &mut sums) }
    }
    [sums[1], sums[0]]
}
