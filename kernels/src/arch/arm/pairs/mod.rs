//! Convolution and dense layers on cores whose weights lie in pairs, Cortex-M3, M4, M7 and M33: how the work is cut and
//! memory is used. Each kind of core has its inner loops in a folder of its own.
#![expect(unsafe_code, reason = "enters the assembly")]
pub(super) mod column;
pub(super) mod conv_s8;
pub(super) mod conv_tile;
pub(super) mod dense_s8;
pub(super) mod run;

use super::Core;
