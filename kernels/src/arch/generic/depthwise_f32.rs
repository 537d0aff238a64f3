//! Depthwise convolution and its gradients, of few output channels an input channel, for any back end with
//! [`Depthwise`].
//!
//! Channels are neighbours in memory and have nothing to do with each other, so that a vector holds as many of one
//! pixel. Outputs that use the same taps, those of a [`Span`](super::spans::Span), are made together: a vector of
//! weights serves several of them. What little there is to compute, nine products a value, takes less time than memory
//! does.
//!
//! Where an input channel becomes several, a vector holds channels of the output, and repeats what it reads of the
//! input for each; of the input's gradient, whose sums are made for each output channel too, it adds up neighbours at
//! the end.

use super::spans::{Reach, Window};
use crate::{
    arch::{
        Weights,
        matrix::MatrixMut,
        parallel::{SMALL, pieces},
    },
    geometry::Geometry,
};

/// What the positions of a span, or of several, have in common. Steps are in values.
#[derive(Clone, Copy, Debug)]
pub(in crate::arch) struct Taps {
    /// Rows and columns of taps.
    pub(in crate::arch) taps: [usize; 2],
    /// From tap to tap in the input.
    pub(in crate::arch) x: [usize; 2],
    /// From tap to tap in the kernel, in taps; backwards where it is turned.
    pub(in crate::arch) kernel: [isize; 2],
    /// Rows and columns of positions.
    pub(in crate::arch) positions: [usize; 2],
    /// From position to position in the input.
    pub(in crate::arch) x_position: [usize; 2],
    /// From position to position in the output.
    pub(in crate::arch) y_position: [usize; 2],
    /// How many channels of the kernel, neighbours, read one of the input, and how many make one of the output. One of
    /// the two is 1.
    pub(in crate::arch) shared: [usize; 2],
}

impl Taps {
    /// How far beyond its first value the input is read.
    pub(in crate::arch) fn reach_of_x(&self) -> usize {
        (0..2).map(|i| (self.taps[i] - 1) * self.x[i] + (self.positions[i] - 1) * self.x_position[i]).sum()
    }

    /// How far beyond its first value the output reaches.
    pub(in crate::arch) fn reach_of_y(&self) -> usize {
        (0..2).map(|i| (self.positions[i] - 1) * self.y_position[i]).sum()
    }

    /// Whether there are no taps or no positions.
    pub(in crate::arch) fn is_empty(&self) -> bool {
        self.taps.contains(&0) || self.positions.contains(&0)
    }
}

/// A back end's inner loops.
pub(in crate::arch) trait Depthwise: Copy + Send + Sync {
    /// `y[p, c] = bias[c] + sum over taps t of x[p + t, c] * kernel[t, c]`, then `max(y, 0)` where `relu`, for
    /// `channels` channels of the kernel: of `x` channel `c / shared`, and of `y` that of the sum of all that share it.
    /// `x` and `y` begin at the first position's first tap and output; in the kernel that tap is number `first`.
    /// `next` is how far ahead of `x` and `y` what comes next lies.
    ///
    /// # Panics
    ///
    /// If a slice ends before its values do, or channels make one of the output, and there is a bias or a relu.
    #[expect(clippy::too_many_arguments, reason = "one name a tensor, and where it begins")]
    fn sums(
        self,
        taps: &Taps,
        channels: usize,
        x: &[f32],
        weights: Weights<'_>,
        first: usize,
        y: &mut [f32],
        next: [usize; 2],
    );

