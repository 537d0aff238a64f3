//! Accumulator to int8 output.
use crate::int8::{Requantize, multiply_by_quantized_multiplier, multiply_rounding_once};

impl Requantize<'_> {
    /// The output of a convolution's `channel` whose accumulator is `accumulator`.
    #[cfg_attr(not(any(thumbnet_dsp, thumbnet_thumb2)), inline(always))]
    #[cfg_attr(any(thumbnet_dsp, thumbnet_thumb2), inline(never))]
    pub(in crate::arch) fn conv(&self, channel: usize, accumulator: i32) -> i8 {
        // Never missing, since a layer was checked.
        let (Some(&multiplier), Some(&shift)) = (self.multiplier.get(channel), self.shift.get(channel)) else {
            return 0;
        };
        self.clamp(multiply_by_quantized_multiplier(accumulator, multiplier, shift.into()))
    }

    /// The outputs of a dense layer's units from `first` on, whose accumulators are `sums`.
    #[inline(never)]
    pub(in crate::arch) fn dense(&self, first: usize, sums: &[i32], outputs: &mut [i8]) {
        let scales = self.multiplier.iter().zip(self.shift).skip(first);
        for ((&sum, (&multiplier, &shift)), output) in sums.iter().zip(scales).zip(outputs) {
            *output = self.clamp(multiply_rounding_once(sum, multiplier, shift.into()));
        }
    }

    #[inline(always)]
    fn clamp(&self, scaled: i32) -> i8 {
        let [min, max] = self.activation;
        scaled.saturating_add(i32::from(self.zero_point)).max(i32::from(min)).min(i32::from(max)) as i8
    }
}
