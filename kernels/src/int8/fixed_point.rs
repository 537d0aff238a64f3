//! The fixed-point arithmetic of TFLite's reference kernels, which take theirs from gemmlowp.
//!
//! Everything here is integer arithmetic and `const fn`. "Raw" numbers are Q-format: a raw `x` with `i` integer bits
//! stands for `x / 2^(31 - i)`.

/// A real number as `multiplier * 2^(shift - 31)`, with the multiplier in `2^30..2^31` (or 0 for zero).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct QuantizedMultiplier {
    /// The significant bits.
    pub multiplier: i32,
    /// The power of two, in `-31..=30`: positive shifts left.
    pub shift: i8,
}

impl QuantizedMultiplier {
    /// 0.
    pub const ZERO: Self = Self { multiplier: 0, shift: 0 };

    /// `x` times this number, rounded as [`multiply_by_quantized_multiplier`] does.
    #[inline(always)]
    pub const fn apply(self, x: i32) -> i32 {
        multiply_by_quantized_multiplier(x, self.multiplier, self.shift as i32)
    }

    /// Whether the arithmetic is defined for it.
    pub(crate) const fn is_valid(self) -> bool {
        self.multiplier >= 0 && -31 <= self.shift && self.shift <= 30
    }
}

/// `value` above a zero point, within the ends of an activation (the least first).
#[inline(always)]
pub(crate) const fn clamp(value: i32, zero_point: i8, [least, largest]: [i8; 2]) -> i8 {
    let value = value.saturating_add(zero_point as i32);
    if value < least as i32 {
        least
    } else if value > largest as i32 {
        largest
    } else {
        value as i8
    }
}

/// `real` as a fixed-point multiplier; TFLite's `QuantizeMultiplier`.
///
/// `real` is rounded to 31 significant bits, halves away from zero. What is below `2^-32` becomes 0, what is too large
/// the largest that there is. The sign, an infinity and NaN are the caller's errors: the result is then 0 or the
/// largest.
pub const fn quantize_multiplier(real: f64) -> QuantizedMultiplier {
    if real.is_nan() || real <= 0.0 {
        return QuantizedMultiplier::ZERO;
    }
    // `frexp`: real = mantissa / 2^53 * 2^exponent, with the quotient in 0.5..1. Subnormals are below 2^-32 in any
    // case.
    let bits = real.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1022;
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    let mut multiplier = (mantissa + (1 << 21)) >> 22;
    if multiplier == 1 << 31 {
        multiplier >>= 1;
        exponent += 1;
    }
    if exponent < -31 {
        return QuantizedMultiplier::ZERO;
    }
    if exponent > 30 {
        return QuantizedMultiplier { multiplier: i32::MAX, shift: 30 };
    }
    QuantizedMultiplier { multiplier: multiplier as i32, shift: exponent as i8 }
}

/// `round(a * b / 2^31)`, halves up, saturated; gemmlowp's `SaturatingRoundingDoublingHighMul`, ARM's `VQRDMULH`.
///
/// Not inlined on a microcontroller, where a 64-bit product is many instructions and this is called from many places.
#[cfg_attr(not(target_arch = "arm"), inline(always))]
#[cfg_attr(target_arch = "arm", inline(never))]
pub const fn saturating_rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    // -1 * -1 = 1 is the only product that Q31 cannot hold.
    if a == i32::MIN && b == i32::MIN {
        return i32::MAX;
    }
    #[cfg(thumbnet_thumb1)]
    return of_halves(a, b);
    #[cfg(not(thumbnet_thumb1))]
    return ((a as i64 * b as i64 + (1 << 30)) >> 31) as i32;
}

/// `round(a * b / 2^31)`, halves up, where that is no 2^31, from products of 16-bit halves: for cores on which a
/// product of 64 bits is many instructions. The low halves are signed, so that all that is added is within 32 bits, but
/// for the product of the high ones, which may wrap.
#[cfg(any(test, thumbnet_thumb1))]
const fn of_halves(a: i32, b: i32) -> i32 {
    let [a_low, b_low] = [a as i16 as i32, b as i16 as i32];
    let [a_high, b_high] = [(a >> 16) + (a_low < 0) as i32, (b >> 16) + (b_low < 0) as i32];
    let middle = a_low * b_high + a_high * b_low + ((a_low * b_low) >> 16);
    (a_high * b_high).wrapping_mul(2).wrapping_add((middle >> 15) + ((middle >> 14) & 1))
}

