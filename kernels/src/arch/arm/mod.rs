//! Cortex-M. What cores from M3 on share is here: how the work is cut and memory is used. Each folder has one kind of
//! core's inner loops.

/// Defines a function in assembly, in a section of its own: its name, its lines, and operands of these behind a
/// semicolon.
macro_rules! thumb_function {
    ($name:literal: $($line:expr),+ $(; $($operands:tt)+)?) => {
        core::arch::global_asm!(
            ".syntax unified",
            ".thumb",
            concat!(".cpu ", env!("THUMBNET_CPU")),
            concat!(".section .text.", $name, ",\"ax\",%progbits"),
            ".p2align 2",
            concat!(".global ", $name),
            concat!(".type ", $name, ", %function"),
            ".thumb_func",
            concat!($name, ":"),
            $($line,)+
            concat!(".size ", $name, ", . - ", $name),
            $($($operands)+)?
        );
    };
}
use thumb_function;

#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod depthwise_s8;
#[cfg(thumbnet_dsp)]
mod dsp;
#[cfg(thumbnet_helium)]
mod helium;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod pairs;
#[cfg(thumbnet_thumb2)]
mod thumb;
#[cfg(thumbnet_thumb1)]
mod thumb1;

#[cfg(thumbnet_dsp)]
use dsp::Core;
#[cfg(thumbnet_helium)]
use helium::{conv_s8, dense_s8};
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
use pairs::{conv_s8, dense_s8};
#[cfg(thumbnet_thumb2)]
use thumb::Core;
#[cfg(thumbnet_thumb1)]
use thumb1::{conv_s8, dense_s8};

use crate::arch::{Cores, Kernels, Kind, Scalar};
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
use crate::int8::DepthwiseConvS8;
use crate::int8::{ConvS8, DenseS8, Packing};

/// Whether the core's kernels read weights in pairs.
const READS_PAIRS: bool = cfg!(any(thumbnet_dsp, thumbnet_thumb2));

/// The orders of weights that the core's kernels read.
pub(super) const CONV_PACKING: Packing = if READS_PAIRS { Packing::Pairs } else { Packing::Plain };
pub(super) const DENSE_PACKING: Packing = if READS_PAIRS { Packing::Quads } else { Packing::Plain };

/// The family that the core is of.
pub(super) const CORES: Cores = if cfg!(thumbnet_helium) {
    Cores::Helium
} else if cfg!(thumbnet_dsp) {
    Cores::Dsp
} else if cfg!(thumbnet_thumb1) {
    Cores::Thumb1
} else {
    Cores::Thumb
};

/// The back end's name.
pub(super) const NAME: &str = if cfg!(thumbnet_helium) {
    "helium"
} else if cfg!(thumbnet_dsp) {
    "dsp"
} else if cfg!(thumbnet_thumb1) {
    "thumb1"
} else {
    "thumb"
};

/// One type for the core's kernels and the scalar ones: where the back end is known, so is each kernel.
impl Kernels for Kind {
    #[inline(always)]
    fn conv_s8(&self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        match self {
            Self::Scalar => Scalar.conv_s8(layer, input, output, scratch),
            Self::Core => conv_s8::conv_s8(layer, input, output, scratch),
        }
    }
    #[inline(always)]
    fn dense_s8(&self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        match self {
            Self::Scalar => Scalar.dense_s8(layer, input, output, scratch),
            Self::Core => dense_s8::dense_s8(layer, input, output, scratch),
        }
    }
    #[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
    #[inline(always)]
    fn depthwise_conv_s8(&self, layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        match self {
            Self::Scalar => Scalar.depthwise_conv_s8(layer, input, output, scratch),
            Self::Core => depthwise_s8::depthwise_conv_s8(layer, input, output, scratch),
        }
    }
}
