//! 64-bit ARM, whose every CPU has NEON.
#![expect(unsafe_code, reason = "entering functions with target features, loads and stores")]

pub(super) mod neon;

/// Proof that the CPU has NEON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neon(());

impl Neon {
    /// The proof, which the architecture is.
    pub(super) const fn new() -> Self {
        Self(())
    }
}
