//! The int8 kernels' entrances: [`Backend`] methods that check lengths once, walk the samples, and pick the kernel.
//!
//! Each method takes any number of samples, one after the other. Results are the same bytes in every back end.
#[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
use super::aarch64::neon;
#[cfg(thumbnet_cortex)]
use super::arm;
#[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
use super::x86_64::{avx2, avx512};
use super::{Backend, Kind, dispatch, scalar};
use crate::geometry::Geometry;
use crate::quant::{ConvS8, DenseS8, Packing, SoftmaxS8};

/// The order of weights that the core's kernels read, on a Cortex-M that has some.
macro_rules! core_packing {
    ($constant:ident) => {{
        #[cfg(thumbnet_cortex)]
        let packing = Some(arm::$constant);
        #[cfg(not(thumbnet_cortex))]
        let packing = None;
        packing
    }};
}

impl Backend {
    /// The only order of weights that [`Backend::conv_s8`] reads with the kernels of a Cortex-M3 or up: a fallback for the others would
    /// take more flash than it is worth. `None` on other targets, where every back end reads every order, as [`Backend::SCALAR`]
    /// does anywhere.
    pub const CONV_S8_PACKING: Option<Packing> = core_packing!(CONV_PACKING);

    /// As [`Backend::CONV_S8_PACKING`], for [`Backend::dense_s8`].
    pub const DENSE_S8_PACKING: Option<Packing> = core_packing!(DENSE_PACKING);

    /// Convolution, activation, and the max pooling behind it where `layer.pool` has one; see [`ConvS8`].
    ///
    /// `input` holds samples of `layer.geometry.input`, `output` as many of [`ConvS8::output_len`] values, `scratch` at least
    /// [`Backend::conv_s8_scratch_len`] words of any content.
    ///
    /// # Panics
    ///
    /// If a length is wrong, or the back end does not read the order of the weights; see [`Backend::CONV_S8_PACKING`].
    pub fn conv_s8(self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        assert!(layer.is_consistent(), "parameters do not fit the convolution's geometry");
        let (input_len, output_len) = (layer.geometry.input.len(), layer.output_len());
        assert!(input.len() * output_len == output.len() * input_len, "input and output differ in samples");
        assert!(scratch.len() >= Self::conv_s8_scratch_len(layer.geometry, layer.pool), "scratch is too small");
        #[cfg(thumbnet_cortex)]
        if let super::Int8::Core = self.1 {
            assert!(layer.packing == arm::CONV_PACKING, "the core's kernel does not read this order of weights");
            for (input, output) in input.chunks_exact(input_len).zip(output.chunks_exact_mut(output_len)) {
                arm::conv_s8::conv_s8(layer, input, output, scratch);
            }
            return;
        }
        match self.0 {
            Kind::Scalar => {
                for (input, output) in input.chunks_exact(input_len).zip(output.chunks_exact_mut(output_len)) {
                    scalar::conv_s8::conv_s8(layer, input, output);
                }
            }
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            Kind::Avx2(isa) => avx2::conv_s8::conv_s8(isa, layer, input, output, scratch),
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            Kind::Avx512(isa) => match isa.vnni() {
                Ok(isa) => avx512::conv_s8::conv_s8(isa, layer, input, output, scratch),
                Err(isa) => avx2::conv_s8::conv_s8(isa, layer, input, output, scratch),
            },
            #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
            Kind::Neon(isa) => neon::conv_s8::conv_s8(isa, layer, input, output, scratch),
        }
    }

    /// [`Backend::conv_s8`] for one sample of a layer of a network that was read from a blob: all that the method demands is so, and
    /// would only take flash to check again. Should it not be so, this panics too, or the outputs are wrong.
    pub(crate) fn conv_s8_of_network(self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        #[cfg(thumbnet_cortex)]
        match self.1 {
            super::Int8::Core => arm::conv_s8::conv_s8(layer, input, output, scratch),
            super::Int8::Scalar => scalar::conv_s8::conv_s8(layer, input, output),
        }
        #[cfg(not(thumbnet_cortex))]
        match self.0 {
            Kind::Scalar => {
                _ = scratch;
                scalar::conv_s8::conv_s8(layer, input, output);
            }
            #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(thumbnet_backend = "scalar")))]
            _ => self.conv_s8(layer, input, output, scratch),
        }
    }

    /// [`Backend::dense_s8`], likewise.
    pub(crate) fn dense_s8_of_network(self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        #[cfg(thumbnet_cortex)]
        match self.1 {
            super::Int8::Core => arm::dense_s8::dense_s8(layer, input, output, scratch),
            super::Int8::Scalar => scalar::dense_s8::dense_s8(layer, input, output),
        }
        #[cfg(not(thumbnet_cortex))]
        match self.0 {
            Kind::Scalar => {
                _ = scratch;
                scalar::dense_s8::dense_s8(layer, input, output);
            }
            #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(thumbnet_backend = "scalar")))]
            _ => self.dense_s8(layer, input, output, scratch),
        }
    }

