//! The dense layer of a single sample.

crate::arch::x86_64::row_f32::define_row_f32!(Avx2, "avx2,fma");
