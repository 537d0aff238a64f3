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
//! So the inputs are expanded once a block instead of once every four units, and neither the expanded inputs nor the
//! sums that wait from stretch to stretch need memory in proportion to the layer.
use super::Core;
use crate::arch::cores::{BLOCK, DenseCut, expanded_words};
use crate::arch::scalar::conv_s8::dot;
use crate::int8::DenseS8;

/// Sums of four units: of the odd ones, then of the even ones, in the order in which their registers are stored.
pub(in crate::arch::arm) type Sums = [i32; 4];

/// How a core keeps inputs, and multiplies them.
pub(in crate::arch::arm) trait Vector: DenseCut {
    /// Writes `values` into `expanded`.
    fn expand(values: &[i8], expanded: &mut [i32]);

    /// Adds the products of the expanded inputs with the weights of four units (four bytes for each input) to the sums.
    fn multiply(expanded: &[i32], weights: &[i8], sums: &mut Sums);
}

/// Runs `layer`, whose weights are packed in quads and aligned to words, over one sample.
pub(in crate::arch) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
    assert!(layer.weights.as_ptr().addr().is_multiple_of(4), "the weights do not start at a multiple of 4");
    let (expanded, sums) = scratch.split_at_mut(expanded_words::<Core>(layer.inputs));
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
            let unit = 4 * (block + group);
            layer.requantize.dense(unit, &[a, b, c, d], &mut output[unit..]);
        }
    }
    // Up to three units are left over: a pair, and one whose weights are plain.
    for unit in (groups * 4..layer.units).step_by(2) {
        let weights = &layer.weights[unit * layer.inputs..];
        let sums = match layer.bias[unit..] {
            [a, b, ..] => pair([a, b], weights.as_chunks().0, input),
            [sum] => [sum.wrapping_add(dot(weights, input)), 0],
            [] => return,
        };
        layer.requantize.dense(unit, &sums, &mut output[unit..]);
    }
}

/// The sums of two units, whose weights `a` and `b` lie as `a + 256 b`.
fn pair([mut a, mut b]: [i32; 2], weights: &[[i8; 2]], input: &[i8]) -> [i32; 2] {
    for (&[low, high], &value) in weights.iter().zip(input) {
        let (low, high, value) = (i32::from(low), i32::from(high), i32::from(value));
        a = a.wrapping_add(low * value);
        b = b.wrapping_add((high - (low >> 31)) * value);
    }
    [a, b]
}
