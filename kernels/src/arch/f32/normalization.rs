use super::{check_len, check_scratch};
use crate::arch::{
    Backend, Kernels,
    parallel::{Rows, pieces},
};
use crate::geometry::Shape;

/// Values in a row of whole positions, if one position has fewer: so that loops over a row are long.
const ROW: usize = 64;
/// Values that one sum of a part runs over, at most in [`PARTS`] parts.
const PART: usize = 1 << 16;
/// Parts of a sum at most.
const PARTS: usize = 32;
/// What the longest rule has for each column.
const RULE: usize = 4;

impl Backend {
    /// How many `f32` of scratch [`Self::batch_normalization`] and its gradient work in.
    pub const fn batch_normalization_scratch_len(shape: Shape, batch: usize) -> usize {
        let (width, parts) = (row(shape.channels), parts(shape, batch));
        // Sums of each part, what they come to, and a rule.
        let sums = parts.saturating_mul(2).saturating_mul(width).saturating_add(shape.channels.saturating_mul(2));
        sums.saturating_add(width.saturating_mul(RULE))
    }

    /// The mean of each channel over a batch and its positions, and behind all means each channel's variance: the mean
    /// of the squared differences from the mean.
    ///
    /// # Panics
    ///
    /// If `x` is not `batch` times `shape`, `moments` has not two values a channel, or there are no channels or too
    /// little scratch.
    pub fn moments(self, shape: Shape, batch: usize, x: &[f32], moments: &mut [f32], scratch: &mut [f32]) {
        check(shape, batch, x, moments, scratch);
        let (width, channels) = (row(shape.channels), shape.channels);
        let (origin, rest) = scratch.split_at_mut(width);
        // Differences from a value of each channel are small beside their spread, or as large; then little cancels
        // below.
        repeat(x, origin, channels);
        let parts = parts(shape, batch);
        let (sums, _) = rest.split_at_mut(parts * 2 * width);
        self.in_parts(shape, batch, sums, &|rows, sums| {
            self.kernels().moment_sums(&x[rows], origin, sums);
        });
        add_parts(sums, width, channels, moments);
        let count = (x.len() / channels).max(1) as f32;
        let (means, variances) = moments.split_at_mut(channels);
        for ((mean, variance), origin) in means.iter_mut().zip(variances).zip(&*origin) {
            let (difference, square) = (*mean / count, *variance / count);
            *mean = origin + difference;
            *variance = (square - difference * difference).max(0.0);
        }
    }

