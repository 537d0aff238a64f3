//! Int8 networks: TFLite's quantisation scheme, and what the kernels must know of a quantised layer.
//!
//! A quantised value `q` stands for the real number `scale * (q - zero_point)`. Weights are symmetric (zero point 0,
//! values -127..=127) with one scale for each filter or unit; activations have one scale and zero point for each
//! tensor; biases and accumulators are `i32`, with scale `input_scale * weight_scale[channel]`. This is TFLite's 8-bit
//! specification, and the results are those of its reference kernels, bit for bit.
//!
//! A layer computes, for each output channel,
//!
//! ```text
//! accumulator = bias'[channel] + Σ weight[channel][k] * input[k]              (i32, wrapping)
//! output      = clamp(output_zero_point + round(accumulator * scale[channel]))  (Requantize)
//! ```
//!
//! TFLite subtracts the input's zero point from every input instead; here it is folded into the bias once, at export:
//! `bias' = bias - input_zero_point * Σ weight` ([`fold_zero_point`]). A convolution pads with the input's zero point,
//! so the sum over padding cancels against the folded bias as everything else does.
//!
//! - [`ConvS8`]: convolution, its activation, and optionally the max pooling behind it, in one pass.
//! - [`DenseS8`]: a dense layer and its activation.
//! - [`Requantize`]: accumulator to output, for both. Relu and relu6 are nothing but the clamp's ends.
//! - [`AddS8`], [`MulS8`]: the sum and the product of two tensors of any scales.
//! - [`average`], [`MeanS8`]: what average pooling and a mean over all positions make of a sum.
//! - [`RescaleS8`]: another scale; relu, relu6 and leaky relu by themselves.
//! - [`SoftmaxS8`]: softmax with TFLite's fixed output scale 1/256 and zero point -128.
//! - Sigmoid and tanh are a table of 256 outputs ([`logistic`], [`tanh`]) made when the network is quantised (`&[i8;
//!   256]`, indexed by the input plus 128; see [`crate::arch::Backend::table_s8`]).
//! - Max pooling alone needs a [`Geometry`] only: it keeps scale and zero point.
//!
//! All of it is borrowed, so that it can lie in flash. [`Packing`] says in which order a layer's weights lie.
mod add;
mod affine;
mod fixed_point;
mod mean;
mod mul;
mod packing;
mod rescale;
mod sigmoid;

pub use add::AddS8;
pub use affine::Affine;
#[cfg(feature = "alloc")]
pub(crate) use affine::scale_of;
#[cfg(thumbnet_helium)]
pub(crate) use fixed_point::{EXP_OF_MINUS_ONE_EIGHTH, EXP_OF_POWERS, ONE_THIRD};
pub use fixed_point::{
    QuantizedMultiplier, exp_on_negative_values, multiply_by_quantized_multiplier, multiply_rounding_once,
    one_over_one_plus_x, quantize_multiplier, rounding_divide_by_pot, saturating_rounding_doubling_high_mul,
    saturating_shift_left,
};
#[cfg(thumbnet_thumb1)]
pub(crate) use mean::{MOST_BY_RECIPROCAL, reciprocal};
pub use mean::{MeanS8, average};
pub use mul::MulS8;
pub use packing::{PackError, Packing};
pub use rescale::RescaleS8;
pub use sigmoid::{logistic, tanh};

use core::ops::RangeInclusive;

use crate::geometry::Geometry;

/// How `i32` accumulators become int8 outputs: `clamp(zero_point + round(accumulator * scale[c]), min, max)`.
///
/// What rounding means follows TFLite's reference kernels: a convolution's is [`multiply_by_quantized_multiplier`],
/// which rounds twice, a dense layer's [`multiply_rounding_once`].
#[derive(Clone, Copy, Debug)]
pub struct Requantize<'a> {
    /// For each channel, the significant bits of `input_scale * weight_scale / output_scale`; see
    /// [`quantize_multiplier`]. Never negative.
    pub multiplier: &'a [i32],
    /// For each channel, the power of two, in [`Requantize::SHIFTS`].
    pub shift: &'a [i8],
    /// The output's zero point.
    pub zero_point: i8,
    /// The least and the largest output, in this order: `[-128, 127]`, or for relu `[zero_point, 127]`, and so on.
    pub activation: [i8; 2],
}

/// A quantised 2-D convolution, its activation, and optionally the max pooling that follows.
#[derive(Clone, Copy, Debug)]
pub struct ConvS8<'a> {
    /// The convolution's shapes; `geometry.output.channels` is the number of filters.
    pub geometry: &'a Geometry,
    /// A max pooling of the convolution's output, whose `input` shape is `geometry.output`. Kernels take the maximum of
    /// the accumulators before they requantise them: the same result, because requantising never falls as its argument
    /// grows, for fewer requantisations and no buffer between the two layers.
    pub pool: Option<&'a Geometry>,
    /// What padding reads as: the input's zero point.
    pub input_zero_point: i8,
    /// A row for each filter, of `kernel height x kernel width x input channels` values.
    pub weights: &'a [i8],
    /// The order of `weights`.
    pub packing: Packing,
    /// For each filter, the bias with the input's zero point folded in.
    pub bias: &'a [i32],
    /// Accumulator to output.
    pub requantize: Requantize<'a>,
}

/// A quantised convolution of each channel by itself, and its activation.
#[derive(Clone, Copy, Debug)]
pub struct DepthwiseConvS8<'a> {
    /// The convolution's shapes; output channel `c` reads input channel `c / (output channels / input channels)`.
    pub geometry: &'a Geometry,
    /// What padding reads as: the input's zero point.
    pub input_zero_point: i8,
    /// For each tap, in row-major order, the weight of each output channel: TFLite's layout.
    pub weights: &'a [i8],
    /// For each output channel, the bias with the input's zero point folded in.
    pub bias: &'a [i32],
    /// Accumulator to output, as a convolution's.
    pub requantize: Requantize<'a>,
}

