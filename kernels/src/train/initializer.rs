//! Initial values.

use rand_core::RngCore;
use rand_pcg::Pcg64Mcg;

use crate::graph::Graph;

/// How a kernel's initial values are drawn, independently of each other. `fan_in` and `fan_out` are how many inputs one
/// output reads and how many outputs read one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Initializer {
    /// Uniform in `-limit..limit` with `limit = sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010).
    #[default]
    GlorotUniform,
    /// Normal with the deviation `sqrt(2 / (fan_in + fan_out))`, none beyond two deviations.
    GlorotNormal,
    /// Uniform in `-limit..limit` with `limit = sqrt(6 / fan_in)` (He et al., 2015).
    HeUniform,
    /// Normal with the deviation `sqrt(2 / fan_in)`, none beyond two deviations.
    HeNormal,
}

impl Initializer {
    /// Fills a kernel, as Keras's initializer of that name.
    pub fn fill(self, fan_in: usize, fan_out: usize, random: &mut Pcg64Mcg, kernel: &mut [f32]) {
        let [fan_in, both] = [fan_in as f32, (fan_in + fan_out) as f32];
        match self {
            Self::GlorotUniform => uniform(libm::sqrtf(6.0 / both), random, kernel),
            Self::HeUniform => uniform(libm::sqrtf(6.0 / fan_in), random, kernel),
            Self::GlorotNormal => truncated_normal(libm::sqrtf(2.0 / both), random, kernel),
            Self::HeNormal => truncated_normal(libm::sqrtf(2.0 / fan_in), random, kernel),
        }
    }
}

/// A value of 24 bits in 0..1: every multiple of 2^-24 is as likely as any other.
fn unit(random: &mut Pcg64Mcg) -> f32 {
    (random.next_u32() >> 8) as f32 / (1 << 24) as f32
}

/// Values uniform in `-limit..limit`.
fn uniform(limit: f32, random: &mut Pcg64Mcg, kernel: &mut [f32]) {
    kernel.iter_mut().for_each(|value| *value = (2.0 * unit(random) - 1.0) * limit);
}

/// Values whose deviation is `deviation`: those of a normal distribution within two of its own deviations, which makes
/// theirs 0.8796 times as large.
fn truncated_normal(deviation: f32, random: &mut Pcg64Mcg, kernel: &mut [f32]) {
    const NARROWED: f32 = 0.879_625_7;
    for value in kernel {
        *value = loop {
            // Marsaglia's polar method, of whose two values the first is enough.
            let [a, b] = [2.0 * unit(random) - 1.0, 2.0 * unit(random) - 1.0];
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                let normal = a * libm::sqrtf(-2.0 * libm::logf(square) / square);
                if normal.abs() <= 2.0 {
                    break normal * deviation / NARROWED;
                }
            }
        };
    }
}

/// Sets the initial weights of a network, as many as it has parameters: kernels as `initializer` draws them, biases 0;
/// of a batch normalisation gamma and the moving variance 1, beta and the moving mean 0. The same seed gives the same
/// weights on every machine. Weights beyond the network's, if any, stay as they are.
pub fn initialize(graph: &Graph<'_>, initializer: Initializer, weights: &mut [f32], seed: u64) {
    // PCG's multiplicative generator wants a well-mixed odd state; two draws apart from the seed's own bits.
    let mut random = Pcg64Mcg::new(u128::from(seed) << 64 | 0xcafe_f00d_d15e_a5e5);
    random.next_u64();
    let mut rest = weights;
    for layer in graph.nodes {
        for (name, shape, rank) in layer.tensors() {
            let len = if rank == 0 { 0 } else { shape[..rank].iter().product() };
            let Some((tensor, after)) = rest.split_at_mut_checked(len) else { return };
            match (name, rank) {
                // The last two dimensions, each times the window's size (Keras's `compute_fans`).
                ("kernel", 2..) => {
                    let window: usize = shape[..rank - 2].iter().product();
                    let [fan_in, fan_out] = [shape[rank - 2], shape[rank - 1]].map(|fan| window * fan);
                    initializer.fill(fan_in, fan_out, &mut random, tensor);
                }
                ("gamma" | "moving_variance", _) => tensor.fill(1.0),
                _ => tensor.fill(0.0),
            }
            rest = after;
        }
    }
}
