//! Small neural networks for Cortex-M: fixed-size layers, hand-written kernels, inference and training without a heap.
#![no_std]
#![deny(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

pub mod arch;
pub mod geometry;
pub mod quant;
