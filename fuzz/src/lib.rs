//! What the targets share: memory between pages that no one may touch, sizes, graphs, and calls that
//! must be refused.

mod graph;
mod guarded;
mod source;

pub use graph::{follow, nodes, padded};
pub use guarded::Guarded;
pub use source::{Source, edited, file, silent, values};

use thumbnet::arch::{Backend, Precision};

/// Every back end of this machine.
pub fn backends() -> Vec<Backend> {
    Backend::available().collect()
}

/// That in bf16, where the machine has it: its results are other numbers.
pub fn reduced() -> Option<Backend> {
    Backend::detect().with_precision(Precision::Bf16)
}
