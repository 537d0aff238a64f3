//! Calibration: which real values a network's tensors take, seen on sample images.

use alloc::vec;
use alloc::vec::Vec;

use crate::LengthError;
use crate::arch::Backend;
use crate::forward::forward;
use crate::graph::Graph;
use crate::plan::{Fusion, PlanBuf};

/// How a tensor's range follows from the values seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// The least and the largest value: TFLite's rule.
    MinMax,
    /// The range that holds this share of the values, in percent: above 50, at most 100. What lies outside saturates.
    Percentile(f32),
}

/// The ranges of a network's tensors: the input's, then each layer's output (before sigmoid, tanh or softmax).
///
/// Anyone may make one, so [`quantize`](super::quantize()) checks it: it has a range for every layer, all ends are
/// finite, and none is above the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Least and largest value of the input.
    pub input: [f32; 2],
    /// Least and largest value of each layer's output. A layer that passes its input on, as `Flatten`, has its range.
    pub layers: Vec<[f32; 2]>,
}

/// Watches a network's tensors.
#[derive(Debug)]
pub struct Calibrator<'a> {
    graph: Graph<'a>,
    plan: PlanBuf,
    range: Range,
    /// By the node's number.
    tensors: Vec<Histogram>,
}

impl<'a> Calibrator<'a> {
    /// A calibrator that has seen nothing.
    pub fn new(graph: Graph<'a>, range: Range) -> Self {
        let tensors = vec![Histogram::new(); graph.nodes.len()];
        Self { graph, plan: PlanBuf::new(&graph, Fusion::Nothing), range, tensors }
    }

    /// How many `f32` of memory [`observe`](Self::observe) needs for a batch.
    pub fn memory_len(&self, batch: usize) -> usize {
        self.plan.plan().memory_len(&self.graph, batch)
    }

    /// Runs a batch through the f32 network and watches. Buffers are those of [`forward`].
    ///
    /// # Errors
    ///
    /// [`LengthError`] names the buffer that has the wrong length.
    pub fn observe(
        &mut self,
        backend: Backend,
        weights: &[f32],
        x: &[f32],
        memory: &mut [f32],
    ) -> Result<(), LengthError> {
        let tensors = &mut self.tensors;
        let mut add = |node: usize, y: &[f32]| tensors[node].add(y);
        forward(&self.graph, &self.plan.plan(), backend, weights, x, memory, Some(&mut add))?;
        self.tensors[0].add(x);
        Ok(())
    }

    /// The ranges of what was seen. A tensor has the range NaN to NaN, which [`quantize`](super::quantize()) refuses,
    /// where nothing was seen of it, where one of its values was NaN or infinite, and for a percentile that is not
    /// above 50 and at most 100.
    pub fn finish(&self) -> Calibration {
        // The forward pass does not show the outputs of layers that do nothing.
        let range = |node| self.tensors[self.graph.source(node, false)].range(self.range);
        Calibration { input: range(0), layers: (1..self.graph.nodes.len()).map(range).collect() }
    }
}

/// Counts of values in equal bins over `-limit..limit`, where the limit doubles when a value lies outside.
#[derive(Clone, Debug)]
struct Histogram {
    bins: Vec<u64>,
    limit: f64,
    min: f32,
    max: f32,
    /// Whether some value was NaN or infinite.
    not_finite: bool,
}

/// Bins of a histogram: the range that a percentile gives is that exact, in parts of the largest power of two seen.
const BINS: usize = 8192;
/// The limit that a histogram starts with: 2^-149, the least f32 above 0.
const LEAST_LIMIT: f64 = f64::from_bits((1023 - 149) << 52);

impl Histogram {
    fn new() -> Self {
        Self { bins: vec![0; BINS], limit: LEAST_LIMIT, min: 0.0, max: 0.0, not_finite: false }
    }

    fn add(&mut self, values: &[f32]) {
        self.not_finite |= values.iter().any(|value| !value.is_finite());
        if self.not_finite {
            return;
        }
        for &value in values {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        while f64::from(self.max.max(-self.min)) >= self.limit {
            self.double();
        }
        let per_unit = (BINS / 2) as f64 / self.limit;
        for &value in values {
            let bin = (f64::from(value) * per_unit + (BINS / 2) as f64) as usize;
            self.bins[bin.min(BINS - 1)] += 1;
        }
    }

    /// The range of the values; NaN to NaN where there is none.
    fn range(&self, range: Range) -> [f32; 2] {
        let seen = self.bins.iter().any(|&count| count > 0);
        match range {
            _ if !seen || self.not_finite => [f32::NAN; 2],
            Range::MinMax => [self.min, self.max],
            Range::Percentile(percent) if percent > 50.0 && percent <= 100.0 => self.percentile(percent),
            Range::Percentile(_) => [f32::NAN; 2],
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
        let value = |bin: usize| ((bin as f64 / (BINS / 2) as f64 - 1.0) * self.limit) as f32;
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

    #[test]
    fn what_was_not_seen_has_no_range() {
        let ranges = [Range::MinMax, Range::Percentile(99.0), Range::Percentile(100.0)];
        let is_none = |histogram: &Histogram, range| histogram.range(range).iter().all(|end| end.is_nan());
        for range in ranges {
            assert!(is_none(&Histogram::new(), range), "{range:?}");
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut histogram = Histogram::new();
                histogram.add(&[1.0]);
                histogram.add(&[0.0, value, 2.0]);
                histogram.add(&[3.0]);
                assert!(is_none(&histogram, range), "{range:?} of {value}");
            }
        }
        let mut histogram = Histogram::new();
        histogram.add(&[-1.0, 1.0]);
        for percent in [f32::NAN, f32::INFINITY, -5.0, 0.0, 50.0, 100.1] {
            assert!(is_none(&histogram, Range::Percentile(percent)), "{percent}");
        }
    }

    #[test]
    fn values_of_any_size_have_a_range() {
        for value in [0.0, 1e-45, 1e-38, 1e-20, 1e38, f32::MAX] {
            for sign in [1.0, -1.0] {
                let mut histogram = Histogram::new();
                histogram.add(&[sign * value; 100]);
                for range in [Range::MinMax, Range::Percentile(99.0), Range::Percentile(100.0)] {
                    let [min, max] = histogram.range(range).map(|end| sign * end);
                    let [near, far] = if sign > 0.0 { [min, max] } else { [max, min] };
                    // A percentile's end on the side of 0 is a bin's.
                    assert!(
                        (0.0..=value).contains(&near) && far == value,
                        "{range:?} of {sign} {value:e}: {near:e} {far:e}"
                    );
                }
            }
        }
    }
}
