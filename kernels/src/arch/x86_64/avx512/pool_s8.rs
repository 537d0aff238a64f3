//! Max pooling.

use crate::geometry::Geometry;

crate::arch::x86_64::recompile! {
    Avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", scalar::pool_s8:
    fn max_pool_s8(geometry: &Geometry, input: &[i8], output: &mut [i8]);
}
