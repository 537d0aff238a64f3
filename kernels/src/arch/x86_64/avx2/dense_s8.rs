//! Dense layer: 16 inputs by 8 units at a time.

crate::arch::generic::dense_s8::define_dense_s8!(crate::arch::x86_64::Avx2, "avx2,fma");
