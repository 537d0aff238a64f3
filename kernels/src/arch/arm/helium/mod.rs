//! Cores with Helium, the M-profile vector extension: Cortex-M52, M55, M85.
#![expect(unsafe_code, reason = "the inner loops are assembly")]
pub(super) mod add_s8;
pub(super) mod concatenate_s8;
pub(super) mod conv_s8;
mod conv_sums;
mod copy;
pub(super) mod dense_s8;
pub(super) mod depthwise_s8;
mod depthwise_sums;
mod depthwise_tiles;
mod groups;
pub(super) mod multiply_s8;
pub(super) mod pool_s8;
mod requantize;
mod run;
mod scale;
pub(super) mod softmax_s8;
pub(super) mod table_s8;
mod windows;
