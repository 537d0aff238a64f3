//! The product of two int8 tensors on cores with Helium, four values at a time.
use super::scale::{Scale, read_scale, scale};
use crate::int8::MulS8;

// thumbnet_multiply(scale, x, y, count): 16 instructions for four values.
crate::arch::arm::thumb_function! {
    "thumbnet_multiply":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d13}}",
    read_scale!(),
    "dlstp.32 lr, r3",
    "1:",
    "vldrb.s32 q1, [r1], #4",
    "vldrb.s32 q0, [r2]",
    "vadd.i32 q1, q1, r5",
    "vadd.i32 q0, q0, r4",
    "vmul.i32 q0, q0, q1",
    scale!(),
    "vstrb.32 q0, [r2], #4",
    "letp lr, 1b",
    "vpop {{d8-d13}}",
    "pop {{r4-r11, pc}}"
}

unsafe extern "C" {
    fn thumbnet_multiply(scale: &Scale, x: *const i8, y: *mut i8, count: usize);
}

/// Multiplies `y` by `x` in place; `x` is repeated where it is shorter.
pub(in crate::arch) fn multiply_s8(layer: &MulS8, x: &[i8], y: &mut [i8]) {
    let scale = Scale::new(layer.input_zero_points, layer.factor, layer.zero_point, layer.activation);
    for y in y.chunks_exact_mut(x.len().max(1)).take_while(|y| y.len() == x.len()) {
        // SAFETY: both have so many values, of which there is one.
        unsafe { thumbnet_multiply(&scale, x.as_ptr(), y.as_mut_ptr(), x.len()) }
    }
}
