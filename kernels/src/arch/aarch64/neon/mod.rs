//! int8 by NEON.

pub(in crate::arch) mod conv_s8;
pub(super) mod dense_s8;
mod requantize;
mod rows_s8;
mod vector_s8;
