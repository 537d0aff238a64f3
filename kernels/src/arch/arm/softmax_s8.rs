//! Softmax of int8 values: the scalar kernel's numbers in fewer steps.

use super::products::{high, product, reciprocal, scaled};
use crate::int8::{SoftmaxS8, saturating_shift_left};

/// The sum of exponentials has 12 integer bits.
const SUM_INTEGER_BITS: u32 = 12;

/// Softmax of each run of `len` values, in place.
pub(in crate::arch) fn softmax_s8(layer: &SoftmaxS8, len: usize, values: &mut [i8]) {
    for row in values.chunks_exact_mut(len.max(1)) {
        softmax_row(layer, row);
    }
}

/// Exponentials that are kept from the sum to the outputs. Of longer rows the others are computed again.
const KEPT: usize = 16;

fn softmax_row(layer: &SoftmaxS8, row: &mut [i8]) {
    let mut kept = [0; KEPT];
    let largest = row.iter().fold(i32::from(i8::MIN), |largest, &value| largest.max(value.into()));
    let mut sum = 0u32;
    for (i, &value) in row.iter().enumerate() {
        let exponential = exponential(layer, i32::from(value) - largest);
        // It is not negative: its halves go up.
        sum = sum.wrapping_add((exponential + (1 << (SUM_INTEGER_BITS - 1))) >> SUM_INTEGER_BITS);
        if let Some(kept) = kept.get_mut(i) {
            *kept = exponential;
        }
    }
    let headroom = sum.leading_zeros();
    let reciprocal = reciprocal(sum << headroom);
    // From 23 on, since the sum has at least 20 bits. Beyond 31 nothing is left.
    let shift = SUM_INTEGER_BITS.wrapping_sub(headroom).wrapping_add(31 - 8);
    let half = if shift > 31 { 0 } else { 1 << (shift - 1) };
    for (i, value) in row.iter_mut().enumerate() {
        let exponential = match kept.get(i) {
            Some(&kept) => kept,
            None => exponential(layer, i32::from(*value) - largest),
        };
        // Neither factor is negative.
        let product = product(reciprocal, exponential as i32) as u32;
        let scaled = if shift > 31 { 0 } else { (product + half) >> shift };
        *value = (scaled as i32 - 128).min(127) as i8;
    }
}

/// `e^difference` as a raw number without integer bits, 0 where it is too small to count.
#[inline(never)]
fn exponential(layer: &SoftmaxS8, difference: i32) -> u32 {
    if difference < layer.diff_min {
        return 0;
    }
    let shifted = saturating_shift_left(difference, layer.left_shift.into());
    exp_on_negative_values(product(shifted, layer.multiplier)) as u32
}

/// [`crate::int8::exp_on_negative_values`]; see there.
fn exp_on_negative_values(a: i32) -> i32 {
    const ONE_QUARTER: i32 = 1 << 24;
    const EXP_OF_MINUS_ONE_EIGHTH: i32 = 1_895_147_668;
    const ONE_THIRD: i32 = 715_827_883;
    if a == 0 {
        return i32::MAX;
    }
    let rest = (a & (ONE_QUARTER - 1)) - ONE_QUARTER;
    // In -2^28..2^28, so that all sums and doubles below have 32 bits, and what is divided is not negative: x^2 is
    // larger than a third of x^3.
    let x = (rest << 5) + (1 << 28);
    let x2 = high(2 * x, x);
    let x3 = high(2 * x2, x);
    let x4 = high(2 * x2, x2);
    let third_and_fourth = high(2 * (((x4 + 2) >> 2) + x3), ONE_THIRD);
    let from_second_on = (third_and_fourth + x2 + 1) >> 1;
    let mut result = EXP_OF_MINUS_ONE_EIGHTH + high(2 * (x + from_second_on), EXP_OF_MINUS_ONE_EIGHTH);
    let multiple = rest.wrapping_sub(a);
    let has = |power: u32| multiple & (ONE_QUARTER << power) != 0;
    if has(0) {
        result = scaled(result, 1_672_461_947);
    }
    if has(1) {
        result = scaled(result, 1_302_514_674);
    }
    // The doubles of these have 32 bits.
    if has(2) {
        result = high(2 * 790_015_084, result);
    }
    if has(3) {
        result = high(2 * 290_630_308, result);
    }
    if has(4) {
        result = high(2 * 39_332_535, result);
    }
    if has(5) {
        result = high(2 * 720_401, result);
    }
    if has(6) {
        result = high(2 * 242, result);
    }
    result
}
