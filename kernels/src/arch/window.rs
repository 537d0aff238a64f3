//! One axis of a sliding window: which taps of the kernel fall inside the input at each position.

use crate::geometry::Geometry;
use core::ops::Range;

/// A window along one axis. All kernels walk valid taps alone, so that padding costs neither memory nor arithmetic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) input: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Axis {
    /// The vertical axis.
    pub(crate) const fn rows(g: &Geometry) -> Self {
        Self { input: g.input().height, kernel: g.kernel()[0], stride: g.strides()[0], padding: g.padding()[0] }
    }

    /// The horizontal axis.
    pub(crate) const fn columns(g: &Geometry) -> Self {
        Self { input: g.input().width, kernel: g.kernel()[1], stride: g.strides()[1], padding: g.padding()[1] }
    }

    /// The taps that read a real input at output position `at`.
    pub(crate) fn taps(&self, at: usize) -> Range<usize> {
        let start = at * self.stride;
        let first = self.padding.saturating_sub(start).min(self.kernel);
        let end = (self.input + self.padding).saturating_sub(start).min(self.kernel);
        first..end.max(first)
    }

    /// The output positions, of so many, at which every tap reads a real input.
    #[cfg(thumbnet_helium)]
    pub(crate) fn inside(&self, output: usize) -> Range<usize> {
        let last = (self.input + self.padding).checked_sub(self.kernel);
        // No stride is 0, which the compiler does not see.
        let stride = self.stride.max(1);
        let end = last.map_or(0, |last| last / stride + 1).min(output);
        self.padding.div_ceil(stride).min(end)..end
    }

    /// The inputs that are read at output position `at`.
    #[cfg_attr(thumbnet_cortex, inline(never))]
    pub(crate) fn sources(&self, at: usize) -> Range<usize> {
        let taps = self.taps(at);
        self.source(at, taps.start)..self.source(at, taps.end)
    }

    /// The input that `tap` reads at output position `at`. Meaningful for the taps that [`Self::taps`] gives.
    pub(crate) fn source(&self, at: usize, tap: usize) -> usize {
        at * self.stride + tap - self.padding
    }
}
