//! Activations and sums in place, and the activations' gradients.

crate::arch::x86_64::recompile! {
    Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", scalar::activation_f32:
    fn add(x: &[f32], y: &mut [f32]);
    fn relu(y: &mut [f32]);
    fn relu_gradient(y: &[f32], dy: &mut [f32]);
    fn relu6(y: &mut [f32]);
    fn relu6_gradient(y: &[f32], dy: &mut [f32]);
    fn sigmoid_gradient(y: &[f32], dy: &mut [f32]);
    fn tanh_gradient(y: &[f32], dy: &mut [f32]);
}

crate::arch::x86_64::recompile! {
    Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", generic::exp_f32:
    fn sigmoid(y: &mut [f32]);
    fn tanh(y: &mut [f32]);
}
