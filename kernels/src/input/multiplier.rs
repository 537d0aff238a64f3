//! Samples of 16 bits to inputs by an integer multiplication.

use super::Scaling;
use crate::LengthError;
use crate::int8::Affine;

/// The int8 input of raw samples of 16 bits, which lie channel by channel at each step of time: `x, y, z, x, y, z, ...`
/// of an accelerometer. Every channel has a [`Scaling`] of its own; of one channel, all values have the same.
///
/// With `m` and `o` the multiplier and offset of the channel, an input is
///
/// ```text
/// (floor(m * raw / 2^16) + o) / 2^shift,  rounded down, then clamped to -128..=127
/// ```
///
/// in integers alone (`smlawb` and `ssat` of a Cortex-M4), so every machine gives the same bytes. The shift is 14; or
/// it is 6, if a raw step of some channel is an int8 step or more. The offset holds the half that makes it round to
/// nearest. It is within 1 of `input.quantize(scaling.apply(raw))`, and equal to it wherever the real value is further
/// than `2^(2 - shift)` int8 steps from the middle of two.
///
/// ```
/// # use thumbnet::input::{InputMultiplier, Scaling};
/// # use thumbnet::int8::Affine;
/// # let input = Affine { scale: 0.025, zero_point: -3 };
/// // `input` is that of the network: `network.input()`. The scalings may come from its blob's `Description`.
/// let scalings = [0.0, 0.0, 16384.0].map(|mean| Scaling { mean, deviation: 4000.0 });
/// let multiplier = InputMultiplier::new(scalings, input);
/// let mut image = [0; 6];
/// multiplier.fill(&[-4000, 0, 16384, 4000, 32767, -16384], &mut image)?;
/// assert_eq!(image, [-43, -3, -3, 37, 127, -128]);
/// # Ok::<(), thumbnet::LengthError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputMultiplier<const CHANNELS: usize> {
    multiplier: [i32; CHANNELS],
    offset: [i32; CHANNELS],
    shift: u32,
}

/// The shift where a raw step is less than an int8 step, which leaves 2^30 for the multiplier, and for a sum.
const FINE: u32 = 14;
/// The shift where it is not: at most 2^8 steps, beyond which no two raw values are within int8.
const STEEP: u32 = 6;

impl<const CHANNELS: usize> InputMultiplier<CHANNELS> {
    /// That of a [valid](Scaling::is_valid) scaling for each channel, and of the network's
    /// [input](crate::Int8::input).
    pub fn new(scalings: [Scaling; CHANNELS], input: Affine) -> Self {
        const { assert!(CHANNELS > 0, "an input has at least one channel") };
        let slopes = scalings.map(|scaling| 1.0 / (scaling.deviation * input.scale));
        let shift = if slopes.iter().all(|slope: &f32| slope.abs() < 1.0) { FINE } else { STEEP };
        let mut channels = [(0, 0); CHANNELS];
        for ((to, scaling), slope) in channels.iter_mut().zip(scalings).zip(slopes) {
            // A factor is rounded once; where the line is held decides how much that matters. It is held at the raw
            // value whose input is nearest to 0, so that of two clamped ones only the sign has to be right.
            let held = libm::roundf(scaling.mean - f32::from(input.zero_point) / slope).clamp(-32768.0, 32767.0);
            let value = (scaling.apply(held) / input.scale + f32::from(input.zero_point)).clamp(-128.0, 127.0);
            let power = |bits: u32| (1u32 << bits) as f32;
            let multiplier = libm::roundf(slope * power(16 + shift)).clamp(-power(30), power(30)) as i32;
            let at_held = scaled(multiplier, held as i16);
            let half = 1 << (shift - 1);
            *to = (multiplier, (libm::roundf(value * power(shift)) as i32 + half).wrapping_sub(at_held));
        }
        Self { multiplier: channels.map(|(multiplier, _)| multiplier), offset: channels.map(|(_, o)| o), shift }
    }

    /// Writes the input of each sample of `raw` to `image`, which has as many values.
    ///
    /// # Errors
    ///
    /// [`LengthError`], if they are not as many, or not a whole number of steps of time. Nothing is written then.
    pub fn fill(&self, raw: &[i16], image: &mut [i8]) -> Result<(), LengthError> {
        LengthError::expect("raw", raw.len(), raw.len().next_multiple_of(CHANNELS))?;
        LengthError::expect("image", image.len(), raw.len())?;
        let done = self.blocks(raw, image);
        let (raw, image) = (raw.get(done..).unwrap_or_default(), image.get_mut(done..).unwrap_or_default());
        for (raw, image) in raw.as_chunks::<CHANNELS>().0.iter().zip(image.as_chunks_mut::<CHANNELS>().0) {
            let factors = self.multiplier.iter().zip(&self.offset);
            for ((raw, value), (multiplier, offset)) in raw.iter().zip(image).zip(factors) {
                let sum = scaled(*multiplier, *raw).wrapping_add(*offset);
                *value = (sum >> self.shift).clamp(-128, 127) as i8;
            }
        }
        Ok(())
    }

