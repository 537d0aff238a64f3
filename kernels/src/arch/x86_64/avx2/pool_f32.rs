//! Max pooling and its gradient.

crate::arch::x86_64::pool_f32::define_pool_f32!(Avx2, "avx2,fma");
