//! Max pooling and its gradient.

crate::arch::x86_64::pool_f32::define_pool_f32!(Avx512, "avx512f");
