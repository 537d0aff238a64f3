//! Cores with the DSP extension: Cortex-M4, M7, M33.
#![expect(unsafe_code, reason = "the inner loops are assembly")]
mod conv_s8;
mod dense_s8;
mod depthwise_s8;
mod pool_s8;

/// What the inner loops of this core are methods of.
pub(in crate::arch) use crate::arch::cores::Dsp as Core;
