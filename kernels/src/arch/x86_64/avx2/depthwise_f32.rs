//! Depthwise convolution, 8 channels at a time.

crate::arch::x86_64::depthwise_f32::define_depthwise_f32!(Avx2, "avx2,fma");
