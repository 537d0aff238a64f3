//! Winograd's transforms, 8 channels at a time.

crate::arch::x86_64::winograd_f32::define_winograd_f32!(Avx2, "avx2,fma");
