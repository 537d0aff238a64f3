//! The f32 kernels of every back end against the textbook's formulas in f64.
//!
//! Tolerances are bounds, not experience: a sum of `n` products in f32, in any order, with fused or separate rounding,
//! is off by at most `(n + 1) * 2^-24 * sum |products|` to first order (N. Higham, "Accuracy and Stability of Numerical
//! Algorithms", 3.1), whatever the values; `Close` allows 1.5 times that.

mod bf16;
mod conv2d;
mod conv2d_max_pool;
mod coverage;
mod dense;
mod depthwise;
mod elementwise;
#[cfg(feature = "std")]
#[path = "../gradients/kinds.rs"]
mod kinds;
mod merge;
mod normalization;
mod optimizer;
mod peak;
mod pool;
mod sizes;
mod support;
mod table;
mod threads;
mod threads_of_networks;
mod winograd;
