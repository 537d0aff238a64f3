//! 16 values at a time.

pub(in crate::arch) mod activation_f32;
pub(in crate::arch) mod conv_s8;
pub(in crate::arch) mod dense_f32;
pub(in crate::arch) mod dense_s8;
pub(in crate::arch) mod dropout_f32;
mod gemm_bf16;
mod gemm_f32;
pub(in crate::arch) mod optimizer_f32;
mod pack_bf16;
mod pack_f32;
pub(in crate::arch) mod peak_f32;
pub(in crate::arch) mod pool_f32;
pub(in crate::arch) mod pool_s8;
mod product_f32;
mod requantize;
mod row_f32;
mod rows_s8;
pub(in crate::arch) mod softmax_f32;
mod vector;
mod vector_bf16;
mod vector_s8;
mod winograd_f32;
