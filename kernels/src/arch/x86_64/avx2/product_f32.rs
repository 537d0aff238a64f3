//! The tile: 6 x 2 vectors, 12 of the 16 registers; the others hold two vectors of B and one number of A.

crate::arch::x86_64::product_f32::define_product_f32!("avx2,fma", 6, rows: [1 2 3 4 5 6]);
