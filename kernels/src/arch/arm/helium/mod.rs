//! Cores with Helium, the M-profile vector extension: Cortex-M52, M55, M85.
#![expect(unsafe_code, reason = "the inner loops are assembly")]
mod conv_s8;
pub(in crate::arch) mod dense_s8;

/// What the inner loops of this core are methods of.
pub(in crate::arch) use crate::arch::cores::Helium as Core;
