//! The few vector operations that the int8 kernels are made of: 4 sums of products of bytes, four to a lane.
//!
//! Without the extension for dot products, bytes are multiplied to halfwords, whose neighbours are added to the sums: a
//! filter's sum is then in two parts until the end.

use core::arch::aarch64::{
    int32x4_t, vaddq_s32, vdupq_n_s8, vdupq_n_s32, vld1q_s8, vld1q_s32, vmaxq_s32, vreinterpretq_s32_s8,
    vreinterpretq_s32_s64, vreinterpretq_s64_s32, vst1q_s32, vtrn1q_s32, vtrn1q_s64, vtrn2q_s32, vtrn2q_s64,
};

use crate::arch::generic::requantize::lanes;

pub(super) const LANES: usize = 4;
/// Values of a word.
pub(super) const GROUP: usize = 4;
/// Inputs stay what they are.
pub(super) const OFFSET: i32 = 0;
/// An input in the image.
pub(super) type Value = i8;
pub(super) type Vector = int32x4_t;
/// The sums of the filters; see [`total`].
#[cfg(target_feature = "dotprod")]
pub(super) type Sums = int32x4_t;
/// Two parts of the sums of the first two filters, then of the others.
#[cfg(not(target_feature = "dotprod"))]
pub(super) type Sums = [int32x4_t; 2];

#[inline(always)]
pub(super) fn value(input: i8) -> Value {
    input
}

#[cfg(target_feature = "dotprod")]
mod product {
    use super::{Sums, Vector};
    use core::arch::aarch64::vdupq_n_s32;
    use core::arch::asm;

    #[inline]
    #[target_feature(enable = "neon")]
    pub(in super::super) fn zero() -> Sums {
        vdupq_n_s32(0)
    }

    /// Adds, lane by lane, the products of four inputs and four weights.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(in super::super) fn dot(mut sums: Sums, inputs: Vector, weights: Vector) -> Sums {
        // SAFETY: one instruction, on registers alone, that the target has.
        unsafe {
            asm!("sdot {0:v}.4s, {1:v}.16b, {2:v}.16b", inout(vreg) sums, in(vreg) inputs, in(vreg) weights,
                options(pure, nomem, nostack, preserves_flags));
        }
        sums
    }

    /// The sums, one a lane.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(in super::super) fn total(sums: Sums) -> Vector {
        sums
    }
}

#[cfg(not(target_feature = "dotprod"))]
mod product {
    use super::{Sums, Vector};
    use core::arch::aarch64::{
        vdupq_n_s32, vget_low_s8, vmull_high_s8, vmull_s8, vpadalq_s16, vpaddq_s32, vreinterpretq_s8_s32,
    };

    #[inline]
    #[target_feature(enable = "neon")]
    pub(in super::super) fn zero() -> Sums {
        [vdupq_n_s32(0); 2]
    }

    /// Adds, lane by lane, the products of four inputs and four weights.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(in super::super) fn dot([first, second]: Sums, inputs: Vector, weights: Vector) -> Sums {
        let (inputs, weights) = (vreinterpretq_s8_s32(inputs), vreinterpretq_s8_s32(weights));
        let low = vmull_s8(vget_low_s8(inputs), vget_low_s8(weights));
        [vpadalq_s16(first, low), vpadalq_s16(second, vmull_high_s8(inputs, weights))]
    }

    /// The sums, one a lane.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(in super::super) fn total([first, second]: Sums) -> Vector {
        vpaddq_s32(first, second)
    }
}
pub(super) use product::{dot, total, zero};

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn splat(x: i32) -> Vector {
    vdupq_n_s32(x)
}

/// One lane an element.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn from_array(array: [i32; LANES]) -> Vector {
    // SAFETY: the array is as long as the vector.
    unsafe { load(array.as_ptr()) }
}

/// Adds, lane by lane, four weights.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_values(sums: Sums, weights: Vector) -> Sums {
    dot(sums, vreinterpretq_s32_s8(vdupq_n_s8(1)), weights)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add(a: Vector, b: Vector) -> Vector {
    vaddq_s32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn max(a: Vector, b: Vector) -> Vector {
    vmaxq_s32(a, b)
}

/// The word at `from` in every lane.
///
/// # Safety
///
/// Four values must be readable.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn splat_word(from: *const Value) -> Vector {
    // SAFETY: the caller's promise.
    vdupq_n_s32(unsafe { from.cast::<i32>().read_unaligned() })
}

/// # Safety
///
/// `LANES` words must be readable.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn load(from: *const i32) -> Vector {
    // SAFETY: the caller's promise.
    unsafe { vld1q_s32(from) }
}

/// # Safety
///
/// `LANES` words must be writable.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn store(to: *mut i32, words: Vector) {
    // SAFETY: the caller's promise.
    unsafe { vst1q_s32(to, words) }
}

/// Up to a vector's worth of weights, filled up with zeros.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_values(values: &[i8]) -> Vector {
    let values: [i8; GROUP * LANES] = lanes(values);
    // SAFETY: the array is as long as the vector.
    vreinterpretq_s32_s8(unsafe { vld1q_s8(values.as_ptr()) })
}

/// Transposes the 4 x 4 matrix: pairs of words, then pairs of pairs.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn transpose([a, b, c, d]: [Vector; LANES]) -> [Vector; LANES] {
    let pairs = [vtrn1q_s32(a, b), vtrn2q_s32(a, b), vtrn1q_s32(c, d), vtrn2q_s32(c, d)];
    let [even, odd, even2, odd2] = [
        vreinterpretq_s64_s32(pairs[0]),
        vreinterpretq_s64_s32(pairs[1]),
        vreinterpretq_s64_s32(pairs[2]),
        vreinterpretq_s64_s32(pairs[3]),
    ];
    [
        vreinterpretq_s32_s64(vtrn1q_s64(even, even2)),
        vreinterpretq_s32_s64(vtrn1q_s64(odd, odd2)),
        vreinterpretq_s32_s64(vtrn2q_s64(even, even2)),
        vreinterpretq_s32_s64(vtrn2q_s64(odd, odd2)),
    ]
}