/// `round(x / 2^exponent)`, halves away from zero; gemmlowp's `RoundingDivideByPOT`. `exponent` is in `0..=31`.
#[inline(always)]
pub const fn rounding_divide_by_pot(x: i32, exponent: u32) -> i32 {
    let mask = ((1u32 << exponent) - 1) as i32;
    let remainder = x & mask;
    let threshold = (mask >> 1) + (x < 0) as i32;
    (x >> exponent) + (remainder > threshold) as i32
}

/// `x * 2^exponent`, saturated. `exponent` is in `0..=31`.
#[inline(always)]
pub const fn saturating_shift_left(x: i32, exponent: u32) -> i32 {
    let shifted = x << exponent;
    if shifted >> exponent == x {
        shifted
    } else if x < 0 {
        i32::MIN
    } else {
        i32::MAX
    }
}

/// `x` times the real number that the multiplier and shift stand for, rounded twice (by the multiplication and by the
/// right shift); TFLite's `MultiplyByQuantizedMultiplier`.
///
/// It never falls as `x` grows, for any multiplier that is not negative. Where TFLite's left shift would overflow
/// (which C++ leaves undefined) this saturates, so that the order holds there too.
#[inline(always)]
pub const fn multiply_by_quantized_multiplier(x: i32, multiplier: i32, shift: i32) -> i32 {
    if shift > 0 {
        return saturating_rounding_doubling_high_mul(saturating_shift_left(x, shift as u32), multiplier);
    }
    rounding_divide_by_pot(saturating_rounding_doubling_high_mul(x, multiplier), (-shift) as u32)
}

/// As [`multiply_by_quantized_multiplier`], rounded only once, halves away from zero, and saturated.
///
/// TFLite's reference kernel of dense layers computes `round(accumulator * scale)` in `f64`, not in fixed point as its
/// convolution does, and this is the same number: the two could differ only where `accumulator * scale` is within 2^-31
/// of itself from a half.
#[inline(always)]
pub const fn multiply_rounding_once(x: i32, multiplier: i32, shift: i32) -> i32 {
    // Halves away from zero: halves up, after one less where it is negative.
    let product = x as i64 * multiplier as i64;
    let product = product + (product >> 63);
    if shift < -1 {
        // What is shifted out includes the whole low word, as nearly always: cheaper where a word has 32 bits.
        let places = (-1 - shift) as u32;
        return ((product >> 32) as i32 + (1 << (places - 1))) >> places;
    }
    round_wide(product, (31 - shift) as u32)
}

/// `product / 2^places`, halves up, saturated. Rare, and long where a word has 32 bits.
#[cold]
#[inline(never)]
const fn round_wide(product: i64, places: u32) -> i32 {
    let rounded = (product + (1 << (places - 1))) >> places;
    if rounded > i32::MAX as i64 {
        i32::MAX
    } else if rounded < i32::MIN as i64 {
        i32::MIN
    } else {
        rounded as i32
    }
}

