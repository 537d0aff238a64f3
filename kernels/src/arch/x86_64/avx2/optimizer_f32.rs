//! Optimizer steps.

crate::arch::x86_64::recompile! {
    Avx2, "avx2,fma", scalar::optimizer_f32:
    fn adadelta(rule: [f32; 3], weights: &mut [f32], state: [&mut [f32]; 2], gradient: &[f32]);
    fn sgd(learning_rate: f32, weights: &mut [f32], gradient: &[f32]);
    fn sgd_momentum(rule: [f32; 2], nesterov: bool, weights: &mut [f32], velocity: &mut [f32], gradient: &[f32]);
    fn adam(rule: [f32; 4], weights: &mut [f32], state: [&mut [f32]; 2], gradient: &[f32]);
}
