//! The parameters of requantisation, a vector's worth at a time.

use crate::int8::Requantize;

/// The parameters of some channels. Channels that do not exist have zeros.
pub(in crate::arch) struct Channels<const LANES: usize> {
    pub(in crate::arch) multiplier: [i32; LANES],
    pub(in crate::arch) shift: [i32; LANES],
    pub(in crate::arch) zero_point: i32,
    /// The least and the largest output, less the zero point: what a scaled sum may be.
    pub(in crate::arch) range: [i32; 2],
}

impl<const LANES: usize> Channels<LANES> {
    /// The parameters from channel `first` on.
    #[inline(always)]
    pub(in crate::arch) fn new(requantize: &Requantize<'_>, first: usize) -> Self {
        let zero_point = i32::from(requantize.zero_point);
        Self {
            multiplier: lanes(&requantize.multiplier[first..]),
            shift: lanes(&requantize.shift[first..]).map(i32::from),
            zero_point,
            range: requantize.activation.map(|end| i32::from(end) - zero_point),
        }
    }
}

/// The first values, filled up with zeros.
#[inline(always)]
pub(in crate::arch) fn lanes<T: Copy + Default, const LANES: usize>(values: &[T]) -> [T; LANES] {
    values.first_chunk().copied().unwrap_or_else(|| {
        let mut all = [T::default(); LANES];
        all[..values.len()].copy_from_slice(values);
        all
    })
}
