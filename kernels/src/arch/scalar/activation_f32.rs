//! Activations and sums in place, and the activations' gradients computed from the activation's output.

/// `x`, or 0 where it is not kept: the smaller of its bits and all or no ones. From a choice LLVM makes stores of the
/// zeros alone, under a mask, of which some CPUs do one in a dozen cycles.
#[inline(always)]
fn keep(keeps: bool, x: f32) -> f32 {
    f32::from_bits(x.to_bits().min(u32::from(keeps).wrapping_neg()))
}

/// `y = y + x`.
#[inline(always)]
pub(in crate::arch) fn add(x: &[f32], y: &mut [f32]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
}

/// `y = max(y, 0)`; NaN stays NaN.
#[inline(always)]
pub(in crate::arch) fn relu(y: &mut [f32]) {
    y.iter_mut().for_each(|y| *y = keep(*y >= 0.0 || y.is_nan(), *y));
}

/// `dy = 0` where `y <= 0`.
#[inline(always)]
pub(in crate::arch) fn relu_gradient(y: &[f32], dy: &mut [f32]) {
    y.iter().zip(dy).for_each(|(y, dy)| *dy = keep(*y > 0.0, *dy));
}

/// `y = min(max(y, 0), 6)`.
#[inline(always)]
pub(in crate::arch) fn relu6(y: &mut [f32]) {
    y.iter_mut().for_each(|y| {
        let low = keep(*y >= 0.0 || y.is_nan(), *y);
        *y = if low > 6.0 { 6.0 } else { low };
    });
}

/// `dy = 0` where `y <= 0` or `y >= 6`.
#[inline(always)]
pub(in crate::arch) fn relu6_gradient(y: &[f32], dy: &mut [f32]) {
    y.iter().zip(dy).for_each(|(y, dy)| *dy = keep(*y > 0.0 && *y < 6.0, *dy));
}

/// `y = slope * y` where `y < 0`.
#[inline(always)]
pub(in crate::arch) fn leaky_relu(slope: f32, y: &mut [f32]) {
    y.iter_mut().for_each(|y| *y = if *y < 0.0 { slope * *y } else { *y });
}

/// `dy = slope * dy` where the input was below 0: `y` is then, too, or 0 where the slope is.
#[inline(always)]
pub(in crate::arch) fn leaky_relu_gradient(slope: f32, y: &[f32], dy: &mut [f32]) {
    y.iter().zip(dy).for_each(|(y, dy)| *dy = if *y > 0.0 { *dy } else { slope * *dy });
}

/// `y = 1 / (1 + exp(-y))`.
pub(in crate::arch) fn sigmoid(y: &mut [f32]) {
    y.iter_mut().for_each(|y| *y = 1.0 / (1.0 + libm::expf(-*y)));
}

/// `dy = dy * y * (1 - y)`.
#[inline(always)]
pub(in crate::arch) fn sigmoid_gradient(y: &[f32], dy: &mut [f32]) {
    y.iter().zip(dy).for_each(|(y, dy)| *dy *= y * (1.0 - y));
}

/// `y = tanh(y)`.
pub(in crate::arch) fn tanh(y: &mut [f32]) {
    y.iter_mut().for_each(|y| *y = libm::tanhf(*y));
}

/// `dy = dy * (1 - y^2)`.
#[inline(always)]
pub(in crate::arch) fn tanh_gradient(y: &[f32], dy: &mut [f32]) {
    y.iter().zip(dy).for_each(|(y, dy)| *dy *= 1.0 - y * y);
}
