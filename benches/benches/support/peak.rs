//! The most fused multiply-adds that one core does, measured: independent chains, nothing else.

use std::{hint::black_box, time::Instant};

/// Floating-point operations a second of one core with the vectors of that back end.
pub(crate) fn flops(backend: &str) -> f64 {
    const ROUNDS: usize = 500_000;
    let run: fn() -> usize = match backend {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `main` has checked that the CPU has this back end.
        "avx512" => || unsafe { x86_64::avx512(ROUNDS) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `main` has checked that the CPU has this back end.
        "avx2" => || unsafe { x86_64::avx2(ROUNDS) },
        _ => || scalar(ROUNDS),
    };
    (0..100)
        .map(|_| {
            let start = Instant::now();
            let operations = run();
            operations as f64 / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

/// Plain Rust multiplies and adds apart; the compiler makes the vectors that every CPU of the target has.
fn scalar(rounds: usize) -> usize {
    let mut sums = [black_box(1.0f32); 32];
    let factor = black_box(0.5f32);
    for _ in 0..rounds {
        sums.iter_mut().for_each(|sum| *sum = *sum * factor + factor);
    }
    black_box(sums);
    rounds * sums.len() * 2
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use core::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps, _mm512_fmadd_ps, _mm512_set1_ps};
    use std::hint::black_box;

    /// Chains: more than latency times units of any core.
    const CHAINS: usize = 12;

    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512(rounds: usize) -> usize {
        let mut sums = [_mm512_set1_ps(black_box(1.0)); CHAINS];
        let factor = _mm512_set1_ps(black_box(0.5));
        for _ in 0..rounds {
            sums.iter_mut().for_each(|sum| *sum = _mm512_fmadd_ps(*sum, factor, factor));
        }
        black_box(sums);
        rounds * CHAINS * 16 * 2
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2(rounds: usize) -> usize {
        let mut sums = [_mm256_set1_ps(black_box(1.0)); CHAINS];
        let factor = _mm256_set1_ps(black_box(0.5));
        for _ in 0..rounds {
            sums.iter_mut().for_each(|sum| *sum = _mm256_fmadd_ps(*sum, factor, factor));
        }
        black_box(sums);
        rounds * CHAINS * 8 * 2
    }
}
