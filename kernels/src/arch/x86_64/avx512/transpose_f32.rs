//! Transposition of the right operand of a dense layer's input gradient.

crate::arch::x86_64::transpose_f32::define_transpose_f32!("avx512f");
