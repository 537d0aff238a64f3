//! Dense layer: 64 inputs by 8 units at a time.

crate::arch::generic::dense_s8::define_dense_s8!(
    crate::arch::x86_64::Vnni,
    "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma"
);
