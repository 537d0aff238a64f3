//! Depthwise convolution, 16 channels at a time.

crate::arch::x86_64::depthwise_f32::define_depthwise_f32!(Avx512, "avx512f");