    /// The words of scratch that [`Backend::conv_s8`] needs on this target, for any number of samples, with `pool` the max
    /// pooling that is fused.
    pub const fn conv_s8_scratch_len(geometry: &Geometry, pool: Option<&Geometry>) -> usize {
        #[cfg(thumbnet_cortex)]
        return arm::CORES.conv_s8_scratch_len(geometry, pool);
        #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
        {
            // Any of the back ends may run.
            let avx2 = avx2::conv_s8::conv_s8_scratch_len(geometry, pool.copied());
            let avx512 = avx512::conv_s8::conv_s8_scratch_len(geometry, pool.copied());
            if avx2 > avx512 { avx2 } else { avx512 }
        }
        #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
        return neon::conv_s8::conv_s8_scratch_len(geometry, pool.copied());
        #[cfg(not(any(
            thumbnet_cortex,
            all(any(target_arch = "x86_64", target_arch = "aarch64"), not(thumbnet_backend = "scalar"))
        )))]
        {
            _ = (geometry, pool);
            0
        }
    }

    /// Dense layer and activation; see [`DenseS8`].
    ///
    /// `input` holds samples of `layer.inputs` values, `output` as many of `layer.units`, `scratch` at least
    /// [`Backend::dense_s8_scratch_len`] words of any content.
    ///
    /// # Panics
    ///
    /// If a length is wrong, or the back end does not read the order of the weights; see [`Backend::DENSE_S8_PACKING`]. On
    /// Cortex-M3, M4, M7 and M33, if the weights do not start at a multiple of 4 bytes, as those in a blob do.
    pub fn dense_s8(self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        assert!(layer.is_consistent(), "parameters do not fit the dense layer");
        assert!(input.len() * layer.units == output.len() * layer.inputs, "input and output differ in samples");
        assert!(scratch.len() >= Self::dense_s8_scratch_len(layer.inputs, layer.units), "scratch is too small");
        #[cfg(thumbnet_cortex)]
        if let super::Int8::Core = self.1 {
            assert!(layer.packing == arm::DENSE_PACKING, "the core's kernel does not read this order of weights");
            for (input, output) in input.chunks_exact(layer.inputs).zip(output.chunks_exact_mut(layer.units)) {
                arm::dense_s8::dense_s8(layer, input, output, scratch);
            }
            return;
        }
        match self.0 {
            Kind::Scalar => {
                for (input, output) in input.chunks_exact(layer.inputs).zip(output.chunks_exact_mut(layer.units)) {
                    scalar::dense_s8::dense_s8(layer, input, output);
                }
            }
            // The vector kernels read rows as they are.
            #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(thumbnet_backend = "scalar")))]
            _ if layer.packing != Packing::Plain => Self::SCALAR.dense_s8(layer, input, output, scratch),
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            Kind::Avx2(isa) => avx2::dense_s8::dense_s8(isa, layer, input, output),
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            Kind::Avx512(isa) => match isa.vnni() {
                Ok(isa) => avx512::dense_s8::dense_s8(isa, layer, input, output),
                Err(isa) => avx2::dense_s8::dense_s8(isa, layer, input, output),
            },
            #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
            Kind::Neon(isa) => neon::dense_s8::dense_s8(isa, layer, input, output),
        }
    }

    /// The words of scratch that [`Backend::dense_s8`] needs on this target, for any number of samples.
    pub const fn dense_s8_scratch_len(inputs: usize, units: usize) -> usize {
        #[cfg(thumbnet_cortex)]
        return arm::CORES.dense_s8_scratch_len(inputs, units);
        #[cfg(not(thumbnet_cortex))]
        {
            _ = (inputs, units);
            0
        }
    }

    /// Max pooling of int8 values, which keeps scale and zero point: `input` holds samples of `geometry.input`, `output` as
    /// many of `geometry.output`. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If a length is wrong.
    pub fn max_pool_s8(self, geometry: &Geometry, input: &[i8], output: &mut [i8]) {
        assert!(geometry.input.channels == geometry.output.channels, "pooling keeps the channels");
        let sizes = [geometry.input, geometry.output];
        assert!(sizes.iter().all(|shape| shape.checked_len().is_some()), "sizes that no slice has");
        let (input_len, output_len) = (geometry.input.len(), geometry.output.len());
        assert!(input.len() * output_len == output.len() * input_len, "input and output differ in samples");
        for (input, output) in input.chunks_exact(input_len).zip(output.chunks_exact_mut(output_len)) {
            dispatch!(self, pool_s8::max_pool_s8(geometry, input, output));
        }
    }

    /// Softmax over each run of `len` values, in place; see [`SoftmaxS8`]. Needs no scratch.
    ///
    /// # Panics
    ///
    /// If `len` is 0 or above [`SoftmaxS8::MAX_CLASSES`], the values are no whole runs, or the arithmetic is not defined for the
    /// parameters.
    pub fn softmax_s8(self, layer: &SoftmaxS8, len: usize, values: &mut [i8]) {
        const MOST: usize = SoftmaxS8::MAX_CLASSES;
        assert!((1..=MOST).contains(&len), "a softmax of {len} classes, but int8 softmax has 1..={MOST}");
        assert!(values.len().is_multiple_of(len), "{} values are no whole runs of {len}", values.len());
        assert!(layer.is_valid(), "int8 softmax is not defined for {layer:?}");
        self.softmax_s8_of_network(layer, len, values);
    }

    /// [`Backend::softmax_s8`] for a layer of a network that was read from a blob, likewise.
    pub(crate) fn softmax_s8_of_network(self, layer: &SoftmaxS8, len: usize, values: &mut [i8]) {
        for row in values.chunks_exact_mut(len) {
            scalar::softmax_s8::softmax_s8(layer, row);
        }
    }

    /// Replaces each value by the table's entry of that index, counted from -128. What sigmoid and tanh are in int8.
    pub fn table_s8(self, table: &[i8; 256], values: &mut [i8]) {
        for value in values {
            *value = table[usize::from(*value as u8 ^ 0x80)];
        }
    }
}
