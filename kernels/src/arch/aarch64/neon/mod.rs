//! int8 by NEON. All else, max pooling too, is the plain code: the compiler makes NEON of it.

pub(in crate::arch) mod conv_s8;
pub(in crate::arch) mod dense_s8;
mod requantize;
mod rows_s8;
mod vector_s8;
