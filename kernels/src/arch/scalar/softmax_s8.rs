//! Softmax of int8 values; TFLite's reference `Softmax` for 8-bit inputs and outputs.
use crate::int8::{
    SoftmaxS8, exp_on_negative_values, one_over_one_plus_x, rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul, saturating_shift_left,
};

/// The sum of exponentials has 12 integer bits: up to 4096 inputs.
const SUM_INTEGER_BITS: u32 = 12;

/// Softmax of one row, in place.
pub(crate) fn softmax_s8(layer: &SoftmaxS8, row: &mut [i8]) {
    let largest = row.iter().fold(i8::MIN, |largest, &value| largest.max(value));
    let mut sum = 0i32;
    for &value in &*row {
        if let Some(exponential) = exponential(layer, value, largest) {
            sum = sum.wrapping_add(rounding_divide_by_pot(exponential, SUM_INTEGER_BITS));
        }
    }

    // 1 / sum = reciprocal / 2^(bits over one); the sum is at least 1, because the largest input counts with e^0.
    let headroom = sum.leading_zeros();
    let fraction = ((sum as u32) << headroom).wrapping_sub(1 << 31) as i32;
    let reciprocal = one_over_one_plus_x(fraction);
    let shift = SUM_INTEGER_BITS.wrapping_sub(headroom).wrapping_add(31 - 8);

    for value in row {
        *value = exponential(layer, *value, largest).map_or(i8::MIN, |exponential| {
            let product = saturating_rounding_doubling_high_mul(reciprocal, exponential);
            // With more than 256 equal inputs the shift is 32 or more, and leaves nothing.
            let scaled = if shift > 31 { 0 } else { rounding_divide_by_pot(product, shift) };
            (scaled + i32::from(i8::MIN)).clamp(i32::from(i8::MIN), i32::from(i8::MAX)) as i8
        });
    }
}

/// `e^(value - largest)`, or `None` where that is too small to count.
#[inline(never)]
fn exponential(layer: &SoftmaxS8, value: i8, largest: i8) -> Option<i32> {
    let difference = i32::from(value) - i32::from(largest);
    (difference >= layer.diff_min).then(|| {
        let shifted = saturating_shift_left(difference, u32::from(layer.left_shift));
        exp_on_negative_values(saturating_rounding_doubling_high_mul(shifted, layer.multiplier))
    })
}
