//! Inverted dropout.

crate::arch::x86_64::recompile! {
    Avx2, "avx2,fma", scalar::dropout_f32:
    fn dropout(seed: u64, rate: f32, first: usize, values: &mut [f32]);
}
