//! Max pooling and its gradient.

use crate::geometry::Geometry;

crate::arch::x86_64::recompile! {
    Avx2, "avx2,fma", scalar::pool_f32:
    fn max_pool(g: &Geometry, x: &[f32], y: &mut [f32]);
    fn max_pool_gradient(g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]);
}