/// `round(e^-(2^j) * 2^31)` for j = -2..=4.
pub(crate) const EXP_OF_POWERS: [i32; 7] =
    [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
/// `round(e^(-1/8) * 2^31)`.
pub(crate) const EXP_OF_MINUS_ONE_EIGHTH: i32 = 1_895_147_668;
/// `round(2^31 / 3)`.
pub(crate) const ONE_THIRD: i32 = 715_827_883;

/// `e^a` for `a <= 0`, given with 5 integer bits, as a raw number with none; gemmlowp's `exp_on_negative_values`.
///
/// `a` is split into a multiple of 1/4 and a rest in `[-1/4, 0)`: the rest goes through a Taylor polynomial around
/// -1/8, the multiple is put together from the constants `e^-(2^j)`.
pub const fn exp_on_negative_values(a: i32) -> i32 {
    const ONE_QUARTER: i32 = 1 << 24;
    if a == 0 {
        return i32::MAX;
    }
    let rest = (a & (ONE_QUARTER - 1)) - ONE_QUARTER;
    let mut result = exp_on_minus_one_quarter_to_zero(rest << 5);
    let multiple = rest.wrapping_sub(a);
    let mut j = 0;
    while j < EXP_OF_POWERS.len() {
        if multiple & (ONE_QUARTER << j) != 0 {
            result = saturating_rounding_doubling_high_mul(result, EXP_OF_POWERS[j]);
        }
        j += 1;
    }
    result
}

/// `e^a` for `a` in `[-1/4, 0)`, raw with no integer bits on both sides: `e^(-1/8) * (1 + x + x^2/2 + x^3/6 + x^4/24)`
/// with `x = a + 1/8`.
const fn exp_on_minus_one_quarter_to_zero(a: i32) -> i32 {
    let x = a + (1 << 28);
    let x2 = saturating_rounding_doubling_high_mul(x, x);
    let x3 = saturating_rounding_doubling_high_mul(x2, x);
    let x4 = saturating_rounding_doubling_high_mul(x2, x2);
    let third_and_fourth = saturating_rounding_doubling_high_mul(rounding_divide_by_pot(x4, 2) + x3, ONE_THIRD);
    let from_second_on = rounding_divide_by_pot(third_and_fourth + x2, 1);
    EXP_OF_MINUS_ONE_EIGHTH + saturating_rounding_doubling_high_mul(EXP_OF_MINUS_ONE_EIGHTH, x + from_second_on)
}

/// `1 / (1 + a)` for `a` in `[0, 1)`, raw with no integer bits on both sides; gemmlowp's
/// `one_over_one_plus_x_for_x_in_0_1`: three Newton-Raphson steps on half the denominator.
pub const fn one_over_one_plus_x(a: i32) -> i32 {
    /// `round(48 / 17 * 2^29)`.
    const FORTY_EIGHT_OVER_17: i32 = 1_515_870_810;
    /// `round(-32 / 17 * 2^29)`.
    const MINUS_32_OVER_17: i32 = -1_010_580_540;
    // a is not negative, so rounding half away from zero is adding one.
    let half_denominator = ((a as i64 + i32::MAX as i64 + 1) / 2) as i32;
    let mut x =
        FORTY_EIGHT_OVER_17.wrapping_add(saturating_rounding_doubling_high_mul(half_denominator, MINUS_32_OVER_17));
    let mut step = 0;
    while step < 3 {
        let error = (1i32 << 29).wrapping_sub(saturating_rounding_doubling_high_mul(half_denominator, x));
        x = x.wrapping_add(saturating_shift_left(saturating_rounding_doubling_high_mul(x, error), 2));
        step += 1;
    }
    saturating_shift_left(x, 1)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    fn real(m: QuantizedMultiplier) -> f64 {
        f64::from(m.multiplier) * libm::exp2(f64::from(m.shift) - 31.0)
    }

    #[test]
    fn products_of_halves_are_those_of_64_bits() {
        let mut numbers = std::vec![i32::MIN, i32::MIN + 1, i32::MAX, i32::MAX - 1, -1, 0, 1];
        for bit in [14, 15, 16, 17, 30] {
            numbers.extend([-1, 0, 1].map(|by| (1 << bit) + by));
            numbers.extend([-1, 0, 1].map(|by| by - (1 << bit)));
        }
        for high in [-0x8000, -0x7fff, -1, 0, 1, 0x4000, 0x7ffe, 0x7fff] {
            numbers.extend([0x7fff, 0x8000, 0x8001, 0xffff].map(|low: i32| (high << 16) + low));
        }
        numbers.extend((1..200u32).map(|i| i.wrapping_mul(2_654_435_769) as i32));
        for &a in &numbers {
            for &b in numbers.iter().filter(|&&b| a != i32::MIN || b != i32::MIN) {
                assert_eq!(of_halves(a, b), saturating_rounding_doubling_high_mul(a, b), "{a} {b}");
            }
        }
    }

    #[test]
    fn multipliers_hold_31_bits() {
        for value in [1.0, 0.5, 0.75, 0.1, 1e-3, 1e-7, 2.9, 1234.5, 0.999_999_999_9] {
            let m = quantize_multiplier(value);
            assert!(m.multiplier >= 1 << 30, "{value} {m:?}");
            assert!((real(m) / value - 1.0).abs() <= 1.0 / f64::from(1 << 30), "{value} {m:?}");
        }
        // The bits of `std::frexp` and `TfLiteRound` by hand.
        assert_eq!(quantize_multiplier(0.25), QuantizedMultiplier { multiplier: 1 << 30, shift: -1 });
        assert_eq!(quantize_multiplier(1.0), QuantizedMultiplier { multiplier: 1 << 30, shift: 1 });
        assert_eq!(quantize_multiplier(1.0 - 1e-12), QuantizedMultiplier { multiplier: 1 << 30, shift: 1 });
        assert_eq!(quantize_multiplier(0.0), QuantizedMultiplier { multiplier: 0, shift: 0 });
        assert_eq!(quantize_multiplier(1e-12), QuantizedMultiplier { multiplier: 0, shift: 0 });
        assert_eq!(quantize_multiplier(1e12), QuantizedMultiplier { multiplier: i32::MAX, shift: 30 });
        assert_eq!(quantize_multiplier(f64::NAN).multiplier, 0);
    }

    #[test]
    fn divides_with_halves_away_from_zero() {
        for x in -1000i32..=1000 {
            for exponent in 0..8 {
                let want = (f64::from(x) / f64::from(1 << exponent)).round() as i32;
                assert_eq!(rounding_divide_by_pot(x, exponent), want, "{x} / 2^{exponent}");
            }
        }
        assert_eq!(rounding_divide_by_pot(i32::MIN, 31), -1);
        assert_eq!(rounding_divide_by_pot(i32::MAX, 31), 1);
    }

    #[test]
    fn doubling_high_mul_saturates_and_rounds_halves_up() {
        assert_eq!(saturating_rounding_doubling_high_mul(i32::MIN, i32::MIN), i32::MAX);
        assert_eq!(saturating_rounding_doubling_high_mul(1 << 30, 1), 1);
        assert_eq!(saturating_rounding_doubling_high_mul(-(1 << 30), 1), 0);
        assert_eq!(saturating_rounding_doubling_high_mul(-(1 << 30) - 1, 1), -1);
        assert_eq!(saturating_rounding_doubling_high_mul(i32::MAX, i32::MAX), i32::MAX - 1);
    }

    #[test]
    fn rounds_once_as_f64_does() {
        for real in [0.5, 0.25, 0.003_906_25, 0.000_596_597_395_743_842_4, 0.017, 1.75, 3e-9] {
            let m = quantize_multiplier(real);
            for x in (-300_000..300_000).step_by(61) {
                let want = (f64::from(x) * real).round() as i32;
                assert_eq!(multiply_rounding_once(x, m.multiplier, m.shift.into()), want, "{x} * {real}");
            }
        }
        // 79618 * 0.000596597395743842 = 47.4999: rounded twice, 47.4999 * 2^10 -> 48640, 48640 / 2^10 -> 48.
        let m = quantize_multiplier(0.000_596_597_395_743_842_4);
        assert_eq!(multiply_rounding_once(79618, m.multiplier, m.shift.into()), 47);
        assert_eq!(multiply_by_quantized_multiplier(79618, m.multiplier, m.shift.into()), 48);
        assert_eq!(multiply_rounding_once(i32::MAX, i32::MAX, 30), i32::MAX);
        assert_eq!(multiply_rounding_once(i32::MIN, i32::MAX, 30), i32::MIN);
        assert_eq!(multiply_rounding_once(i32::MIN, i32::MAX, -31), -1);
    }

    #[test]
    fn requantising_never_falls() {
        for (multiplier, shift) in
            [(1 << 30, 0), (1_234_567_890, -9), (i32::MAX, 3), (1 << 30, -31), (0, 0), (i32::MAX, 30)]
        {
            let (mut last, mut last_once) = (i32::MIN, i32::MIN);
            for step in -4096i32..=4096 {
                let x = if step == 4096 { i32::MAX } else { step << 19 };
                let y = multiply_by_quantized_multiplier(x, multiplier, shift);
                let once = multiply_rounding_once(x, multiplier, shift);
                assert!(y >= last && once >= last_once, "{x} * {multiplier} << {shift}");
                (last, last_once) = (y, once);
            }
        }
    }

    #[test]
    fn exponential_and_reciprocal_are_close() {
        // The polynomial leaves out (1/8)^5 / 120 = 2.5e-7.
        for raw in (-(31i64 << 26)..=0).step_by(999_983) {
            let got = f64::from(exp_on_negative_values(raw as i32)) / 2f64.powi(31);
            let want = libm::exp(raw as f64 / 2f64.powi(26));
            assert!((got - want).abs() < 3e-7, "exp({raw}): {got} {want}");
        }
        for raw in (0..i32::MAX).step_by(99_999_989) {
            let got = f64::from(one_over_one_plus_x(raw)) / 2f64.powi(31);
            let want = 1.0 / (1.0 + f64::from(raw) / 2f64.powi(31));
            assert!((got - want).abs() < 1e-8, "1/(1+{raw}): {got} {want}");
        }
    }
}
