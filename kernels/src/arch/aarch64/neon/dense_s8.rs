//! Dense layer: 16 inputs by 4 units at a time.

crate::arch::generic::dense_s8::define_dense_s8!(crate::arch::aarch64::Neon, "neon");
