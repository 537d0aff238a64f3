//! Products of softmax: `round(a b / 2^31)`, halves up, saturated where both are -2^31, which is never so here.
//!
//! Where the double of a factor has 32 bits, that is the rounded high word of the doubled product: an instruction with
//! the DSP extension, three without; on a Cortex-M0 all products are one function.

#[cfg(thumbnet_thumb1)]
pub(super) use crate::int8::saturating_rounding_doubling_high_mul as product;

/// `round(twice * b / 2^32)`, halves up: `round(a b / 2^31)` of a number whose double this is.
#[inline(always)]
pub(super) const fn high(twice: i32, b: i32) -> i32 {
    #[cfg(thumbnet_thumb1)]
    return product(twice >> 1, b);
    #[cfg(not(thumbnet_thumb1))]
    return ((twice as i64 * b as i64 + (1 << 31)) >> 32) as i32;
}

/// `round(a b / 2^31)`, halves up, of numbers that are not both -2^31.
#[cfg(not(thumbnet_thumb1))]
#[inline(always)]
pub(super) const fn product(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64 + (1 << 30)) >> 31) as i32
}

/// `round(x c / 2^31)`, halves up, of a `c` from 2^30 on: its double is a number of 32 bits and 2^32.
#[cfg(not(thumbnet_helium))]
#[inline(always)]
pub(super) const fn scaled(x: i32, c: i32) -> i32 {
    #[cfg(thumbnet_thumb1)]
    return product(x, c);
    #[cfg(not(thumbnet_thumb1))]
    return x.wrapping_add(high(c << 1, x));
}

/// [`crate::int8::one_over_one_plus_x`] of `denominator / 2^31 - 1`; see there. The denominator is from 2^31 on.
pub(super) fn reciprocal(denominator: u32) -> i32 {
    const FORTY_EIGHT_OVER_17: i32 = 1_515_870_810;
    const MINUS_32_OVER_17: i32 = -1_010_580_540;
    let half = (denominator >> 1) as i32;
    let mut x = FORTY_EIGHT_OVER_17 + high(2 * MINUS_32_OVER_17, half);
    for _ in 0..3 {
        // At most a seventeenth of 2^29, and less from step to step: four times the product has 32 bits.
        let error = (1 << 29) - product(half, x);
        x += product(x, error) << 2;
    }
    x.saturating_add(x)
}
