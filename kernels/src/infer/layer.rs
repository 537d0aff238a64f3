//! What a blob holds of a step, read where it lies.

use super::{Header, OpS8, Record};
use crate::arch::{Backend, Kernels};
use crate::geometry::Geometry;
use crate::int8::{AddS8, Affine, ConvS8, DenseS8, DepthwiseConvS8, Packing, Requantize};

/// The parts of a blob that a device reads.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What the blob begins with.
    pub header: &'a Header,
    /// One record for each step.
    pub records: &'a [Record],
    /// The tensors of all steps.
    pub tensors: &'a [i8],
}

impl<'a> Parts<'a> {
    /// Scale and zero point of the input.
    pub fn input(&self) -> Affine {
        Affine { scale: self.header.input_scale, zero_point: self.header.input_zero_point }
    }

    /// Scale and zero point of the last step's output.
    pub fn output(&self) -> Affine {
        self.records.last().map_or(self.input(), Record::output)
    }

    /// The tensors of step `k`, which computes `op`; `None` where they do not fit.
    pub fn layer(&self, k: usize, op: &OpS8<'_>) -> Option<LayerS8<'a>> {
        let record = self.records.get(k)?;
        let (weights, channels) = op.weights();
        let mut at = record.tensors.0 as usize;
        // The words begin at a multiple of 4, where the next record's tensors do at one of 16.
        let weights = take(self.tensors, &mut at, weights, 1)?;
        let words =
            bytemuck::try_cast_slice::<i8, i32>(take(self.tensors, &mut at, channels.checked_mul(8)?, 4)?).ok()?;
        let (bias, multiplier) = words.split_at_checked(channels)?;
        let shift = take(self.tensors, &mut at, channels, 1)?;
        let table = match record.after {
            Record::TABLE => Some(take(self.tensors, &mut at, 256, 1)?.first_chunk()?),
            _ => None,
        };
        Some(LayerS8 { record, weights, bias, multiplier, shift, table })
    }
}

/// The next `len` bytes from a multiple of `alignment` on.
#[inline(never)]
fn take<'a>(tensors: &'a [i8], at: &mut usize, len: usize, alignment: usize) -> Option<&'a [i8]> {
    let start = at.checked_next_multiple_of(alignment)?;
    let (taken, _) = tensors.get(start..)?.split_at_checked(len)?;
    *at = start + len;
    Some(taken)
}

/// The tensors and parameters of one step, borrowed from its blob. What has no weights has empty slices.
#[derive(Clone, Copy, Debug)]
pub struct LayerS8<'a> {
    /// Quantisation.
    pub record: &'a Record,
    /// The kernel.
    pub weights: &'a [i8],
    /// The bias of each channel, with the input's zero point folded in.
    pub bias: &'a [i32],
    /// Multiplier of each channel; see [`Requantize`].
    pub multiplier: &'a [i32],
    /// Shift of each channel.
    pub shift: &'a [i8],
    /// The output of each int8, from -128 on, of sigmoid or tanh.
    pub table: Option<&'a [i8; 256]>,
}

impl LayerS8<'_> {
    /// Accumulator to output.
    pub const fn requantize(&self) -> Requantize<'_> {
        let Record { zero_point, activation, .. } = *self.record;
        Requantize { multiplier: self.multiplier, shift: self.shift, zero_point, activation }
    }

    /// The order of the weights.
    pub const fn packing(&self) -> Packing {
        // Checked when the blob was read.
        match Packing::from_code(self.record.packing) {
            Some(packing) => packing,
            None => Packing::Plain,
        }
    }

    // The steps are inlined into the loop, whose frame then holds the parameters: a frame less on a device's stack.

    /// Runs the step as a convolution, with `pool` the max pooling that is fused.
    #[inline(always)]
    pub(super) fn conv(
        &self,
        backend: Backend,
        geometry: &Geometry,
        pool: Option<&Geometry>,
        x: &[i8],
        y: &mut [i8],
        scratch: &mut [i32],
    ) {
        let conv = ConvS8 {
            geometry,
            pool,
            input_zero_point: self.record.input_zero_points[0],
            weights: self.weights,
            packing: self.packing(),
            bias: self.bias,
            requantize: self.requantize(),
        };
        backend.kernels().conv_s8(&conv, x, y, scratch);
        self.after(backend, geometry.output().channels, y);
    }

    /// Runs the step as a depthwise convolution.
    #[inline(always)]
    pub(super) fn depthwise_conv(
        &self,
        backend: Backend,
        geometry: &Geometry,
        x: &[i8],
        y: &mut [i8],
        scratch: &mut [i32],
    ) {
        let conv = DepthwiseConvS8 {
            geometry,
            input_zero_point: self.record.input_zero_points[0],
            weights: self.weights,
            bias: self.bias,
            requantize: self.requantize(),
        };
        backend.kernels().depthwise_conv_s8(&conv, x, y, scratch);
        self.after(backend, geometry.output().channels, y);
    }

    /// Runs the step as a dense layer.
    #[inline(always)]
    pub(super) fn dense(
        &self,
        backend: Backend,
        inputs: usize,
        units: usize,
        x: &[i8],
        y: &mut [i8],
        scratch: &mut [i32],
    ) {
        let dense = DenseS8 {
            inputs,
            units,
            weights: self.weights,
            packing: self.packing(),
            bias: self.bias,
            requantize: self.requantize(),
        };
        backend.kernels().dense_s8(&dense, x, y, scratch);
        self.after(backend, units, y);
    }

    /// Adds `x` to `y`, which holds the first term.
    pub(super) fn add(&self, backend: Backend, x: &[i8], y: &mut [i8]) {
        backend.kernels().add_s8(&self.sum(), x, y);
    }

    /// Multiplies `y`, which holds the first factor, by `x`.
    pub(super) fn multiply(&self, backend: Backend, x: &[i8], y: &mut [i8]) {
        backend.kernels().multiply_s8(&self.record.product(), x, y);
    }

    /// Writes the part of a concatenation that is the input `read`, whose parts have `widths` channels.
    pub(super) fn concatenate(&self, backend: Backend, read: usize, [a, b]: [usize; 2], x: &[i8], y: &mut [i8]) {
        let (width, first) = if read == 0 { (a, 0) } else { (b, a) };
        backend.kernels().concatenate_s8(&self.record.part(read), width, x, [first, a + b], y);
    }

    /// Copies `x` into `y`, and what stands for 0 around it.
    pub(super) fn zero_padding(&self, [_, width, channels]: [u16; 3], padding: [u8; 4], x: &[i8], y: &mut [i8]) {
        let [width, channels] = [width, channels].map(usize::from);
        let [above, _, left, right] = padding.map(usize::from);
        y.fill(self.record.input_zero_points[0]);
        // No row is empty: the maxima are for the compiler.
        let mut rows = y.chunks_exact_mut(((left + width + right) * channels).max(1)).skip(above);
        for x in x.chunks_exact((width * channels).max(1)) {
            let Some(y) = rows.next() else { return };
            y.iter_mut().skip(left * channels).zip(x).for_each(|(y, x)| *y = *x);
        }
    }

    /// The parameters of a sum.
    pub const fn sum(&self) -> AddS8 {
        self.record.sum()
    }

    /// Applies in place what follows on the clamp to `y`, whose innermost dimension has `channels` values.
    pub(super) fn after(&self, backend: Backend, channels: usize, y: &mut [i8]) {
        if let Some(table) = self.table {
            backend.table_s8(table, y);
        } else if let Some(softmax) = self.record.softmax() {
            backend.kernels().softmax_s8(&softmax, channels, y);
        }
    }
}
