//! The product of two int8 tensors.

use crate::int8::MulS8;

/// Multiplies `y` by `x` in place; `x` is repeated where it is shorter.
#[inline(always)]
pub(in crate::arch) fn multiply_s8(layer: &MulS8, x: &[i8], y: &mut [i8]) {
    // No factor is empty: the maximum is for the compiler.
    for y in y.chunks_exact_mut(x.len().max(1)) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = layer.apply([*y, *x]));
    }
}
