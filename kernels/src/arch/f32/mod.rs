//! The f32 kernels as methods of [`Backend`](super::Backend): lengths checked, and work that is the same
//! everywhere spread over threads.
//!
//! Tensors are flat slices, NHWC, the batch outermost; convolution kernels are `[kh, kw, c, f]`, dense kernels
//! `[inputs, units]`, as Keras holds them. Every buffer comes from the caller. Lengths are the caller's promise and a
//! wrong one is a panic.

mod activation;
pub(in crate::arch) mod bands;
mod conv2d;
mod dense;
mod depthwise;
mod merge;
mod normalization;
mod optimizer;
mod peak;
mod pool;

use super::parallel::Split;
use crate::geometry::Shape;
pub use dense::BLOCK_ROWS;
#[cfg(thumbnet_x86)]
pub(in crate::arch) use dense::MOST_LANES;

/// Panics unless `len` is `count` times a shape's length. A product that wraps would let a short slice pass.
fn check_len(what: &str, len: usize, count: usize, shape: Shape) {
    let expected = shape.checked_len().and_then(|each| each.checked_mul(count));
    assert!(Some(len) == expected, "{what} of {len} values, not {count} times {shape}");
}

/// Panics unless there is a value a filter or unit.
fn check_bias(bias: Option<&[f32]>, units: usize) {
    let len = bias.map_or(units, <[f32]>::len);
    assert!(len == units, "bias of {len} values, not {units}");
}

/// Panics unless there is as much scratch as is needed.
fn check_scratch(scratch: &[f32], needed: usize) {
    assert!(scratch.len() >= needed, "scratch of {} values, not {needed}", scratch.len());
}

/// A block of weights with the optimizer's state for them: what an update changes.
///
/// A state that the optimizer does not have is an empty slice.
#[derive(Debug)]
pub struct Trainable<'a> {
    /// The weights.
    pub weights: &'a mut [f32],
    /// Up to two values a weight, in the optimizer's own order.
    pub state: [&'a mut [f32]; 2],
}

impl Trainable<'_> {
    /// Panics where a state is neither empty nor as long as the weights.
    fn check(&self) {
        for state in &self.state {
            assert!(state.is_empty() || state.len() == self.weights.len(), "optimizer state and weights differ");
        }
    }
}

impl Split for Trainable<'_> {
    fn count(&self) -> usize {
        self.weights.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let [first, second] = self.state;
        let (first, second) = (cut_state(first, at), cut_state(second, at));
        let (weights, rest) = self.weights.split_at_mut(at);
        (Self { weights, state: [first.0, second.0] }, Self { weights: rest, state: [first.1, second.1] })
    }
}

/// The first `at` values and the others, of a state that may be empty.
fn cut_state(state: &mut [f32], at: usize) -> (&mut [f32], &mut [f32]) {
    let at = at.min(state.len());
    state.split_at_mut(at)
}
