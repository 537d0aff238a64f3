//! The oracle: every kernel in plain Rust, written to be read.

pub(super) mod activation_f32;
pub(super) mod add_s8;
pub(super) mod concatenate_s8;
pub(super) mod conv_f32;
pub(super) mod conv_s8;
pub(super) mod dense_f32;
pub(super) mod dense_s8;
pub(super) mod depthwise_f32;
pub(super) mod depthwise_s8;
pub(super) mod dropout_f32;
pub(super) mod merge_f32;
pub(super) mod multiply_s8;
pub(super) mod normalization_f32;
pub(super) mod optimizer_f32;
pub(super) mod peak_f32;
pub(super) mod pool_f32;
pub(super) mod pool_s8;
mod requantize;
pub(super) mod softmax_f32;
pub(super) mod softmax_s8;
pub(super) mod table_s8;
