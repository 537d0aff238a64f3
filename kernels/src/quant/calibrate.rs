//! Calibration: which real values a network's tensors take, seen on sample images.

use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use crate::arch::Backend;
use crate::sequential::{ForwardError, Network, forward_observed};

/// How a tensor's range follows from the values seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// The least and the largest value: TFLite's rule.
    MinMax,
    /// The range that holds this share of the values, in percent: above 50, at most 100. What lies outside saturates.
    Percentile(f32),
}

/// The ranges of a network's tensors: the input's, then each layer's output (before sigmoid, tanh or softmax).
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Least and largest value of the input.
    pub input: [f32; 2],
    /// Least and largest value of each layer's output.
    pub layers: Vec<[f32; 2]>,
}

/// Watches a network's tensors.
#[derive(Debug)]
pub struct Calibrator<N> {
    range: Range,
    input: Histogram,
    layers: Vec<Histogram>,
    network: PhantomData<N>,
}

impl<N: Network> Calibrator<N> {
    /// A calibrator that has seen nothing.
    pub fn new(range: Range) -> Self {
        let layers = vec![Histogram::new(); N::LAYERS.len()];
        Self { range, input: Histogram::new(), layers, network: PhantomData }
    }

    /// Runs a batch through the f32 network and watches. Buffers are those of [`forward_observed`].
    ///
    /// # Errors
    ///
    /// [`ForwardError`] names the buffer that has the wrong length.
    pub fn observe(
        &mut self,
        backend: Backend,
        weights: &[f32],
        x: &[f32],
        memory: &mut [f32],
    ) -> Result<(), ForwardError> {
        let layers = &mut self.layers;
        forward_observed::<N>(backend, weights, x, memory, &mut |layer, y| layers[layer].add(y))?;
        self.input.add(x);
        Ok(())
    }

    /// The ranges of what was seen. A tensor that was never seen has the range 0 to 0.
    pub fn finish(&self) -> Calibration {
        let range = |histogram: &Histogram| match self.range {
            Range::MinMax => [histogram.min, histogram.max],
            Range::Percentile(percent) => histogram.percentile(percent),
        };
        Calibration { input: range(&self.input), layers: self.layers.iter().map(range).collect() }
    }
}

/// Counts of values in equal bins over `-limit..limit`, where the limit doubles when a value lies outside.
#[derive(Clone, Debug)]
struct Histogram {
    bins: Vec<u64>,
    limit: f32,
    min: f32,
    max: f32,
}

/// Bins of a histogram: the range that a percentile gives is that exact, in parts of the largest power of two seen.
const BINS: usize = 8192;

impl Histogram {
    fn new() -> Self {
        Self { bins: vec![0; BINS], limit: f32::MIN_POSITIVE, min: 0.0, max: 0.0 }
    }

    fn add(&mut self, values: &[f32]) {
        for &value in values.iter().filter(|value| value.is_finite()) {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        while self.max.max(-self.min) >= self.limit {
            self.double();
        }
        let per_unit = (BINS / 2) as f32 / self.limit;
        for &value in values.iter().filter(|value| value.is_finite()) {
            let bin = (value * per_unit + (BINS / 2) as f32) as usize;
            self.bins[bin.min(BINS - 1)] += 1;
        }
    }

    /// Joins neighbouring bins two by two around the middle.
    fn double(&mut self) {
        self.limit *= 2.0;
        let old = core::mem::replace(&mut self.bins, vec![0; BINS]);
        for (i, count) in old.into_iter().enumerate() {
            self.bins[BINS / 4 + i / 2] += count;
        }
    }

    /// The least range that leaves out at most `100 - percent` percent of the values, half of them on each side.
    fn percentile(&self, percent: f32) -> [f32; 2] {
        let total: u64 = self.bins.iter().sum();
        let outside = (total as f64 * (1.0 - f64::from(percent) / 100.0) / 2.0) as u64;
        let edge = |bins: &mut dyn Iterator<Item = &u64>| {
            let mut seen = 0;
            let left_out = bins.take_while(|&&count| {
                seen += count;
                seen <= outside
            });
            left_out.count()
        };
        let low = edge(&mut self.bins.iter());
        let high = BINS - edge(&mut self.bins.iter().rev());
        let value = |bin: usize| (bin as f32 / (BINS / 2) as f32 - 1.0) * self.limit;
        [value(low).max(self.min), value(high).min(self.max)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_leaves_the_tails_out() {
        let mut histogram = Histogram::new();
        // 10,000 values in -0.5..0.5 and one outlier, seen in two parts so that the limit doubles in between.
        let values: Vec<f32> = (0..10_000).map(|i| i as f32 / 10_000.0 - 0.5).collect();
        histogram.add(&values);
        histogram.add(&[100.0]);
        assert_eq!([histogram.min, histogram.max], [-0.5, 100.0]);
        let [low, high] = histogram.percentile(99.9);
        assert!((low + 0.5).abs() < 0.04 && (high - 0.5).abs() < 0.04, "{low} {high}");
        assert_eq!(histogram.percentile(100.0), [-0.5, 100.0]);
        assert_eq!(histogram.bins.iter().sum::<u64>(), 10_001);
    }
}
