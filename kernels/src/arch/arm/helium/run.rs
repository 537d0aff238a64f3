//! Filters at work: all that the assembly must know beside windows and memory for the sums.

use crate::int8::{ConvS8, Requantize};
use core::marker::PhantomData;
use core::mem::offset_of;

/// Some filters of a layer.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Run<'a> {
    /// Of the first filter.
    bias: *const i32,
    multiplier: *const i32,
    shift: *const i8,
    weights: *const i8,
    /// Positions of a filter, and how many filters.
    len: usize,
    count: usize,
    /// The least and the largest output, before the zero point is added.
    least: i32,
    largest: i32,
    zero_point: i32,
    /// Whether some shift of the layer is not to the right.
    left: u32,
    layer: PhantomData<&'a [i8]>,
}

/// Where the fields are that the assembly reads, and of those which it reads with a neighbour.
impl Run<'_> {
    pub(super) const WEIGHTS: usize = offset_of!(Self, weights);
    pub(super) const LEN: usize = offset_of!(Self, len);
    pub(super) const COUNT: usize = offset_of!(Self, count);
    pub(super) const LEAST: usize = offset_of!(Self, least);
    pub(super) const ZERO_POINT: usize = offset_of!(Self, zero_point);
}

const _: () = {
    // `ldm` begins where the run does.
    assert!(offset_of!(Run<'_>, bias) == 0 && offset_of!(Run<'_>, multiplier) == 4);
    assert!(offset_of!(Run<'_>, shift) == 8 && Run::COUNT == Run::LEN + 4);
    assert!(offset_of!(Run<'_>, largest) == Run::LEAST + 4 && offset_of!(Run<'_>, left) == Run::ZERO_POINT + 4);
};

impl<'a> Run<'a> {
    /// Filters `first..first + count`, or none where the layer has no such. `left` is what [`any_left`] says.
    pub(super) fn new(layer: &ConvS8<'a>, first: usize, count: usize, left: bool) -> Option<Self> {
        let (requantize, len) = (&layer.requantize, layer.geometry.patch());
        let filters = first..first + count;
        let [least, largest] = requantize.activation.map(i32::from);
        let zero_point = i32::from(requantize.zero_point);
        (count > 0).then_some(Self {
            bias: layer.bias.get(filters.clone())?.as_ptr(),
            multiplier: requantize.multiplier.get(filters.clone())?.as_ptr(),
            shift: requantize.shift.get(filters.clone())?.as_ptr(),
            weights: layer.weights.get(filters.start * len..filters.end * len)?.as_ptr(),
            len,
            count,
            least: least - zero_point,
            largest: largest - zero_point,
            zero_point,
            left: left.into(),
            layer: PhantomData,
        })
    }

    /// How many filters.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// Whether some shift is not to the right.
pub(super) fn any_left(requantize: &Requantize<'_>) -> bool {
    requantize.shift.iter().any(|&shift| shift >= 0)
}
