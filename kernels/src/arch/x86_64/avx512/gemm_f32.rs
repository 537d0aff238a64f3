//! The tile: 14 x 2 vectors, 28 of the 32 registers; the others hold two vectors of B and one number of A.

crate::arch::x86_64::gemm_f32::define_gemm_f32!(
    Avx512, "avx512f", vector, pack_f32, 14, rows: [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
);
