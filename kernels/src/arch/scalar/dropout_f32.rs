//! Inverted dropout whose mask is a function of (seed, index) alone: nothing to store, and the same on every machine.

/// The `index`-th output of SplitMix64 with that seed (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom
/// number generators", OOPSLA 2014; the constants are its mix64 variant 13 of D. Stafford).
///
/// The generator's state is a counter times an odd constant, so that any output costs the same.
#[inline(always)]
pub(crate) const fn split_mix(seed: u64, index: u64) -> u64 {
    let z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Multiplies value `i` by 0 where the upper half of random number `first + i` is below `rate * 2^32`, and by
/// `1 / (1 - rate)` elsewhere.
#[inline(always)]
pub(in crate::arch) fn dropout(seed: u64, rate: f32, first: usize, values: &mut [f32]) {
    // A float times 2^32 is exact, and so is the comparison, on any machine.
    let threshold = (rate * 4_294_967_296.0) as u32;
    let scale = 1.0 / (1.0 - rate);
    for (i, value) in values.iter_mut().enumerate() {
        let random = (split_mix(seed, (first + i) as u64) >> 32) as u32;
        *value *= if random < threshold { 0.0 } else { scale };
    }
}

#[cfg(test)]
mod tests {
    /// The first outputs of Java's `new SplittableRandom(1234567).nextLong()`, printed unsigned; also the vector that
    /// <https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64> gives.
    #[test]
    fn is_split_mix() {
        let expected: [u64; 5] =
            [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        for (i, expected) in expected.into_iter().enumerate() {
            assert_eq!(super::split_mix(1234567, i as u64), expected);
        }
    }
}
