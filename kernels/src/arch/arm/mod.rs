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

/// The instructions that make `$x` round(`$x` * m / 2^31), halves up, of a multiplier m of full length (2^30 at least)
/// of which `$by` is the double, less 2^32: so the double's product is that with `$by`, and `$x` times 2^32.
#[cfg(thumbnet_dsp)]
macro_rules! scale {
    ($x:literal, $by:literal, $low:literal, $high:literal) => {
        concat!("smmlar ", $x, ", ", $x, ", ", $by, ", ", $x, "\n")
    };
}
/// The same, with two registers more: the highest bit of the low word is the half that is rounded.
#[cfg(thumbnet_thumb2)]
macro_rules! scale {
    ($x:literal, $by:literal, $low:literal, $high:literal) => {
        concat!(
            concat!("smull ", $low, ", ", $high, ", ", $x, ", ", $by, "\n"),
            concat!("lsls ", $low, ", ", $low, ", #1\n"),
            concat!("adc ", $x, ", ", $high, ", ", $x, "\n"),
        )
    };
}

/// The instructions that make of a sum the mean of r3 values, halves away from zero, of which `$half` are half, and
/// write it to r1 on.
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
macro_rules! mean {
    ($sum:literal, $half:literal) => {
        concat!(
            concat!("cmp ", $sum, ", #0\n"),
            "ite gt\n",
            concat!("addgt ", $sum, ", ", $sum, ", ", $half, "\n"),
            concat!("suble ", $sum, ", ", $sum, ", ", $half, "\n"),
            concat!("sdiv ", $sum, ", ", $sum, ", r3\n"),
            concat!("strb ", $sum, ", [r1], #1"),
        )
    };
}

#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod add_s8;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod concatenate_s8;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod depthwise_s8;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod depthwise_taps;
#[cfg(thumbnet_dsp)]
mod dsp;
#[cfg(thumbnet_helium)]
mod helium;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod multiply_s8;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod pairs;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod pool_s8;
mod products;
#[cfg(any(thumbnet_dsp, thumbnet_helium))]
mod smlaw;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2, thumbnet_thumb1))]
mod softmax_s8;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
mod table_s8;
#[cfg(thumbnet_thumb2)]
mod thumb;
#[cfg(thumbnet_thumb1)]
mod thumb1;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2, thumbnet_thumb1))]
mod windows;

#[cfg(thumbnet_dsp)]
use dsp::Core;
#[cfg(thumbnet_thumb2)]
use thumb::Core;

core::cfg_select! {
    thumbnet_helium => {
        use helium::{
            add_s8, concatenate_s8, conv_s8, dense_s8, depthwise_s8, multiply_s8, pool_s8, softmax_s8, table_s8
        };
    }
    thumbnet_thumb1 => {
        pub(crate) use thumb1::scale_samples;
        use thumb1::{add_s8, concatenate_s8, conv_s8, dense_s8, depthwise_s8, multiply_s8, pool_s8};
    }
    _ => { use pairs::{conv_s8, dense_s8}; }
}

#[cfg(any(thumbnet_dsp, thumbnet_helium))]
pub(crate) use smlaw::{smlawb, smlawt};

use crate::arch::{Cores, Kernels, Kind, Scalar};
use crate::geometry::Geometry;
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
use crate::int8::QuantizedMultiplier;
use crate::int8::{AddS8, ConvS8, DenseS8, DepthwiseConvS8, MeanS8, MulS8, Packing, RescaleS8, SoftmaxS8};

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

/// Whether it is one that [`scale`] scales by, and a shift to the right follows or none.
#[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
const fn is_plain(factor: QuantizedMultiplier) -> bool {
    factor.multiplier >= 1 << 30 && factor.shift <= 0
}

/// Brings values between the ends of an activation, where these are not all that there is: rare, and a pass of its own.
#[cfg(any(thumbnet_dsp, thumbnet_thumb2, thumbnet_thumb1))]
fn clamp(values: &mut [i8], [least, largest]: [i8; 2]) {
    if [least, largest] != [i8::MIN, i8::MAX] {
        values.iter_mut().for_each(|value| *value = (*value).max(least).min(largest));
    }
}

/// Methods that ask the back end for a kernel of that file.
macro_rules! of_either {
    ($($file:ident::$name:ident($($argument:ident: $type:ty),*);)*) => {$(
        #[inline(always)]
        fn $name(&self, $($argument: $type),*) {
            match self {
                Self::Scalar => Scalar.$name($($argument),*),
                Self::Core => $file::$name($($argument),*),
            }
        }
    )*};
}

/// One type for the core's kernels and the scalar ones: where the back end is known, so is each kernel. What the core
/// has none for is the trait's default.
impl Kernels for Kind {
    of_either! {
        conv_s8::conv_s8(layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]);
        dense_s8::dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]);
        depthwise_s8::depthwise_conv_s8(
            layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]
        );
        pool_s8::max_pool_s8(geometry: &Geometry, input: &[i8], output: &mut [i8]);
        pool_s8::average_pool_s8(geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]);
        pool_s8::mean_s8(mean: &MeanS8, input: &[i8], output: &mut [i8]);
        add_s8::add_s8(layer: &AddS8, x: &[i8], y: &mut [i8]);
        multiply_s8::multiply_s8(layer: &MulS8, x: &[i8], y: &mut [i8]);
        concatenate_s8::concatenate_s8(layer: &RescaleS8, width: usize, x: &[i8], columns: [usize; 2], y: &mut [i8]);
        softmax_s8::softmax_s8(layer: &SoftmaxS8, len: usize, values: &mut [i8]);
    }
    #[cfg(not(thumbnet_thumb1))]
    of_either! {
        table_s8::table_s8(table: &[i8; 256], values: &mut [i8]);
    }
}