    /// Does as many whole blocks as there are, and says how many values that is: none where the loop behind it is the
    /// best that there is.
    fn blocks(&self, raw: &[i16], image: &mut [i8]) -> usize {
        core::cfg_select! {
            thumbnet_thumb1 => {
                let eights = raw.len() / (8 * CHANNELS);
                for (first, factors) in self.multiplier.into_iter().zip(self.offset).enumerate() {
                    let (Some(raw), Some(image)) = (raw.get(first..), image.get_mut(first..)) else { break };
                    crate::arch::scale_samples(raw, image, [CHANNELS, eights], factors.into(), self.shift);
                }
                eights * 8 * CHANNELS
            }
            thumbnet_cortex => {
                if self.shift == FINE { self.words::<FINE>(raw, image) } else { self.words::<STEEP>(raw, image) }
            }
            _ => {
                let (_, _) = (raw, image);
                0
            }
        }
    }

    /// The same by words of two samples, of whose halves the core multiplies either.
    ///
    /// The channels of the words repeat after one step of time, or after two where their number is odd. One word of
    /// each such group after the other is done over all blocks: that takes the factors of two channels, for which there
    /// are registers. With DSP instructions, 3.5 a value and 12 around a block.
    #[cfg(all(thumbnet_cortex, not(thumbnet_thumb1)))]
    fn words<const SHIFT: u32>(&self, raw: &[i16], image: &mut [i8]) -> usize {
        let group = if CHANNELS.is_multiple_of(2) { CHANNELS / 2 } else { CHANNELS };
        // Groups of a block. Where there is but one word, the loop has less around it.
        let groups = if group == 1 { 16 } else { 20 };
        let (block, needed) = (groups * group, (groups - 1) * group + 1);
        let (raw, image) = (raw.as_chunks::<2>().0, image.as_chunks_mut::<2>().0);
        let done = raw.len() / block * block;
        for first in 0..group {
            let [a, b] = [2 * first % CHANNELS, (2 * first + 1) % CHANNELS];
            let (ma, oa, mb, ob) = (self.multiplier[a], self.offset[a], self.multiplier[b], self.offset[b]);
            let (mut raw, mut image) =
                (raw.get(first..done).unwrap_or_default(), image.get_mut(first..done).unwrap_or_default());
            while let (Some(x), Some(y)) = (raw.get(..needed), image.get_mut(..needed)) {
                macro_rules! each {
                    ($($k:literal)*) => {$(
                        if $k < groups {
                            let word: i32 = bytemuck::cast(x[$k * group]);
                            let [low, high] = both(word, [ma, mb], [oa, ob]);
                            y[$k * group][0] = (low >> SHIFT).clamp(-128, 127) as i8;
                            y[$k * group][1] = (high >> SHIFT).clamp(-128, 127) as i8;
                        }
                    )*};
                }
                each!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
                // Two lines, for which the compiler needs three instructions less than for one.
                let Some(next) = raw.get(block..) else { break };
                let Some(to) = image.get_mut(block..) else { break };
                (raw, image) = (next, to);
            }
        }
        2 * done
    }
}

/// For either half of a word, [`scaled`] and the offset.
#[cfg(all(thumbnet_cortex, not(thumbnet_thumb1)))]
#[inline(always)]
fn both(word: i32, [ma, mb]: [i32; 2], [oa, ob]: [i32; 2]) -> [i32; 2] {
    core::cfg_select! {
        thumbnet_thumb2 => [scaled(ma, word as i16).wrapping_add(oa), scaled(mb, (word >> 16) as i16).wrapping_add(ob)],
        _ => [crate::arch::smlawb(ma, word, oa), crate::arch::smlawt(mb, word, ob)],
    }
}

/// `floor(multiplier * raw / 2^16)`.
#[inline(always)]
const fn scaled(multiplier: i32, raw: i16) -> i32 {
    if cfg!(any(thumbnet_thumb1, thumbnet_thumb2)) {
        // Products of 32 bits take less there: that of the upper half is whole, and that of the lower is what is cut.
        let (high, low) = (multiplier >> 16, multiplier & 0xffff);
        high * raw as i32 + ((low * raw as i32) >> 16)
    } else {
        ((multiplier as i64 * raw as i64) >> 16) as i32
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn halves_of_a_multiplier_are_the_whole() {
        for raw in (i16::MIN..=i16::MAX).step_by(7).chain([i16::MAX, 0, -1, 1]) {
            for multiplier in [0, 1, -1, 65_535, -65_536, 0x1234_5678, -0x1234_5678, 1 << 30, -(1 << 30), (1 << 30) - 1]
            {
                let (high, low) = (multiplier >> 16, multiplier & 0xffff);
                let halves = high * i32::from(raw) + ((low * i32::from(raw)) >> 16);
                assert_eq!(halves, super::scaled(multiplier, raw), "{multiplier} {raw}");
            }
        }
    }
}
