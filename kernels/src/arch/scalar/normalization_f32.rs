//! Batch normalisation, in f32. Values lie in rows of whole positions; what belongs to a channel is repeated along a
//! row.

/// Adds to `sums` those of `x - origin` and of their squares, each in as many columns as `origin` has.
#[inline(always)]
pub(in crate::arch) fn moment_sums(x: &[f32], origin: &[f32], sums: &mut [f32]) {
    let (sum, squares) = sums.split_at_mut(origin.len());
    for row in x.chunks(origin.len()) {
        let columns = sum.iter_mut().zip(squares.iter_mut()).zip(origin);
        for (x, ((sum, squares), origin)) in row.iter().zip(columns) {
            let difference = x - origin;
            *sum += difference;
            *squares += difference * difference;
        }
    }
}

/// `y = scale * (x - mean) + shift`, then `max(y, 0)` where `relu`. The rule is mean, scale and shift, each in as many
/// columns.
#[inline(always)]
pub(in crate::arch) fn normalize(x: &[f32], rule: &[f32], relu: bool, y: &mut [f32]) {
    let width = rule.len() / 3;
    let ((mean, rest), floor) = (rule.split_at(width), if relu { 0.0 } else { f32::NEG_INFINITY });
    let (scale, shift) = rest.split_at(width);
    for (x, y) in x.chunks(width).zip(y.chunks_mut(width)) {
        let columns = mean.iter().zip(scale).zip(shift);
        for ((x, y), ((mean, scale), shift)) in x.iter().zip(y).zip(columns) {
            let value = scale * (x - mean) + shift;
            *y = if value < floor { floor } else { value };
        }
    }
}

/// Adds to `sums` those of `dy` and of `dy * (x - mean)`, each in as many columns as `mean` has.
#[inline(always)]
pub(in crate::arch) fn normalization_sums(x: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
    let (sum, products) = sums.split_at_mut(mean.len());
    for (x, dy) in x.chunks(mean.len()).zip(dy.chunks(mean.len())) {
        let columns = sum.iter_mut().zip(products.iter_mut()).zip(mean);
        for ((x, dy), ((sum, products), mean)) in x.iter().zip(dy).zip(columns) {
            *sum += dy;
            *products += dy * (x - mean);
        }
    }
}

/// `dx = of_dy * dy - (of_x * (x - mean) + constant)`. The rule is mean, and these three, each in as many columns.
#[inline(always)]
pub(in crate::arch) fn normalization_gradient(x: &[f32], dy: &[f32], rule: &[f32], dx: &mut [f32]) {
    let width = rule.len() / 4;
    let (mean, rest) = rule.split_at(width);
    let (of_dy, rest) = rest.split_at(width);
    let (of_x, constant) = rest.split_at(width);
    for ((x, dy), dx) in x.chunks(width).zip(dy.chunks(width)).zip(dx.chunks_mut(width)) {
        let columns = mean.iter().zip(of_dy).zip(of_x.iter().zip(constant));
        for (((x, dy), dx), ((mean, of_dy), (of_x, constant))) in x.iter().zip(dy).zip(dx).zip(columns) {
            *dx = of_dy * dy - (of_x * (x - mean) + constant);
        }
    }
}
