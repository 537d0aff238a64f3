//! The int8 kernels' entrances: [`Backend`] methods that check lengths once, and hand samples to the kernel.
//!
//! Each method takes any number of samples, one after the other. Results are the same bytes in every back end.
#[cfg(thumbnet_neon)]
use super::aarch64::neon;
#[cfg(thumbnet_cortex)]
use super::arm;
#[cfg(thumbnet_x86)]
use super::x86_64::{avx2, avx512};
use super::{Backend, Kernels, check_columns};
use crate::geometry::Geometry;
use crate::int8::{AddS8, ConvS8, DenseS8, DepthwiseConvS8, MeanS8, MulS8, Packing, RescaleS8, SoftmaxS8};

impl Backend {
    /// The only order of weights that [`Backend::conv_s8`] reads with a Cortex-M's kernels: a fallback for the others
    /// would take more flash than it is worth. `None` on other targets, where every back end reads every order, as
    /// [`Backend::SCALAR`] does anywhere.
    pub const CONV_S8_PACKING: Option<Packing> = core::cfg_select! {
        thumbnet_cortex => Some(arm::CONV_PACKING),
        _ => None,
    };

    /// As [`Backend::CONV_S8_PACKING`], for [`Backend::dense_s8`].
    pub const DENSE_S8_PACKING: Option<Packing> = core::cfg_select! {
        thumbnet_cortex => Some(arm::DENSE_PACKING),
        _ => None,
    };

    /// Panics unless the back end reads weights in the order `found`, where the core's kernels read `packing` alone.
    fn check_packing(self, packing: Option<Packing>, found: Packing) {
        let reads = self == Self::SCALAR || packing.is_none_or(|packing| packing == found);
        assert!(reads, "the core's kernel does not read this order of weights");
    }

    /// Convolution, activation, and the max pooling behind it where `layer.pool` has one; see [`ConvS8`].
    ///
    /// `input` holds samples of `layer.geometry.input`, `output` as many of [`ConvS8::output_len`] values, `scratch` at
    /// least [`Backend::conv_s8_scratch_len`] words of any content. On a Cortex-M0, a weight of -128, which the scheme
    /// does not have, gives other sums.
    ///
    /// # Panics
    ///
    /// If the layer is not [consistent](ConvS8::is_consistent), `input` and `output` are not as many whole samples,
    /// `scratch` is too short, or the back end does not read the order of the weights; see
    /// [`Backend::CONV_S8_PACKING`].
    pub fn conv_s8(self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        let g = layer.geometry;
        assert!(layer.is_consistent(), "the parameters or the pooling do not fit the convolution: {g}");
        let (input_len, output_len) = (g.input().len(), layer.output_len());
        check_samples(g, [input.len(), output.len()], [input_len, output_len]);
        let needed = Self::conv_s8_scratch_len(g, layer.pool);
        assert!(scratch.len() >= needed, "scratch of {} words, not {needed}: {g}", scratch.len());
        self.check_packing(Self::CONV_S8_PACKING, layer.packing);
        for (input, output) in input.chunks_exact(input_len).zip(output.chunks_exact_mut(output_len)) {
            self.kernels().conv_s8(layer, input, output, scratch);
        }
    }

    /// The words of scratch that [`Backend::conv_s8`] needs on this target, for any number of samples, with `pool` the
    /// max pooling that is fused.
    ///
    /// # Panics
    ///
    /// If `pool` is no pooling of the convolution's output; see [`ConvS8::pool`].
    pub const fn conv_s8_scratch_len(geometry: &Geometry, pool: Option<&Geometry>) -> usize {
        check_pool(geometry, pool);
        core::cfg_select! {
            thumbnet_cortex => arm::CORES.conv_s8_scratch_len(geometry, pool),
            thumbnet_x86 => {
                // Any of the back ends may run.
                let avx2 = avx2::conv_s8::conv_s8_scratch_len(geometry, pool.copied());
                let avx512 = avx512::conv_s8::conv_s8_scratch_len(geometry, pool.copied());
                if avx2 > avx512 { avx2 } else { avx512 }
            }
            thumbnet_neon => neon::conv_s8::conv_s8_scratch_len(geometry, pool.copied()),
            _ => 0,
        }
    }

