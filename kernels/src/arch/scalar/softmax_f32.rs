//! Softmax over the rows of a matrix.

/// `y[i] = exp(y[i] - m) / sum over j of exp(y[j] - m)` in each row of `classes` values, `m` the row's maximum.
pub(in crate::arch) fn softmax(classes: usize, y: &mut [f32]) {
    for row in y.chunks_exact_mut(classes) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for y in row.iter_mut() {
            *y = libm::expf(*y - largest);
            sum += *y;
        }
        row.iter_mut().for_each(|y| *y /= sum);
    }
}
