//! Multiply-adds on values in registers, written once for both vector widths.

/// Defines `multiply_adds` in terms of the module `super::vector`, for a token type and its instructions. `sums` is the
/// number of independent sums: at least the latency of a multiply-add (4 cycles) times those begun in a cycle (2).
macro_rules! define_peak_f32 {
    ($token:ident, $features:literal, sums: $sums:literal) => {
        use core::hint::black_box;

        use super::vector::{self, LANES};
        use crate::arch::x86_64::$token;

        pub(in crate::arch) fn multiply_adds(_: $token, rounds: usize) -> usize {
            // SAFETY: the token proves that the CPU has the instructions.
            unsafe { run(rounds) }
        }

        #[target_feature(enable = $features)]
        fn run(rounds: usize) -> usize {
            let (a, b) = (vector::splat(black_box(0.5)), vector::splat(black_box(1.0)));
            let mut sums = [vector::zero(); $sums];
            for _ in 0..rounds {
                for sum in &mut sums {
                    *sum = vector::multiply_add(a, *sum, b);
                }
            }
            black_box(sums);
            2 * LANES * $sums * rounds
        }
    };
}

pub(super) use define_peak_f32;
