//! Armv6-M and Armv8-M's baseline: Cortex-M0, M0+, M23. Thumb-1 has eight registers that everything reaches, no product
//! of 64 bits and no multiply-accumulate; weights are read as they are ([`Packing::Plain`](crate::int8::Packing)).
//!
//! Sums that are not used at once wait in a [`Tile`], where [`outputs_s8`] requantises them.
#![expect(unsafe_code, reason = "the inner loops are assembly")]
pub(super) mod add_s8;
mod column;
pub(super) mod concatenate_s8;
pub(super) mod conv_s8;
pub(super) mod dense_s8;
pub(super) mod depthwise_s8;
pub(super) mod multiply_s8;
mod outputs_s8;
pub(super) mod pool_s8;
mod samples_s8;
mod sums_s8;

pub(crate) use samples_s8::scale_samples;

/// What a filter's or channel's sums over four pixels wait in: `[s, t, u, v]` for the sums `s - 2^16 u`, `u`,
/// `t - 2^16 v` and `v`, as [`sums_s8`] leaves them.
type Tile = [i32; crate::arch::cores::Thumb1::TILE];

/// The halves of a multiplier that is not negative, the lower one signed.
const fn halves(multiplier: i32) -> [i32; 2] {
    let low = multiplier as i16 as i32;
    [(multiplier.wrapping_sub(low) as u32 >> 16) as i32, low]
}
