//! 16 values at a time.

pub(in crate::arch) mod conv_s8;
mod dense_s8;
mod depthwise_f32;
mod gemm_bf16;
mod gemm_f32;
mod pack_bf16;
mod pack_f32;
mod peak_f32;
mod pool_f32;
mod product_f32;
mod requantize;
mod row_f32;
mod rows_s8;
mod vector;
mod vector_bf16;
mod vector_s8;
mod winograd_f32;

use super::kernels::Isa;
use super::{Avx512, Bf16, avx2};
use crate::geometry::Geometry;
use crate::int8::{ConvS8, DenseS8};

impl Isa for Avx512 {
    type Bf16 = Bf16;

    fn bf16(self) -> Option<Bf16> {
        self.bf16
    }
    fn recompile<R>(self, work: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        fn with_vectors<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        // SAFETY: the token proves that the CPU has the instructions.
        unsafe { with_vectors(work) }
    }
    fn multiply_adds(self, rounds: usize) -> usize {
        peak_f32::multiply_adds(self, rounds)
    }
    fn max_pool(self, g: &Geometry, x: &[f32], y: &mut [f32]) {
        pool_f32::max_pool(self, g, x, y);
    }
    fn max_pool_gradient(self, g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        pool_f32::max_pool_gradient(self, g, x, y, dy, dx);
    }
    fn conv_s8(self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        match self.vnni() {
            Ok(isa) => conv_s8::conv_s8(isa, layer, input, output, scratch),
            Err(isa) => avx2::conv_s8::conv_s8(isa, layer, input, output, scratch),
        }
    }
    fn dense_s8(self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8]) {
        match self.vnni() {
            Ok(isa) => dense_s8::dense_s8(isa, layer, input, output),
            Err(isa) => avx2::dense_s8::dense_s8(isa, layer, input, output),
        }
    }
}
