//! Accumulator to int8 output.
use crate::quant::{Requantize, multiply_by_quantized_multiplier, multiply_rounding_once};

impl Requantize<'_> {
    /// The output of a convolution's `channel` whose accumulator is `accumulator`.
    #[cfg_attr(not(any(thumbnet_dsp, thumbnet_thumb2)), inline(always))]
    #[cfg_attr(any(thumbnet_dsp, thumbnet_thumb2), inline(never))]
    pub(in crate::arch) fn conv(&self, channel: usize, accumulator: i32) -> i8 {
        let (multiplier, shift) = (self.multiplier[channel], i32::from(self.shift[channel]));
        self.clamp(multiply_by_quantized_multiplier(accumulator, multiplier, shift))
    }

    /// The output of a dense layer's `unit` whose accumulator is `accumulator`.
    #[cfg_attr(not(any(thumbnet_dsp, thumbnet_thumb2)), inline(always))]
    #[cfg_attr(any(thumbnet_dsp, thumbnet_thumb2), inline(never))]
    pub(in crate::arch) fn dense(&self, unit: usize, accumulator: i32) -> i8 {
        let (multiplier, shift) = (self.multiplier[unit], i32::from(self.shift[unit]));
        self.clamp(multiply_rounding_once(accumulator, multiplier, shift))
    }

    #[inline(always)]
    fn clamp(&self, scaled: i32) -> i8 {
        let [min, max] = self.activation;
        scaled.saturating_add(i32::from(self.zero_point)).max(i32::from(min)).min(i32::from(max)) as i8
    }
}
