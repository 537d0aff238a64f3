//! Softmax over the rows of a matrix.

crate::arch::x86_64::recompile! {
    Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", generic::exp_f32:
    fn softmax(classes: usize, y: &mut [f32]);
}
