//! Multiply-adds on values in registers.

use core::hint::black_box;

/// `sums = sums * a + b` in each round; returns the number of operations. Half of the registers that x86-64 always has,
/// in vectors where the target has any.
pub(in crate::arch) fn multiply_adds(rounds: usize) -> usize {
    const SUMS: usize = 32;
    let (a, b) = (black_box(0.5), black_box(1.0));
    let mut sums = [0.0f32; SUMS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = *sum * a + b;
        }
    }
    black_box(sums);
    2 * SUMS * rounds
}
