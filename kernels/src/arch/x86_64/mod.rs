//! AVX2 and AVX-512, entered by a token that proves the CPU has them.
#![expect(unsafe_code, reason = "entering functions with target features, loads and stores")]

pub(in crate::arch) mod avx2;
pub(in crate::arch) mod avx512;
mod depthwise_f32;
mod gemm_f32;
mod kernels;
mod pack_f32;
mod peak_f32;
mod pool_f32;
mod product_f32;
mod row_f32;
mod rows_s8;
mod winograd_f32;

use super::Precision;

/// Whether the CPU has all of some features: asked with `std`, else what the target is compiled for.
macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(feature = "std")]
        let has = [$(std::arch::is_x86_feature_detected!($feature)),*];
        #[cfg(not(feature = "std"))]
        let has = [$(cfg!(target_feature = $feature)),*];
        has.into_iter().all(|has| has)
    }};
}

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    /// The proof, if it holds.
    pub(super) fn new() -> Option<Self> {
        has!("avx2", "fma").then_some(Self(()))
    }
}

/// Proof that the CPU has AVX-512 F, BW, DQ and VL, besides AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx512 {
    /// Where the CPU has it.
    vnni: Option<Vnni>,
    /// Where products of dense layers are to use it.
    pub(super) bf16: Option<Bf16>,
}

impl Avx512 {
    /// The proof, if it holds.
    pub(super) fn new() -> Option<Self> {
        let vnni = has!("avx512vnni").then_some(Vnni(()));
        let bf16 = None;
        has!("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma").then_some(Self { vnni, bf16 })
    }

    /// The int8 kernels' instructions, or those that run in their place.
    pub(super) fn vnni(self) -> Result<Vnni, Avx2> {
        self.vnni.ok_or(Avx2(()))
    }

    /// The same with products of dense layers in that precision, if the CPU has it.
    pub(super) fn with_precision(self, precision: Precision) -> Option<Self> {
        match precision {
            Precision::F32 => Some(Self { bf16: None, ..self }),
            Precision::Bf16 => has!("avx512bf16").then_some(Self { bf16: Some(Bf16(())), ..self }),
        }
    }
}

/// Proof that the CPU has AVX-512 VNNI, besides what [`Avx512`] proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vnni(());

/// Proof that the CPU has AVX512-BF16, besides what [`Avx512`] proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bf16(());

impl From<Bf16> for Avx512 {
    fn from(_: Bf16) -> Self {
        Self { vnni: None, bf16: None }
    }
}
