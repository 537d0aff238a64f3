//! What the vector back ends share: how convolutions and dense layers become products of matrices.
//!
//! There is one inner loop, the tile of [`gemm_f32`]. No column matrix of a convolution is ever built: a tile's left
//! operand is addressed where it lies, by strides.

pub(super) mod conv_f32;
pub(super) mod dense_f32;
pub(super) mod exp_f32;
pub(super) mod gemm_f32;
