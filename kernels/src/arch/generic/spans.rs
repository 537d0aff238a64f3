//! Which taps of a window read which inputs, in runs of positions that use the same taps: what is done at all of them
//! alike.
//!
//! Padding is never read. Where a convolution is turned round, to give gradients to its inputs, a stride leaves out
//! taps: positions a stride apart use the same.

use crate::{
    arch::window::Axis,
    geometry::{Geometry, Shape},
};
use core::ops::Range;

/// Positions along one axis that use the same taps, [`Reach::step`] apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// The first position.
    pub(super) at: usize,
    /// How many positions.
    pub(super) len: usize,
    /// The first tap.
    pub(super) tap: usize,
    /// How many taps, [`Reach::step`] apart.
    pub(super) taps: usize,
    /// The input that the first tap reads at the first position; tap after tap reads its neighbours.
    pub(super) source: usize,
    /// How far the source moves from position to position.
    pub(super) advance: usize,
}

/// Which taps read which inputs along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// A convolution.
    Forward(Axis),
    /// Its transpose over `outputs` positions, with the taps in reverse order: position `i` of the input gathers from
    /// the outputs `o` with `o * stride + t - padding = i`.
    Backward { axis: Axis, outputs: usize },
}

impl Reach {
    /// From one tap that reads a neighbour to the next, and from one position to the next of a span.
    pub(super) fn step(self) -> usize {
        match self {
            Self::Forward(_) => 1,
            Self::Backward { axis, .. } => axis.stride,
        }
    }

    /// The span of position `at` alone.
    fn one(self, at: usize) -> Span {
        let (tap, taps, source) = match self {
            Self::Forward(axis) => {
                let taps = axis.taps(at);
                (taps.start, taps.len(), if taps.is_empty() { 0 } else { axis.source(at, taps.start) })
            }
            Self::Backward { axis, outputs } => {
                let padded = at + axis.padding;
                let first = (padded + 1).saturating_sub(axis.kernel).div_ceil(axis.stride);
                let end = (padded / axis.stride + 1).min(outputs);
                // Output `first` meets tap `padded - first * stride`, which is this one in reverse order.
                let tap = (axis.kernel - 1 + first * axis.stride).wrapping_sub(padded);
                (tap, end.saturating_sub(first), first)
            }
        };
        Span { at, len: 1, tap, taps, source, advance: 0 }
    }

    /// The positions `range` as spans.
    pub(super) fn spans(self, range: Range<usize>) -> impl Iterator<Item = Span> {
        let step = self.step();
        (range.start..range.end.min(range.start + step)).flat_map(move |first| self.spans_from(first, range.end))
    }

    /// The positions `first`, `first + step` and so on before `end` as spans.
    fn spans_from(self, first: usize, end: usize) -> impl Iterator<Item = Span> {
        let step = self.step();
        let mut next = first;
        core::iter::from_fn(move || {
            let mut span = (next < end).then(|| self.one(next))?;
            next += step;
            while next < end {
                let other = self.one(next);
                let advance = other.source.wrapping_sub(span.source + (span.len - 1) * span.advance);
                let same = (other.tap, other.taps) == (span.tap, span.taps);
                if !same || other.source < span.source || (span.len > 1 && advance != span.advance) {
                    break;
                }
                (span.len, span.advance) = (span.len + 1, advance);
                next += step;
            }
            Some(span)
        })
    }
}

/// A sliding sum of products: a convolution, or the transpose of one with its kernel turned.
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) struct Window {
    pub(super) input: Shape,
    pub(super) output: Shape,
    pub(super) kernel: [usize; 2],
    pub(super) rows: Reach,
    pub(super) columns: Reach,
}

impl Window {
    /// The convolution itself.
    pub(in crate::arch) fn forward(g: &Geometry) -> Self {
        let [input, output] = [g.input(), g.output()];
        let [rows, columns] = [Axis::rows(g), Axis::columns(g)].map(Reach::Forward);
        Self { input, output, kernel: g.kernel(), rows, columns }
    }

    /// What maps the gradient of the output to that of the input, with the kernel's taps in reverse order.
    pub(in crate::arch) fn backward(g: &Geometry) -> Self {
        let [output, input] = [g.input(), g.output()];
        let rows = Reach::Backward { axis: Axis::rows(g), outputs: input.height };
        let columns = Reach::Backward { axis: Axis::columns(g), outputs: input.width };
        Self { input, output, kernel: g.kernel(), rows, columns }
    }
}
