//! The int8 kernels of every back end against the oracle.

use thumbnet::arch::Backend;

use crate::cases;
use crate::int8_cases::{self, Buffers, run};

cases![every_int8_kernel_equals_the_oracle];

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