    /// Depthwise convolution and activation; see [`DepthwiseConvS8`].
    ///
    /// `input` holds samples of `layer.geometry.input`, `output` as many of `layer.geometry.output`, `scratch` at least
    /// [`Backend::depthwise_conv_s8_scratch_len`] words of any content. With Helium, a weight of -128, which the scheme
    /// does not have, gives other sums.
    ///
    /// # Panics
    ///
    /// If the layer is not [consistent](DepthwiseConvS8::is_consistent), `input` and `output` are not as many whole
    /// samples, or `scratch` is too short.
    pub fn depthwise_conv_s8(self, layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        let g = layer.geometry;
        assert!(layer.is_consistent(), "the parameters do not fit the depthwise convolution: {g}");
        let (input_len, output_len) = (g.input().len(), g.output().len());
        check_samples(g, [input.len(), output.len()], [input_len, output_len]);
        let needed = Self::depthwise_conv_s8_scratch_len(g);
        assert!(scratch.len() >= needed, "scratch of {} words, not {needed}: {g}", scratch.len());
        for (input, output) in input.chunks_exact(input_len).zip(output.chunks_exact_mut(output_len)) {
            self.kernels().depthwise_conv_s8(layer, input, output, scratch);
        }
    }

    /// The words of scratch that [`Backend::depthwise_conv_s8`] needs on this target, for any number of samples.
    pub const fn depthwise_conv_s8_scratch_len(geometry: &Geometry) -> usize {
        core::cfg_select! {
            thumbnet_cortex => arm::CORES.depthwise_conv_s8_scratch_len(geometry),
            _ => {
                _ = geometry;
                0
            }
        }
    }

    /// Dense layer and activation; see [`DenseS8`].
    ///
    /// `input` holds samples of `layer.inputs` values, `output` as many of `layer.units`, `scratch` at least
    /// [`Backend::dense_s8_scratch_len`] words of any content.
    ///
    /// # Panics
    ///
    /// If the layer is not [consistent](DenseS8::is_consistent), `input` and `output` are not as many whole samples,
    /// `scratch` is too short, or the back end does not read the order of the weights; see
    /// [`Backend::DENSE_S8_PACKING`]. On Cortex-M3, M4, M7 and M33, if the weights do not start at a multiple of 4
    /// bytes, as those in a blob do.
    pub fn dense_s8(self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        let sizes = Sizes(layer.inputs, layer.units);
        assert!(layer.is_consistent(), "the parameters do not fit the dense layer: {sizes}");
        check_samples(&sizes, [input.len(), output.len()], [layer.inputs, layer.units]);
        let needed = Self::dense_s8_scratch_len(layer.inputs, layer.units);
        assert!(scratch.len() >= needed, "scratch of {} words, not {needed}: {sizes}", scratch.len());
        self.check_packing(Self::DENSE_S8_PACKING, layer.packing);
        #[cfg(any(thumbnet_dsp, thumbnet_thumb2))]
        {
            let aligned = self == Self::SCALAR || layer.weights.as_ptr().addr().is_multiple_of(4);
            assert!(aligned, "the weights do not start at a multiple of 4: {sizes}");
        }
        for (input, output) in input.chunks_exact(layer.inputs).zip(output.chunks_exact_mut(layer.units)) {
            self.kernels().dense_s8(layer, input, output, scratch);
        }
    }

    /// The words of scratch that [`Backend::dense_s8`] needs on this target, for any number of samples.
    pub const fn dense_s8_scratch_len(inputs: usize, units: usize) -> usize {
        core::cfg_select! {
            thumbnet_cortex => arm::CORES.dense_s8_scratch_len(inputs, units),
            _ => {
                _ = (inputs, units);
                0
            }
        }
    }

    /// Max pooling of int8 values, which keeps scale and zero point: `input` holds samples of `geometry.input`,
    /// `output` as many of `geometry.output`. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If the channels of input and output differ, or the slices are not as many whole samples.
    pub fn max_pool_s8(self, geometry: &Geometry, input: &[i8], output: &mut [i8]) {
        let (input_len, output_len) = (geometry.input().len(), geometry.output().len());
        assert!(geometry.input().channels == geometry.output().channels, "pooling keeps the channels: {geometry}");
        check_samples(geometry, [input.len(), output.len()], [input_len, output_len]);
        for (input, output) in input.chunks_exact(input_len).zip(output.chunks_exact_mut(output_len)) {
            self.kernels().max_pool_s8(geometry, input, output);
        }
    }

    /// Average pooling of int8 values, which keeps scale and zero point, with the ends of an activation: `input` holds
    /// samples of `geometry.input`, `output` as many of `geometry.output`. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If the channels of input and output differ, the slices are not as many whole samples, the window is larger than
    /// [`MeanS8::MAX_COUNT`], or the first end is above the second.
    pub fn average_pool_s8(self, geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
        let (input_len, output_len) = (geometry.input().len(), geometry.output().len());
        assert!(geometry.input().channels == geometry.output().channels, "pooling keeps the channels: {geometry}");
        assert!(MeanS8::is_window(geometry), "an int8 mean is of at most {} values: {geometry}", MeanS8::MAX_COUNT);
        assert!(activation[0] <= activation[1], "activation is {activation:?}, its least end first");
        check_samples(geometry, [input.len(), output.len()], [input_len, output_len]);
        for (input, output) in input.chunks_exact(input_len).zip(output.chunks_exact_mut(output_len)) {
            self.kernels().average_pool_s8(geometry, activation, input, output);
        }
    }