/// A quantised dense layer and its activation.
#[derive(Clone, Copy, Debug)]
pub struct DenseS8<'a> {
    /// Values of one input sample.
    pub inputs: usize,
    /// Values of one output sample.
    pub units: usize,
    /// A row for each unit, of `inputs` values. (Keras's kernel, transposed.)
    pub weights: &'a [i8],
    /// The order of `weights`.
    pub packing: Packing,
    /// For each unit, the bias with the input's zero point folded in.
    pub bias: &'a [i32],
    /// Accumulator to output.
    pub requantize: Requantize<'a>,
}

/// A quantised softmax. Its output has scale 1/256 and zero point -128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SoftmaxS8 {
    /// The significant bits of `input_scale`, as a number with 5 integer bits.
    pub multiplier: i32,
    /// Its power of two, at least 0.
    pub left_shift: u8,
    /// The least difference from the largest input that still counts: below it, the exponential's argument would need
    /// more than 5 integer bits.
    pub diff_min: i32,
}

impl SoftmaxS8 {
    /// The most values that a softmax runs over: the sum of their exponentials, each at most 1, has 12 integer bits in
    /// TFLite's reference kernel.
    pub const MAX_CLASSES: usize = 4096;

    /// The parameters for inputs of scale `input_scale`; TFLite's `PreprocessSoftmaxScaling` and `CalculateInputRadius`
    /// with `beta` 1 and 5 integer bits. The input's zero point plays no part. A scale that is no positive, finite
    /// number gives parameters that every kernel and every blob refuses.
    pub const fn new(input_scale: f64) -> Self {
        if !(input_scale > 0.0 && input_scale < f64::INFINITY) {
            return Self { multiplier: -1, left_shift: 0, diff_min: 0 };
        }
        const INTEGER_BITS: u32 = 5;
        const LARGEST: f64 = i32::MAX as f64;
        let scaled = input_scale * (1u32 << (31 - INTEGER_BITS)) as f64;
        let QuantizedMultiplier { multiplier, shift } =
            quantize_multiplier(if scaled < LARGEST { scaled } else { LARGEST });
        // TFLite demands scaled >= 1; below that, 256 inputs span less than 2^-18 and every output is the same.
        let left_shift = if shift < 0 { 0 } else { shift as u8 };
        let radius = ((((1i64 << INTEGER_BITS) - 1) << (31 - INTEGER_BITS)) >> left_shift) as i32;
        Self { multiplier, left_shift, diff_min: -radius }
    }

    /// Whether the arithmetic is defined for these numbers.
    pub(crate) const fn is_valid(&self) -> bool {
        self.multiplier >= 0 && self.left_shift < 32 && self.diff_min <= 0
    }
}

impl ConvS8<'_> {
    /// Values of one output sample: after the pooling, where there is one.
    pub const fn output_len(&self) -> usize {
        match self.pool {
            Some(pool) => pool.output().len(),
            None => self.geometry.output().len(),
        }
    }

    /// Whether every slice has the length that the geometry asks for, the pooling is one of the convolution's output,
    /// and the parameters of [`Requantize`] are in their ranges.
    pub fn is_consistent(&self) -> bool {
        let filters = self.geometry.output().channels;
        self.weights.len() == self.geometry.patch() * filters
            && self.bias.len() == filters
            && self.requantize.is_consistent(filters)
            && self.pool.is_none_or(|pool| self.geometry.is_pooled_by(pool))
    }
}

impl DepthwiseConvS8<'_> {
    /// Whether the output's channels are a multiple of the input's, every slice has the length that the geometry asks
    /// for, and the parameters of [`Requantize`] are in their ranges.
    pub fn is_consistent(&self) -> bool {
        let ([height, width], channels) = (self.geometry.kernel(), self.geometry.output().channels);
        channels.is_multiple_of(self.geometry.input().channels)
            && self.weights.len() == height * width * channels
            && self.bias.len() == channels
            && self.requantize.is_consistent(channels)
    }
}

impl DenseS8<'_> {
    /// Whether there are inputs and units, every slice has the length that they ask for, and the parameters of
    /// [`Requantize`] are in their ranges.
    pub fn is_consistent(&self) -> bool {
        self.inputs > 0
            && self.units > 0
            && Some(self.weights.len()) == self.units.checked_mul(self.inputs)
            && self.bias.len() == self.units
            && self.requantize.is_consistent(self.units)
    }
}

impl Requantize<'_> {
    /// The shifts that the arithmetic is defined for.
    pub const SHIFTS: RangeInclusive<i8> = -31..=30;

    fn is_consistent(&self, channels: usize) -> bool {
        self.multiplier.len() == channels && self.shift.len() == channels && self.is_valid()
    }

    /// Whether the arithmetic is defined for these numbers.
    #[inline(always)]
    pub(crate) fn is_valid(&self) -> bool {
        let shifts_fit = self.shift.iter().all(|shift| Self::SHIFTS.contains(shift));
        let [least, largest] = self.activation;
        !(self.multiplier.iter().any(|&multiplier| multiplier < 0) || !shifts_fit || least > largest)
    }
}

/// `bias - input_zero_point * Σ weights`, wrapping: the bias of one filter or unit, whose weights are `weights`, for
/// inputs that keep their zero point.
pub fn fold_zero_point(bias: i32, input_zero_point: i8, weights: &[i8]) -> i32 {
    let sum = weights.iter().fold(0i32, |sum, &w| sum.wrapping_add(i32::from(w)));
    bias.wrapping_sub(sum.wrapping_mul(i32::from(input_zero_point)))
}
