//! The int8 kernels of every back end against the oracle.

use thumbnet::arch::Backend;

use crate::cases;
use crate::int8_cases::{Buffers, run};

cases![every_int8_kernel_equals_the_oracle];

fn every_int8_kernel_equals_the_oracle() {
    let mut buffers = Buffers::new();
    for backend in Backend::available() {
        let mut first = None;
        let comparisons = run(backend, &mut buffers, &mut |difference| {
            first.get_or_insert(difference);
        });
        assert!(comparisons > 400);
        assert!(first.is_none(), "{first:?} on {}", backend.name());
    }
}
