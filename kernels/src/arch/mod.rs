//! The kernels, one folder an instruction set, and [`Backend`], which says which of them run.
//!
//! `scalar` is always compiled: it is the oracle that every other back end is tested against. Same file and function
//! names in every folder, so that one algorithm can be read side by side.

#[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
mod aarch64;
#[cfg(thumbnet_cortex)]
mod arm;
mod f32;
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(thumbnet_backend = "scalar")))]
mod generic;
mod int8;
#[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
mod matrix;
pub(crate) mod parallel;
mod scalar;
mod window;
#[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
mod x86_64;

pub use f32::{BLOCK_ROWS, Trainable};
pub(crate) use scalar::dropout_f32::split_mix;

/// Which kernels run. A small value to copy: ask [`Backend::detect`] once for a network and keep the answer.
///
/// `--cfg thumbnet_backend="scalar"` in `RUSTFLAGS` leaves [`Backend::SCALAR`] as the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend(Kind, #[cfg(thumbnet_cortex)] Int8);

/// A variant holds the proof that its instructions exist; outside `arch` no other than the scalar one can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
    #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
    Avx2(x86_64::Avx2),
    #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
    Avx512(x86_64::Avx512),
    /// In int8 alone: f32 stays plain Rust.
    #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
    Neon(aarch64::Neon),
}

/// Calls the kernel of that file and name of the back end's folder. Vector back ends take their token first.
macro_rules! dispatch {
    ($backend:expr, $file:ident::$function:ident($($argument:expr),*)) => {
        match $backend.0 {
            $crate::arch::Kind::Scalar => $crate::arch::scalar::$file::$function($($argument),*),
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Avx2(isa) => $crate::arch::x86_64::avx2::$file::$function(isa, $($argument),*),
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Avx512(isa) => $crate::arch::x86_64::avx512::$file::$function(isa, $($argument),*),
            #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Neon(_) => $crate::arch::scalar::$file::$function($($argument),*),
        }
    };
}
use dispatch;

/// One expression for the scalar back end, and one for every other, in which the name stands for the back end's token.
macro_rules! by_kind {
    ($backend:expr, scalar => $scalar:expr, $isa:ident => $vector:expr) => {
        match $backend.0 {
            $crate::arch::Kind::Scalar => $scalar,
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Avx2($isa) => $vector,
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Avx512($isa) => $vector,
            #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Neon(_) => $scalar,
        }
    };
}
use by_kind;

/// On Cortex-M3 and up the core has int8 kernels of its own, while f32 stays plain Rust.
#[cfg(thumbnet_cortex)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Int8 {
    Scalar,
    Core,
}

/// The answer of [`Backend::detect`]. On a microcontroller it takes no memory and is known when the program is compiled: a network
/// that runs on it links no other back end's kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detected(#[cfg(not(thumbnet_cortex))] Backend);

impl Detected {
    pub(crate) fn new() -> Self {
        Self(
            #[cfg(not(thumbnet_cortex))]
            Backend::detect(),
        )
    }
}

impl From<Detected> for Backend {
    #[inline(always)]
    fn from(_detected: Detected) -> Self {
        #[cfg(thumbnet_cortex)]
        return Self::CORE;
        #[cfg(not(thumbnet_cortex))]
        _detected.0
    }
}

impl Backend {
    /// Plain Rust, on every target.
    #[cfg(not(thumbnet_cortex))]
    pub const SCALAR: Self = Self(Kind::Scalar);
    /// Plain Rust, on every target.
    #[cfg(thumbnet_cortex)]
    pub const SCALAR: Self = Self(Kind::Scalar, Int8::Scalar);

    /// The int8 kernels of the core that this is compiled for.
    #[cfg(thumbnet_cortex)]
    const CORE: Self = Self(Kind::Scalar, Int8::Core);

    /// The fastest back end of this machine.
    ///
    /// With the feature `std` it asks the CPU; without it, it takes what the target is compiled for.
    pub fn detect() -> Self {
        #[cfg(thumbnet_cortex)]
        return Self::CORE;
        #[cfg(not(thumbnet_cortex))]
        Self::available().last().unwrap_or(Self::SCALAR)
    }

    /// Every back end that this machine can run, slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        let scalar = core::iter::once(Self::SCALAR);
        #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
        let scalar = {
            let avx2 = x86_64::Avx2::new().map(|isa| Self(Kind::Avx2(isa)));
            let avx512 = x86_64::Avx512::new().map(|isa| Self(Kind::Avx512(isa)));
            scalar.chain(avx2).chain(avx512)
        };
        #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
        let scalar = scalar.chain([Self(Kind::Neon(aarch64::Neon::new()))]);
        #[cfg(thumbnet_cortex)]
        let scalar = scalar.chain([Self::CORE]);
        scalar
    }

    /// The back end's name: `scalar`, `avx2`, `avx512` or `neon`; on Cortex-M `thumb`, `dsp` or `helium`.
    pub const fn name(self) -> &'static str {
        #[cfg(thumbnet_cortex)]
        if let Int8::Core = self.1 {
            return arm::NAME;
        }
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            Kind::Avx2(_) => "avx2",
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            Kind::Avx512(_) => "avx512",
            #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
            Kind::Neon(_) => "neon",
        }
    }

    /// The back end of that name, or `None` where this machine has none such.
    pub fn with_name(name: &str) -> Option<Self> {
        Self::available().find(|backend| backend.name() == name)
    }
}
