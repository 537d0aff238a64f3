//! The part of a dense layer that is no product of matrices.

crate::arch::x86_64::recompile! {
    Avx2, "avx2,fma", scalar::dense_f32:
    fn column_sums(units: usize, group: usize, dy: &[f32], first: usize, sums: &mut [f32]);
}
