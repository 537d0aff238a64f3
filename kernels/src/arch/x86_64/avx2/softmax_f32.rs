//! Softmax over the rows of a matrix.

crate::arch::x86_64::recompile! {
    Avx2, "avx2,fma", generic::exp_f32:
    fn softmax(classes: usize, y: &mut [f32]);
}
