//! Small neural networks for Cortex-M: fixed-size layers, hand-written kernels, inference and training without a heap.
#![no_std]
#![deny(unsafe_code)]
pub mod geometry;
