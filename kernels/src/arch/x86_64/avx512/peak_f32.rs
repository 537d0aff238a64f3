//! Multiply-adds on values in registers.

crate::arch::x86_64::peak_f32::define_peak_f32!(Avx512, "avx512f", sums: 16);
