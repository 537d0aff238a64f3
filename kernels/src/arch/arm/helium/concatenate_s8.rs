//! One part of a concatenation of int8 tensors on cores with Helium, four values at a time.
use super::scale::{Scale, read_scale, scale};
use crate::arch::scalar;
use crate::int8::RescaleS8;

// thumbnet_rescale(scale, x, y, count): 13 instructions for four values.
crate::arch::arm::thumb_function! {
    "thumbnet_rescale":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d13}}",
    read_scale!(),
    "dlstp.32 lr, r3",
    "1:",
    "vldrb.s32 q0, [r1], #4",
    "vadd.i32 q0, q0, r4",
    scale!(),
    "vstrb.32 q0, [r2], #4",
    "letp lr, 1b",
    "vpop {{d8-d13}}",
    "pop {{r4-r11, pc}}"
}

unsafe extern "C" {
    fn thumbnet_rescale(scale: &Scale, x: *const i8, y: *mut i8, count: usize);
}

/// Writes rows of `width` values, in the output's scale, to the columns `first..first + width` of rows of `to_width`.
pub(in crate::arch) fn concatenate_s8(
    layer: &RescaleS8,
    width: usize,
    x: &[i8],
    [first, to_width]: [usize; 2],
    y: &mut [i8],
) {
    if layer.factors[0] != layer.factors[1] {
        // No part of a concatenation has two.
        return scalar::concatenate_s8::concatenate_s8(layer, width, x, [first, to_width], y);
    }
    let scale = Scale::new([layer.input_zero_point; 2], layer.factors[0], layer.zero_point, layer.activation);
    let mut rows = y.chunks_exact_mut(to_width.max(1));
    for x in x.chunks_exact(width.max(1)) {
        let Some(y) = rows.next() else { return };
        let Some(y) = y.get_mut(first..).filter(|y| x.len() <= y.len()) else { return };
        // SAFETY: both have so many values, of which there is one.
        unsafe { thumbnet_rescale(&scale, x.as_ptr(), y.as_mut_ptr(), x.len()) }
    }
}
