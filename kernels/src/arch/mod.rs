//! The kernels, one folder an instruction set, and [`Backend`], which says which of them run.
//!
//! `scalar` is always compiled: it is the oracle that every other back end is tested against. Same file and function
//! names in every folder, so that one algorithm can be read side by side.

mod f32;
mod int8;
pub(crate) mod parallel;
mod scalar;
mod window;

pub use f32::{BLOCK_ROWS, Trainable};

/// Which kernels run. A small value to copy: ask [`Backend::detect`] once for a network and keep the answer.
///
/// `--cfg thumbnet_backend="scalar"` in `RUSTFLAGS` leaves [`Backend::SCALAR`] as the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend(Kind);

/// A variant holds the proof that its instructions exist; outside `arch` no other than the scalar one can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
}

impl Backend {
    /// Plain Rust, on every target.
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// The fastest back end of this machine.
    ///
    /// With the feature `std` it asks the CPU; without it, it takes what the target is compiled for.
    pub fn detect() -> Self {
        Self::available().last().unwrap_or(Self::SCALAR)
    }

    /// Every back end that this machine can run, slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        core::iter::once(Self::SCALAR)
    }

    /// The back end's name: `scalar`, `avx2` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
        }
    }

    /// The back end of that name, or `None` where this machine has none such.
    pub fn with_name(name: &str) -> Option<Self> {
        Self::available().find(|backend| backend.name() == name)
    }
}