    /// The mean of each of `channels` channels of one sample; see [`MeanS8`]. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If `output` has no values, `input` does not hold positions of as many, or more than [`MeanS8::MAX_COUNT`], or
    /// the arithmetic is not defined for the parameters.
    pub fn mean_s8(self, mean: &MeanS8, input: &[i8], output: &mut [i8]) {
        let (values, channels) = (input.len(), output.len());
        let fits = channels > 0 && values.is_multiple_of(channels) && values / channels <= MeanS8::MAX_COUNT;
        assert!(fits, "{values} values are not at most {} positions of {channels} channels", MeanS8::MAX_COUNT);
        assert!(mean.is_consistent(), "an int8 mean is not defined for {mean:?}");
        self.kernels().mean_s8(mean, input, output);
    }

    /// Softmax over each run of `len` values, in place; see [`SoftmaxS8`]. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If `len` is 0 or above [`SoftmaxS8::MAX_CLASSES`], the values are no whole runs, or the arithmetic is not
    /// defined for the parameters.
    pub fn softmax_s8(self, layer: &SoftmaxS8, len: usize, values: &mut [i8]) {
        const MOST: usize = SoftmaxS8::MAX_CLASSES;
        assert!((1..=MOST).contains(&len), "a softmax of {len} classes, but int8 softmax has 1..={MOST}");
        assert!(values.len().is_multiple_of(len), "{} values are no whole runs of {len}", values.len());
        assert!(layer.is_valid(), "int8 softmax is not defined for {layer:?}");
        self.kernels().softmax_s8(layer, len, values);
    }

    /// Adds `x` to `y` in place, value by value; see [`AddS8`], whose first input is `y`. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If the lengths differ, or the arithmetic is not defined for the parameters.
    pub fn add_s8(self, layer: &AddS8, x: &[i8], y: &mut [i8]) {
        assert!(x.len() == y.len(), "the terms have {} and {} values", y.len(), x.len());
        assert!(layer.is_valid(), "an int8 sum is not defined for {layer:?}");
        self.kernels().add_s8(layer, x, y);
    }

    /// Multiplies `y` by `x` in place, value by value; `x` is repeated where it is shorter: a factor for each channel,
    /// or for all values, but not one for each position. See [`MulS8`], whose first input is `y`. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If `y` is no multiple of `x`, or the arithmetic is not defined for the parameters.
    pub fn multiply_s8(self, layer: &MulS8, x: &[i8], y: &mut [i8]) {
        assert!(!x.is_empty() && y.len().is_multiple_of(x.len()), "{} values by {}", y.len(), x.len());
        assert!(layer.is_consistent(), "an int8 product is not defined for {layer:?}");
        self.kernels().multiply_s8(layer, x, y);
    }

    /// One part of a concatenation: the `width` values of each position of `x`, in the output's scale, become those
    /// from `first` on of the `to_width` of `y`. See [`RescaleS8`]. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If these are not as many whole positions, columns are out of range, or the arithmetic is not defined for the
    /// parameters.
    pub fn concatenate_s8(
        self,
        layer: &RescaleS8,
        width: usize,
        x: &[i8],
        [first, to_width]: [usize; 2],
        y: &mut [i8],
    ) {
        check_columns(width, x.len(), [first, to_width], y.len());
        assert!(layer.is_consistent(), "another int8 scale is not defined for {layer:?}");
        self.kernels().concatenate_s8(layer, width, x, [first, to_width], y);
    }

    /// Replaces each value by the table's entry of that index, counted from -128. What sigmoid and tanh are in int8.
    pub fn table_s8(self, table: &[i8; 256], values: &mut [i8]) {
        self.kernels().table_s8(table, values);
    }
}

/// Panics unless both slices, so long, are whole samples, so long, and as many. Products of the lengths would wrap.
fn check_samples(layer: &dyn core::fmt::Display, [input, output]: [usize; 2], [input_len, output_len]: [usize; 2]) {
    let whole = input.is_multiple_of(input_len) && output.is_multiple_of(output_len);
    assert!(
        whole && input / input_len == output / output_len,
        "{input} inputs and {output} outputs are not the same samples, of {input_len} and {output_len} values: {layer}"
    );
}

/// Panics unless the pooling is one of the convolution's output.
pub(super) const fn check_pool(geometry: &Geometry, pool: Option<&Geometry>) {
    if let Some(pool) = pool {
        assert!(geometry.is_pooled_by(pool), "the pooling is not one of the convolution's output");
    }
}

/// A dense layer's inputs and units, as messages name them.
struct Sizes(usize, usize);

impl core::fmt::Display for Sizes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} inputs to {} units", self.0, self.1)
    }
}
