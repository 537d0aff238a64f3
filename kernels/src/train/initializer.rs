//! Initial values.

use rand_core::RngCore;
use rand_pcg::Pcg64Mcg;

use crate::graph::Graph;

/// Fills a kernel with Keras's `GlorotUniform`: independent values, uniform in `-limit..limit` with
/// `limit = sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010).
pub fn glorot_uniform(fan_in: usize, fan_out: usize, random: &mut Pcg64Mcg, kernel: &mut [f32]) {
    let limit = libm::sqrtf(6.0 / (fan_in + fan_out) as f32);
    for value in kernel {
        // The upper 24 bits of a 32-bit draw: every multiple of 2^-24 in 0..1 is as likely as any other.
        let unit = (random.next_u32() >> 8) as f32 / (1 << 24) as f32;
        *value = (2.0 * unit - 1.0) * limit;
    }
}

/// Sets the initial weights of a network, as many as it has parameters: Glorot-uniform kernels and zero biases. The same
/// seed gives the same weights on every machine. Weights beyond the network's, if any, stay as they are.
pub fn initialize(graph: &Graph<'_>, weights: &mut [f32], seed: u64) {
    // PCG's multiplicative generator wants a well-mixed odd state; two draws apart from the seed's own bits.
    let mut random = Pcg64Mcg::new(u128::from(seed) << 64 | 0xcafe_f00d_d15e_a5e5);
    random.next_u64();
    let mut rest = weights;
    for layer in graph.nodes {
        let Some((kernel, after)) = rest.split_at_mut_checked(layer.kernel_len()) else { return };
        let Some((bias, after)) = after.split_at_mut_checked(layer.bias_len()) else { return };
        // The last two dimensions, each times the window's size (Keras's `compute_fans`).
        if let (shape, rank @ 2..) = layer.kernel_shape() {
            let window: usize = shape[..rank - 2].iter().product();
            glorot_uniform(window * shape[rank - 2], window * shape[rank - 1], &mut random, kernel);
        }
        bias.fill(0.0);
        rest = after;
    }
}
