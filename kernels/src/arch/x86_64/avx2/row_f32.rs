//! The dense layer of a single sample.

crate::arch::x86_64::recompile! {
    Avx2, "avx2,fma", generic::row_f32:
    fn row_times_matrix(x: &[f32], matrix: &[f32], stride: usize, relu: bool, y: &mut [f32]);
}
