//! What the vector back ends share: how convolutions and dense layers become products of matrices.
//!
//! In f32 there is one inner loop, the tile of [`gemm_f32`], which bf16 shares; another, for short sums of whole
//! vectors, belongs to [`winograd_f32`], which makes square convolutions of many channels from fewer products. No
//! column matrix of a convolution is ever built: a tile's left operand is addressed where it lies, by strides. In int8,
//! convolutions and dense layers have an inner loop each, because a dense layer's weights, read once, would not repay
//! being put into another order.

#[cfg(thumbnet_x86)]
pub(super) mod conv_f32;
pub(super) mod conv_s8;
pub(super) mod conv_s8_tile;
#[cfg(thumbnet_x86)]
pub(super) mod dense_f32;
pub(super) mod dense_s8;
#[cfg(thumbnet_x86)]
pub(super) mod depthwise_f32;
#[cfg(thumbnet_x86)]
pub(super) mod exp_f32;
#[cfg(thumbnet_x86)]
pub(super) mod gemm_f32;
pub(super) mod requantize;
#[cfg(thumbnet_x86)]
pub(super) mod spans;
#[cfg(thumbnet_x86)]
pub(super) mod winograd_f32;
