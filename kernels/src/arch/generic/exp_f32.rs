//! The exponential function without branches or tables, and what is made of it; loops over it become vectors.

/// `exp(x)`, off by at most 2 units in the last place; 0 below -87.3 (no subnormal results), infinity above 88.7.
///
/// The range reduction and polynomial are those of S. Moshier's Cephes library, `single/expf.c`:
/// `exp(x) = 2^n * exp(r)`, `n` the integer nearest to `x / ln 2`, and `ln 2` in two parts, so that `r` is exact.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds to an integer, which is then the sum's low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const LOWEST: f32 = -87.336_54;
    const HIGHEST: f32 = 88.722_83;
    let inside = if x < LOWEST { LOWEST } else { x };
    let inside = if inside > HIGHEST { HIGHEST } else { inside };
    let shifted = inside * core::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = inside - n * LN_2_HIGH - n * LN_2_LOW;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let exp_r = p * (r * r) + r + 1.0;
    // 2^n in two factors: n may be 128, which is no exponent of its own.
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
    let half = n >> 1;
    let result = exp_r * power_of_two(half) * power_of_two(n.wrapping_sub(half));
    let result = if x < LOWEST { 0.0 } else { result };
    if x > HIGHEST { f32::INFINITY } else { result }
}

/// `2^n` for `n` in `-126..128`.
#[inline(always)]
const fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23).cast_unsigned())
}

/// `y = 1 / (1 + exp(-y))`.
#[inline(always)]
pub(in crate::arch) fn sigmoid(y: &mut [f32]) {
    y.iter_mut().for_each(|y| *y = 1.0 / (1.0 + exp(-*y)));
}

/// `y = tanh(y)`: the polynomial of Cephes (`single/tanhf.c`) below 0.625, `1 - 2 / (exp(2 y) + 1)` above.
#[inline(always)]
pub(in crate::arch) fn tanh(y: &mut [f32]) {
    y.iter_mut().for_each(|y| {
        let z = *y * *y;
        let p = -5.704_988_7e-3;
        let p = p * z + 2.063_908_8e-2;
        let p = p * z - 5.373_971_6e-2;
        let p = p * z + 1.333_144_2e-1;
        let p = p * z - 0.333_332_8;
        let near = p * z * *y + *y;
        let far = (1.0 - 2.0 / (exp(2.0 * y.abs()) + 1.0)).copysign(*y);
        *y = if y.abs() < 0.625 { near } else { far };
    });
}

/// `y[i] = exp(y[i] - m) / sum over j of exp(y[j] - m)` in each row of `classes` values, `m` the row's maximum.
#[inline(always)]
pub(in crate::arch) fn softmax(classes: usize, y: &mut [f32]) {
    for row in y.chunks_exact_mut(classes) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, |m, y| if y > m { y } else { m });
        row.iter_mut().for_each(|y| *y = exp(*y - largest));
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|y| *y /= sum);
    }
}
