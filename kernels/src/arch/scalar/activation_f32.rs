//! Activations and sums in place, and the activations' gradients computed from the activation's output.

/// `y = y + x`.
#[inline(always)]
pub(in crate::arch) fn add(x: &[f32], y: &mut [f32]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
}

/// `y = max(y, 0)`; NaN stays NaN.
#[inline(always)]
pub(in crate::arch) fn relu(y: &mut [f32]) {
    y.iter_mut().for_each(|y| *y = if *y < 0.0 { 0.0 } else { *y });
}

/// `dy = 0` where `y <= 0`.
#[inline(always)]
pub(in crate::arch) fn relu_gradient(y: &[f32], dy: &mut [f32]) {
    y.iter().zip(dy).for_each(|(y, dy)| *dy = if *y > 0.0 { *dy } else { 0.0 });
}

/// `y = min(max(y, 0), 6)`.
#[inline(always)]
pub(in crate::arch) fn relu6(y: &mut [f32]) {
    y.iter_mut().for_each(|y| {
        let low = if *y < 0.0 { 0.0 } else { *y };
        *y = if low > 6.0 { 6.0 } else { low };
    });
}

/// `dy = 0` where `y <= 0` or `y >= 6`.
#[inline(always)]
pub(in crate::arch) fn relu6_gradient(y: &[f32], dy: &mut [f32]) {
    y.iter().zip(dy).for_each(|(y, dy)| *dy = if *y > 0.0 && *y < 6.0 { *dy } else { 0.0 });
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
