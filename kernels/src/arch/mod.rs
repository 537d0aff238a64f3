//! The kernels, one folder an instruction set, and [`Backend`], which says which of them run.
//!
//! `scalar` is always compiled: it is the oracle that every other back end is tested against. Same file and function
//! names in every folder, so that one algorithm can be read side by side.

#[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
mod aarch64;
#[cfg(thumbnet_cortex)]
mod arm;
mod cores;
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

pub use cores::Cores;
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

/// One expression for the scalar back end, and one for every other, in which the name stands for the back end's token;
/// with `or bf16`, for that of the bf16 products where they are wanted.
macro_rules! by_kind {
    ($backend:expr, scalar => $scalar:expr, $isa:ident $(or $bf16:ident)? => $vector:expr) => {
        match $backend.0 {
            $crate::arch::Kind::Scalar => $scalar,
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Avx2($isa) => $vector,
            $(
                #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
                $crate::arch::Kind::Avx512($crate::arch::x86_64::Avx512 { $bf16: Some($isa), .. }) => $vector,
            )?
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Avx512($isa) => $vector,
            #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
            $crate::arch::Kind::Neon(_) => $scalar,
        }
    };
}
use by_kind;

/// What the products of dense layers are made of, in training and in f32 inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single precision, as everything else.
    #[default]
    F32,
    /// bf16 (f32 without its 16 low bits, which leaves a significand of 8) with sums in f32.
    ///
    /// Both operands of a dense layer's forward pass, and of its gradients for input and kernel, are rounded to the nearest
    /// bf16, ties to even: off by at most 2^-8 of the value. From 2^128 - 2^119 on they are infinite, and below 2^-126 zero,
    /// as sums are. Two neighbours' products are added one after the other, the second first, each rounding once, as Intel
    /// defines it ("Intel 64 and IA-32 Architectures Software Developer's Manual", volume 2, `VDPBF16PS`). So all error
    /// beyond f32's is that of the operands.
    ///
    /// What is kept is f32: weights, biases, activations and the optimizer's state. So are all other layers, and the forward
    /// pass of a single sample, which takes as long as reading the weights does.
    Bf16,
}

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

    /// The same back end with the products of dense layers in that precision, or `None` where the CPU, or the back end, has
    /// no instructions for it: [`Precision::Bf16`] takes `avx512` on a CPU with AVX512-BF16.
    ///
    /// Reduced precision is no part of [`Self::available`], whose members agree within the error of f32.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Option<Self> {
        match (self.0, precision) {
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            (Kind::Avx512(isa), _) => isa.with_precision(precision).map(|isa| Self(Kind::Avx512(isa))),
            (_, Precision::F32) => Some(self),
            (_, Precision::Bf16) => None,
        }
    }

    /// The back end's name: `scalar`, `avx2`, `avx512` or `neon`; `avx512-bf16` in that precision; on Cortex-M `thumb`, `dsp`
    /// or `helium`.
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
            Kind::Avx512(x86_64::Avx512 { bf16: Some(_), .. }) => "avx512-bf16",
            #[cfg(all(target_arch = "x86_64", not(thumbnet_backend = "scalar")))]
            Kind::Avx512(_) => "avx512",
            #[cfg(all(target_arch = "aarch64", not(thumbnet_backend = "scalar")))]
            Kind::Neon(_) => "neon",
        }
    }

    /// The back end of that name, in reduced precision too, or `None` where this machine has none such.
    pub fn with_name(name: &str) -> Option<Self> {
        let precisions = |backend: Self| [Some(backend), backend.with_precision(Precision::Bf16)];
        Self::available().flat_map(precisions).flatten().find(|backend| backend.name() == name)
    }
}
