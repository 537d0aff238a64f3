//! The tile of dense layers in bf16: that of f32, in which a step takes two products where it took one.

crate::arch::x86_64::gemm_f32::define_gemm_f32!(
    Bf16, "avx512f,avx512bw,avx512bf16", vector_bf16, pack_bf16, 14, rows: [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
);