    /// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta` for each channel, then `max(y, 0)` where `relu`. The
    /// `moments` are all means, then all variances.
    ///
    /// # Panics
    ///
    /// If `x` or `y` is not `batch` times `shape`, the other slices have not a value a channel each, or there are no
    /// channels or too little scratch.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn batch_normalization(
        self,
        shape: Shape,
        batch: usize,
        x: &[f32],
        [gamma, beta]: [&[f32]; 2],
        epsilon: f32,
        moments: &[f32],
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        check(shape, batch, x, moments, scratch);
        check_len("output", y.len(), batch, shape);
        let (width, channels) = (row(shape.channels), shape.channels);
        check_len("gamma", gamma.len(), 1, Shape::vector(channels));
        check_len("beta", beta.len(), 1, Shape::vector(channels));
        let rule = &mut scratch[..3 * width];
        let [mean, scale, shift] = columns(rule, width);
        let (means, variances) = moments.split_at(channels);
        repeat(means, mean, channels);
        for (i, scale) in scale.iter_mut().enumerate() {
            *scale = gamma[i % channels] * inverse(variances[i % channels], epsilon);
        }
        repeat(beta, shift, channels);
        let rule = &*rule;
        pieces((Rows { items: x, width }, Rows { items: y, width }), PART.div_ceil(width), &|_, (x, y)| {
            self.kernels().normalize(x.items, rule, relu, y.items);
        });
    }

    /// The gradients of [`Self::batch_normalization`] whose moments are those of `x`: for `gamma` and `beta` into
    /// `dparameters`, one behind the other, and for `x` into `dx`, if it is wanted. `dy` is that before the activation.
    /// With `n` values of each channel and `i = 1 / sqrt(variance + epsilon)`:
    ///
    /// ```text
    /// dbeta = Σ dy    dgamma = Σ dy (x - mean) i    dx = gamma i (dy - (dbeta + (x - mean) i dgamma) / n)
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Self::batch_normalization`].
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formula")]
    pub fn batch_normalization_gradient(
        self,
        shape: Shape,
        batch: usize,
        [x, dy]: [&[f32]; 2],
        gamma: &[f32],
        epsilon: f32,
        moments: &[f32],
        dparameters: &mut [f32],
        dx: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) {
        check(shape, batch, x, moments, scratch);
        check_len("dy", dy.len(), batch, shape);
        let (width, channels) = (row(shape.channels), shape.channels);
        check_len("gamma", gamma.len(), 1, Shape::vector(channels));
        check_len("gradients of gamma and beta", dparameters.len(), 2, Shape::vector(channels));
        let (means, variances) = moments.split_at(channels);
        let (rule, rest) = scratch.split_at_mut(RULE * width);
        let (sums, _) = rest.split_at_mut(parts(shape, batch) * 2 * width);
        let [mean, of_dy, of_x, constant] = columns(rule, width);
        repeat(means, mean, channels);
        let mean = &*mean;
        self.in_parts(shape, batch, sums, &|rows, sums| {
            self.kernels().normalization_sums(&x[rows.clone()], &dy[rows], mean, sums);
        });
        // Of dy, and of dy times the difference from the mean.
        add_parts(sums, width, channels, dparameters);
        let count = (x.len() / channels).max(1) as f32;
        for i in 0..width {
            let c = i % channels;
            let inverse = inverse(variances[c], epsilon);
            of_dy[i] = gamma[c] * inverse;
            of_x[i] = of_dy[i] * (inverse * inverse * dparameters[channels + c] / count);
            constant[i] = of_dy[i] * (dparameters[c] / count);
        }
        let (sums, products) = dparameters.split_at_mut(channels);
        for ((sum, product), variance) in sums.iter_mut().zip(products).zip(variances) {
            (*sum, *product) = (*product * inverse(*variance, epsilon), *sum);
        }
        let Some(dx) = dx else { return };
        check_len("dx", dx.len(), batch, shape);
        let rule = &*rule;
        let read = (Rows { items: x, width }, Rows { items: dy, width });
        pieces((read, Rows { items: dx, width }), PART.div_ceil(width), &|_, ((x, dy), dx)| {
            self.kernels().normalization_gradient(x.items, dy.items, rule, dx.items);
        });
    }

    /// Calls `sum(the values of a part, its sums)` for every part of a batch; `sums` has as many of the same length,
    /// and holds zeros before. How a batch is cut follows from sizes alone, so that sums are the same for any number of
    /// threads.
    fn in_parts(
        self,
        shape: Shape,
        batch: usize,
        sums: &mut [f32],
        sum: &(impl Fn(core::ops::Range<usize>, &mut [f32]) + Sync),
    ) {
        let (width, len) = (row(shape.channels), batch * shape.len());
        let each = len.div_ceil(parts(shape, batch)).next_multiple_of(width);
        sums.fill(0.0);
        pieces(Rows { items: sums, width: 2 * width }, 1, &|first, sums| {
            for (part, sums) in sums.items.chunks_exact_mut(2 * width).enumerate() {
                let start = ((first + part) * each).min(len);
                sum(start..(start + each).min(len), sums);
            }
        });
    }
}

/// Values in a row: those of one position, or of as many as make it long enough.
const fn row(channels: usize) -> usize {
    if channels == 0 { 1 } else { channels * ROW.div_ceil(channels) }
}

/// In how many parts a batch is summed.
const fn parts(shape: Shape, batch: usize) -> usize {
    let len = match shape.checked_len() {
        Some(len) => len.saturating_mul(batch),
        None => usize::MAX,
    };
    let parts = len / PART;
    if parts == 0 {
        1
    } else if parts < PARTS {
        parts
    } else {
        PARTS
    }
}

fn inverse(variance: f32, epsilon: f32) -> f32 {
    1.0 / libm::sqrtf(variance + epsilon)
}

/// Fills a row with the values of its first position.
fn repeat(values: &[f32], row: &mut [f32], channels: usize) {
    for (i, to) in row.iter_mut().enumerate() {
        *to = values.get(i % channels).copied().unwrap_or(0.0);
    }
}

/// A rule's columns.
fn columns<const COLUMNS: usize>(rule: &mut [f32], width: usize) -> [&mut [f32]; COLUMNS] {
    let mut columns = rule.chunks_exact_mut(width);
    core::array::from_fn(|_| columns.next().expect("a rule has a column for each of its values"))
}

/// Adds up the sums of all parts, and of all positions of a row, for each channel: two of each, one kind behind the
/// other.
fn add_parts(sums: &[f32], width: usize, channels: usize, to: &mut [f32]) {
    to.fill(0.0);
    for (i, kind) in sums.chunks_exact(width).enumerate() {
        let to = &mut to[i % 2 * channels..][..channels];
        for position in kind.chunks_exact(channels) {
            to.iter_mut().zip(position).for_each(|(to, sum)| *to += sum);
        }
    }
}

fn check(shape: Shape, batch: usize, x: &[f32], moments: &[f32], scratch: &[f32]) {
    check_len("input", x.len(), batch, shape);
    check_len("moments", moments.len(), 2, Shape::vector(shape.channels));
    assert!(shape.channels > 0, "a batch normalisation of no channels");
    check_scratch(scratch, Backend::batch_normalization_scratch_len(shape, batch));
}
