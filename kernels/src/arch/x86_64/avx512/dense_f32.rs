//! The part of a dense layer that is no product of matrices.

crate::arch::x86_64::recompile! {
    Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", scalar::dense_f32:
    fn column_sums(units: usize, group: usize, dy: &[f32], first: usize, sums: &mut [f32]);
}
