//! The int8 kernels of every back end against the oracle.

use thumbnet::arch::Backend;
use thumbnet::int8::{DenseS8, Packing, Requantize};

use crate::cases;
use crate::int8_cases::{self, Buffers, run};

cases![every_int8_kernel_equals_the_oracle, what_rounds_beyond_32_bits_is_clamped];

fn every_int8_kernel_equals_the_oracle() {
    let mut buffers = Buffers::new();
    for backend in Backend::available() {
        let mut first = None;
        let comparisons = run(backend, &mut buffers, &mut |difference| {
            first.get_or_insert(difference);
        });
        // A core's own kernels read one order, all others every one.
        let one = backend != Backend::SCALAR && Backend::CONV_S8_PACKING.is_some();
        assert_eq!(comparisons, int8_cases::comparisons(if one { 1 } else { 3 }));
        assert!(first.is_none(), "{first:?} on {}", backend.name());
    }
}

/// `(2^31 - 2) (2^30 + 1) / 2^30` is 2^31 less 2^-29: the one end of the sums that no random number comes to.
fn what_rounds_beyond_32_bits_is_clamped() {
    let weights = [0i32];
    for backend in Backend::available() {
        let layer = DenseS8 {
            inputs: 1,
            units: 4,
            weights: bytemuck::cast_slice(&weights),
            packing: Backend::DENSE_S8_PACKING.unwrap_or(Packing::Plain),
            bias: &[i32::MAX - 1, -(i32::MAX - 1), i32::MAX - 1, 0],
            requantize: Requantize {
                multiplier: &[(1 << 30) + 1; 4],
                shift: &[1; 4],
                zero_point: 9,
                activation: [-100, 120],
            },
        };
        let (mut output, mut scratch) = ([0; 4], [0; Backend::dense_s8_scratch_len(1, 4)]);
        backend.dense_s8(&layer, &[1], &mut output, &mut scratch);
        assert!(output == [120, -100, 120, 9], "{output:?} on {}", backend.name());
    }
}
