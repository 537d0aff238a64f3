//! The fully connected layer and its gradients, in f32, for a batch of rows.

use crate::arch::Weights;

/// `y[b, u] = bias[u] + sum over i of x[b, i] * kernel[i, u]`, then relu where asked.
pub(in crate::arch) fn dense(
    inputs: usize,
    units: usize,
    x: &[f32],
    Weights { kernel, bias, relu }: Weights<'_>,
    y: &mut [f32],
) {
    for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(units)) {
        match bias {
            Some(bias) => y.copy_from_slice(bias),
            None => y.fill(0.0),
        }
        for (x, weights) in x.iter().zip(kernel.chunks_exact(units)) {
            for (y, w) in y.iter_mut().zip(weights) {
                *y += x * w;
            }
        }
        if relu {
            super::activation_f32::relu(y);
        }
    }
}

/// `dx[b, i] = sum over u of dy[b, u] * kernel[i, u]`.
pub(in crate::arch) fn dense_input_gradient(inputs: usize, units: usize, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
    for (dy, dx) in dy.chunks_exact(units).zip(dx.chunks_exact_mut(inputs)) {
        for (dx, weights) in dx.iter_mut().zip(kernel.chunks_exact(units)) {
            *dx = dy.iter().zip(weights).map(|(dy, w)| dy * w).sum();
        }
    }
}

/// `dkernel[i - first, u] = sum over b of x[b, i] * dy[b, u]`, for as many rows from `first` on as `dkernel` has.
pub(in crate::arch) fn dense_kernel_gradient(
    inputs: usize,
    units: usize,
    x: &[f32],
    dy: &[f32],
    first: usize,
    dkernel: &mut [f32],
) {
    dkernel.fill(0.0);
    for (x, dy) in x.chunks_exact(inputs).zip(dy.chunks_exact(units)) {
        for (x, gradient) in x[first..].iter().zip(dkernel.chunks_exact_mut(units)) {
            for (g, dy) in gradient.iter_mut().zip(dy) {
                *g += x * dy;
            }
        }
    }
}

/// Adds to `sums[u]` the sum over rows of `dy[row, u]`, columns `first..first + sums.len()` of rows of `units` values.
///
/// Groups of `group` rows are summed apart and then added, which loses less than one long sum.
#[inline(always)]
pub(in crate::arch) fn column_sums(units: usize, group: usize, dy: &[f32], first: usize, sums: &mut [f32]) {
    const WIDTH: usize = 16;
    for (block, sums) in sums.chunks_mut(WIDTH).enumerate() {
        let first = first + block * WIDTH;
        for group in dy.chunks(group.saturating_mul(units)) {
            let mut partial = [0.0; WIDTH];
            for row in group.chunks_exact(units) {
                match row[first..].first_chunk::<WIDTH>() {
                    Some(row) => (0..WIDTH).for_each(|i| partial[i] += row[i]),
                    None => partial.iter_mut().zip(&row[first..]).for_each(|(p, v)| *p += v),
                }
            }
            sums.iter_mut().zip(&partial).for_each(|(s, p)| *s += p);
        }
    }
}
