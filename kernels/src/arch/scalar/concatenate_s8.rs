//! One part of a concatenation of int8 tensors.

use crate::int8::RescaleS8;

/// Writes rows of `width` values, in the output's scale, to the columns `first..first + width` of rows of `to_width`.
#[inline(always)]
pub(in crate::arch) fn concatenate_s8(
    layer: &RescaleS8,
    width: usize,
    x: &[i8],
    [first, to_width]: [usize; 2],
    y: &mut [i8],
) {
    // No part is empty: the maxima are for the compiler.
    let mut rows = y.chunks_exact_mut(to_width.max(1));
    for x in x.chunks_exact(width.max(1)) {
        let Some(y) = rows.next() else { return };
        y.iter_mut().skip(first).zip(x).for_each(|(y, x)| *y = layer.apply(*x));
    }
}