    /// `dkernel[t, c] += sum over positions p of x[p + t, c / shared] * dy[p, c]`, for the channels that are columns of
    /// `dkernel`. Its rows are taps, of which `first` is the first. `next` is how far ahead of both what is read next
    /// lies.
    ///
    /// # Panics
    ///
    /// If a slice or the matrix ends before its values do.
    fn products(self, taps: &Taps, x: &[f32], dy: &[f32], first: usize, dkernel: &mut MatrixMut<'_>, next: [usize; 2]);
}

/// Outputs of an input channel at most: as many as the smallest vector holds.
pub(in crate::arch) const SHARED: usize = 8;

/// Whether these functions take such a convolution.
pub(in crate::arch) const fn applies(g: &Geometry) -> bool {
    g.output().channels <= g.input().channels.saturating_mul(SHARED)
}

/// Calls `visit(taps, first tap, where the input of the first position's first tap begins, where its output does)` for
/// each span of rows and columns.
fn for_each_span(window: &Window, mut visit: impl FnMut(&Taps, usize, usize, usize)) {
    let Window { input, output, kernel, rows: reach_y, columns: reach_x } = *window;
    let [from, to] = [input.channels, output.channels];
    let channels = if from > to { from } else { to };
    // The tap of that number along an axis, and from one that reads a neighbour to the next.
    let of_kernel = |reach: Reach, axis: usize, tap: usize| match reach {
        Reach::Forward(_) => (tap, 1),
        Reach::Backward { .. } => ((kernel[axis] - 1).wrapping_sub(tap), -(reach.step() as isize)),
    };
    for rows in reach_y.spans(0..output.height) {
        let (tap_y, step_y) = of_kernel(reach_y, 0, rows.tap);
        for columns in reach_x.spans(0..output.width) {
            let (tap_x, step_x) = of_kernel(reach_x, 1, columns.tap);
            let y_axis = [rows.len, rows.advance * input.width * from, reach_y.step() * output.width * to];
            let x_axis = [columns.len, columns.advance * from, reach_x.step() * to];
            // Neighbouring positions are made together along the longer axis.
            let [outer, inner] = if rows.len > columns.len { [x_axis, y_axis] } else { [y_axis, x_axis] };
            let taps = Taps {
                taps: [rows.taps, columns.taps],
                x: [input.width * from, from],
                kernel: [step_y * kernel[1] as isize, step_x],
                positions: [outer[0], inner[0]],
                x_position: [outer[1], inner[1]],
                y_position: [outer[2], inner[2]],
                shared: [channels / from, channels / to],
            };
            let to = (rows.at * output.width + columns.at) * to;
            if taps.is_empty() {
                // No input reaches these positions.
                visit(&taps, 0, 0, to);
            } else {
                visit(&taps, tap_y * kernel[1] + tap_x, (rows.source * input.width + columns.source) * from, to);
            }
        }
    }
}

/// How far ahead of a sample's input and output, of these lengths, lies what to ask memory for meanwhile: the same
/// place in the next sample, if there is one, or closer by.
fn ahead(lengths: [usize; 2], left: usize) -> [usize; 2] {
    /// Values that a private cache of 512 KiB keeps beside those at hand.
    const MOST: usize = 1 << 15;
    lengths.map(|len| if left == 0 { 0 } else { len.min(MOST) })
}

/// A depthwise convolution, or its transpose, as `window` says.
pub(in crate::arch) fn convolve<D: Depthwise>(isa: D, window: &Window, x: &[f32], weights: Weights<'_>, y: &mut [f32]) {
    let (input, output) = (window.input.len(), window.output.len());
    let channels = window.input.channels.max(window.output.channels);
    let samples = x.chunks_exact(input).zip(y.chunks_exact_mut(output));
    for (left, (x, y)) in (0..samples.len()).rev().zip(samples) {
        let next = ahead([input, output], left);
        for_each_span(window, |taps, first, from, to| {
            isa.sums(taps, channels, &x[from..], weights, first, &mut y[to..], next);
        });
    }
}

/// The kernel's gradient over all samples. Threads share it by channels, so that every sum stays in one of them.
pub(in crate::arch) fn kernel_gradient<D: Depthwise>(isa: D, g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32]) {
    /// Channels of a cache line: no two threads write into one.
    const LINE: usize = 16;
    let (window, channels) = (Window::forward(g), g.output().channels);
    let shared = channels / g.input().channels;
    let taps = dkernel.len() / channels;
    let work = taps.saturating_mul(dy.len() / channels).max(1);
    dkernel.fill(0.0);
    let dkernel = MatrixMut::new(dkernel, taps, channels, channels);
    pieces(dkernel, SMALL.div_ceil(work).next_multiple_of(LINE * shared), &|channel, mut own| {
        let samples = x.chunks_exact(g.input().len()).zip(dy.chunks_exact(g.output().len()));
        for (left, (x, dy)) in (0..samples.len()).rev().zip(samples) {
            let next = ahead([g.input().len(), g.output().len()], left);
            for_each_span(&window, |taps, first, from, to| {
                if !taps.is_empty() {
                    isa.products(taps, &x[from + channel / shared..], &dy[to + channel..], first, &mut own, next);
                }
            });
        }
    });
}
