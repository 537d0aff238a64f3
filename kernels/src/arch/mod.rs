//! The kernels, one folder an instruction set, and [`Backend`], which says which of them run.
//!
//! `scalar` is always compiled: it is the oracle that every other back end is tested against. Same file and function
//! names in every folder, so that one algorithm can be read side by side.

#[cfg(thumbnet_neon)]
mod aarch64;
#[cfg(thumbnet_cortex)]
mod arm;
mod cores;
mod f32;
#[cfg(thumbnet_vector)]
mod generic;
mod int8;
mod kernels;
#[cfg(thumbnet_x86)]
mod matrix;
pub(crate) mod parallel;
mod scalar;
mod window;
#[cfg(thumbnet_x86)]
mod x86_64;

#[cfg(thumbnet_thumb1)]
pub(crate) use arm::scale_samples;
#[cfg(any(thumbnet_dsp, thumbnet_helium))]
pub(crate) use arm::{smlawb, smlawt};
pub use cores::Cores;
pub use f32::{BLOCK_ROWS, Trainable};
pub(crate) use kernels::{Kernels, Weights};
pub(crate) use scalar::dropout_f32::split_mix;

/// Which kernels run. A small value to copy: ask [`Backend::detect`] once for a network and keep the answer.
///
/// `--cfg thumbnet_backend="scalar"` in `RUSTFLAGS` leaves [`Backend::SCALAR`] as the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend(Kind);

/// A variant holds the proof that its instructions exist; outside `arch` no other than the scalar one can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Scalar,
    /// What the Cortex-M has kernels for; all else is scalar.
    #[cfg(thumbnet_cortex)]
    Core,
    #[cfg(thumbnet_x86)]
    Avx2(x86_64::Avx2),
    #[cfg(thumbnet_x86)]
    Avx512(x86_64::Avx512),
    #[cfg(thumbnet_neon)]
    Neon(aarch64::Neon),
}

/// The scalar kernels.
#[cfg(any(thumbnet_vector, thumbnet_cortex))]
struct Scalar;

#[cfg(any(thumbnet_vector, thumbnet_cortex))]
impl Kernels for Scalar {}

#[cfg(not(any(thumbnet_vector, thumbnet_cortex)))]
impl Kernels for Kind {}

/// What the products of dense layers are made of, in training and in f32 inference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single precision, as everything else.
    #[default]
    F32,
    /// bf16 (f32 without its 16 low bits, which leaves a significand of 8) with sums in f32.
    ///
    /// Both operands of a dense layer's forward pass, and of its gradients for input and kernel, are rounded to the
    /// nearest bf16, ties to even: off by at most 2^-8 of the value. From 2^128 - 2^119 on they are infinite, and below
    /// 2^-126 zero, as sums are. Two neighbours' products are added one after the other, the second first, each
    /// rounding once, as Intel defines it ("Intel 64 and IA-32 Architectures Software Developer's Manual", volume 2,
    /// `VDPBF16PS`). So all error beyond f32's is that of the operands.
    ///
    /// What is kept is f32: weights, biases, activations and the optimizer's state. So are all other layers, and the
    /// forward pass of a single sample, which takes as long as reading the weights does.
    Bf16,
}

/// The answer of [`Backend::detect`]. On a microcontroller it takes no memory and is known when the program is
/// compiled: a network that runs on it links no other back end's kernels.
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
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// The kernels of the core that this is compiled for.
    #[cfg(thumbnet_cortex)]
    const CORE: Self = Self(Kind::Core);

    /// The kernels. On a microcontroller their type is known, so that none is linked that is not called; on a PC it is
    /// chosen here, and nowhere else: where this is inlined, all kernels are compiled again.
    #[cfg_attr(thumbnet_vector, inline(never))]
    #[cfg_attr(not(thumbnet_vector), inline(always))]
    pub(crate) fn kernels(&self) -> &(impl Kernels + ?Sized) {
        core::cfg_select! {
            thumbnet_vector => {
                let kernels: &dyn Kernels = match &self.0 {
                    Kind::Scalar => &Scalar,
                    #[cfg(thumbnet_x86)]
                    Kind::Avx2(isa) => isa,
                    #[cfg(thumbnet_x86)]
                    Kind::Avx512(isa) => isa,
                    #[cfg(thumbnet_neon)]
                    Kind::Neon(isa) => isa,
                };
                kernels
            }
            _ => &self.0,
        }
    }

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
        #[cfg(thumbnet_x86)]
        let scalar = {
            let avx2 = x86_64::Avx2::new().map(|isa| Self(Kind::Avx2(isa)));
            let avx512 = x86_64::Avx512::new().map(|isa| Self(Kind::Avx512(isa)));
            scalar.chain(avx2).chain(avx512)
        };
        #[cfg(thumbnet_neon)]
        let scalar = scalar.chain([Self(Kind::Neon(aarch64::Neon::new()))]);
        #[cfg(thumbnet_cortex)]
        let scalar = scalar.chain([Self::CORE]);
        scalar
    }

    /// The same back end with the products of dense layers in that precision, or `None` where the CPU, or the back end,
    /// has no instructions for it: [`Precision::Bf16`] takes `avx512` on a CPU with AVX512-BF16.
    ///
    /// Reduced precision is no part of [`Self::available`], whose members agree within the error of f32.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Option<Self> {
        match (self.0, precision) {
            #[cfg(thumbnet_x86)]
            (Kind::Avx512(isa), _) => isa.with_precision(precision).map(|isa| Self(Kind::Avx512(isa))),
            (_, Precision::F32) => Some(self),
            (_, Precision::Bf16) => None,
        }
    }

    /// The back end's name: `scalar`, `avx2`, `avx512` or `neon`; `avx512-bf16` in that precision; on Cortex-M
    /// `thumb1`, `thumb`, `dsp` or `helium`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(thumbnet_cortex)]
            Kind::Core => arm::NAME,
            #[cfg(thumbnet_x86)]
            Kind::Avx2(_) => "avx2",
            #[cfg(thumbnet_x86)]
            Kind::Avx512(x86_64::Avx512 { bf16: Some(_), .. }) => "avx512-bf16",
            #[cfg(thumbnet_x86)]
            Kind::Avx512(_) => "avx512",
            #[cfg(thumbnet_neon)]
            Kind::Neon(_) => "neon",
        }
    }

    /// The back end of that name, in reduced precision too, or `None` where this machine has none such.
    pub fn with_name(name: &str) -> Option<Self> {
        let precisions = |backend: Self| [Some(backend), backend.with_precision(Precision::Bf16)];
        Self::available().flat_map(precisions).flatten().find(|backend| backend.name() == name)
    }
}

/// Panics unless these are as many positions, of `width` values and of `to_width`, of which some from `first` on are
/// those.
fn check_columns(width: usize, len: usize, [first, to_width]: [usize; 2], to_len: usize) {
    let fits = width > 0 && first.checked_add(width).is_some_and(|end| end <= to_width);
    assert!(fits, "columns {first}..{first} + {width} of {to_width}");
    let whole = len.is_multiple_of(width) && to_len.is_multiple_of(to_width) && len / width == to_len / to_width;
    assert!(whole, "{len} and {to_len} values are not as many positions of {width} and {to_width}");
}
