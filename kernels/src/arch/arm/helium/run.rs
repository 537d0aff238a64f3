//! Filters or units at work: all that the assembly must know beside windows and memory for the sums.

use crate::int8::{ConvS8, DenseS8, Requantize};
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::Range;

/// Some filters or units of a layer.
#[repr(C)]
pub(super) struct Run<'a> {
    /// Of the first one.
    bias: *const i32,
    multiplier: *const i32,
    shift: *const i8,
    weights: *const i8,
    /// Positions of each, and how many.
    len: usize,
    count: usize,
    /// The least and the largest output, before the zero point is added.
    least: i32,
    largest: i32,
    zero_point: i32,
    /// Whether some shift of the layer is not to the right.
    left: u32,
    /// Bytes from one row of a window to the next one, where they are read in place.
    stride: usize,
    layer: PhantomData<&'a [i8]>,
}

/// Where the fields are that the assembly reads, and of those which it reads with a neighbour.
impl Run<'_> {
    pub(super) const WEIGHTS: usize = offset_of!(Self, weights);
    pub(super) const LEN: usize = offset_of!(Self, len);
    pub(super) const COUNT: usize = offset_of!(Self, count);
    pub(super) const LEAST: usize = offset_of!(Self, least);
    pub(super) const STRIDE: usize = offset_of!(Self, stride);
    pub(super) const ZERO_POINT: usize = offset_of!(Self, zero_point);
}

const _: () = {
    // `ldm` begins where the run does.
    assert!(offset_of!(Run<'_>, bias) == 0 && offset_of!(Run<'_>, multiplier) == 4);
    assert!(offset_of!(Run<'_>, shift) == 8 && Run::COUNT == Run::LEN + 4);
    assert!(offset_of!(Run<'_>, largest) == Run::LEAST + 4 && offset_of!(Run<'_>, left) == Run::ZERO_POINT + 4);
};

impl<'a> Run<'a> {
    /// Filters `first..first + count` of a convolution, or none where it has no such. `left` is what [`any_left`] says,
    /// `stride` the bytes from one row of a window to the next.
    pub(super) fn filters(layer: &ConvS8<'a>, first: usize, count: usize, left: bool, stride: usize) -> Option<Self> {
        let len = layer.geometry.patch();
        let run = Self::new(layer.weights, layer.bias, &layer.requantize, len, first..first + count, left)?;
        Some(Self { stride, ..run })
    }

    /// Goes on to other filters of the convolution. `None` where it has no such.
    pub(super) fn go_on(&mut self, layer: &ConvS8<'a>, filters: Range<usize>) -> Option<()> {
        self.weights = layer.weights.get(filters.start * self.len..filters.end * self.len)?.as_ptr();
        self.count = filters.len();
        self.bias = layer.bias.get(filters.clone())?.as_ptr();
        self.multiplier = layer.requantize.multiplier.get(filters.clone())?.as_ptr();
        self.shift = layer.requantize.shift.get(filters)?.as_ptr();
        Some(())
    }

    /// The units of a dense layer.
    pub(super) fn units(layer: &DenseS8<'a>) -> Option<Self> {
        Self::new(layer.weights, layer.bias, &layer.requantize, layer.inputs, 0..layer.units, false)
    }

    #[inline(always)]
    fn new(
        weights: &'a [i8],
        bias: &'a [i32],
        requantize: &Requantize<'a>,
        len: usize,
        rows: Range<usize>,
        left: bool,
    ) -> Option<Self> {
        let [least, largest] = requantize.activation.map(i32::from);
        let zero_point = i32::from(requantize.zero_point);
        (!rows.is_empty()).then_some(Self {
            bias: bias.get(rows.clone())?.as_ptr(),
            multiplier: requantize.multiplier.get(rows.clone())?.as_ptr(),
            shift: requantize.shift.get(rows.clone())?.as_ptr(),
            weights: weights.get(rows.start * len..rows.end * len)?.as_ptr(),
            len,
            count: rows.len(),
            least: least - zero_point,
            largest: largest - zero_point,
            zero_point,
            left: left.into(),
            stride: 0,
            layer: PhantomData,
        })
    }

    /// How many filters or units.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// Whether some shift is not to the right.
pub(super) fn any_left(requantize: &Requantize<'_>) -> bool {
    requantize.shift.iter().any(|&shift| shift >= 0)
}
