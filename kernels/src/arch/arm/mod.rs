//! Cortex-M3 and up. What cores share is here: how the work is cut and memory is used. Each folder has one kind of core's inner
//! loops.
pub(super) mod conv_s8;
pub(super) mod dense_s8;
#[cfg(thumbnet_dsp)]
mod dsp;
#[cfg(thumbnet_thumb2)]
mod thumb;
mod tile;

#[cfg(thumbnet_dsp)]
use dsp::Core;
#[cfg(thumbnet_thumb2)]
use thumb::Core;

/// The back end's name.
pub(super) const NAME: &str = if cfg!(thumbnet_dsp) { "dsp" } else { "thumb" };
