//! The tile: 6 x 2 vectors, 12 of the 16 registers; the others hold two vectors of B and one number of A.

crate::arch::x86_64::gemm_f32::define_gemm_f32!(Avx2, "avx2,fma", vector, pack_f32, 6, rows: [1 2 3 4 5 6]);
