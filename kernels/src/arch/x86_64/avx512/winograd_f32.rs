//! Winograd's transforms, 16 channels at a time.

crate::arch::x86_64::winograd_f32::define_winograd_f32!(Avx512, "avx512f");
