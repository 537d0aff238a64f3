//! Inverted dropout.

crate::arch::x86_64::recompile! {
    Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", scalar::dropout_f32:
    fn dropout(seed: u64, rate: f32, first: usize, values: &mut [f32]);
}
