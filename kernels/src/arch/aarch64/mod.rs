//! 64-bit ARM, whose every CPU has NEON.
#![expect(unsafe_code, reason = "entering functions with target features, loads and stores")]

pub(super) mod neon;

use crate::arch::Kernels;
use crate::int8::{ConvS8, DenseS8};

/// Proof that the CPU has NEON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neon(());

impl Neon {
    /// The proof, which the architecture is.
    pub(super) const fn new() -> Self {
        Self(())
    }
}

/// All else, max pooling too, is the plain code: the compiler makes NEON of it.
impl Kernels for Neon {
    fn conv_s8(&self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        neon::conv_s8::conv_s8(*self, layer, input, output, scratch);
    }
    fn dense_s8(&self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
        neon::dense_s8::dense_s8(*self, layer, input, output);
    }
}
