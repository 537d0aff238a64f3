//! The inner loop of convolutions on Cortex-M0: one filter after the other by four pixels, of which a word holds two.
//!
//! ```text
//! X = x + 2^16 y                     the inputs x and y of two pixels at one position: a word of the column
//! P = w[k] X[k] + w[k + 1] X[k + 1]  two multiplications make four products
//! ```
//!
//! With `|x| <= 128` and `|w| <= 127` the two products of a pixel are at most `2 * 16256 < 2^15`, so that `P`'s low
//! half is the first pixel's, signed, and `P >> 16` the second's, less one where the first's is negative. A shift to
//! the right leaves in the carry the last bit that it shifted out: that sign. So
//!
//! ```text
//! S += P;  T += (P >> 16) + carry
//! ```
//!
//! takes three instructions, of which the last is an `adcs`. `T` is the second pixel's sum, and `S - 2^16 T`, which may
//! wrap, the first's. 18 instructions for two positions of four pixels: 2.25 a product.
use super::Tile;
use crate::arch::cores::Thumb1;
use core::mem::offset_of;

/// A stretch of positions of some filters.
#[repr(C)]
struct Run {
    /// The first filter's weights, from the stretch's first position on.
    weights: *const i8,
    /// The weights from one filter to the next, filters, and positions.
    len: usize,
    filters: usize,
    positions: usize,
}

// thumbnet_conv_sums(run, column, tiles, whether the tiles start from zero).
//
// r0, r1: weights; r2, r3: words of the column, products; r4: the column; r5, r6: T of the first and the second two
// pixels; r7: the weights. r8, r9: S; r10: where the column's pairs of positions end; r11: where it starts; r12: where
// to enter the loop; lr: what to add to r7 for the next filter. On the stack: tiles, filters, whether a position is
// left over, whether the tiles start from zero.
//
// A round is four pairs: the first one starts inside, so that none is left over.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_sums":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "mov r11, r1",
    "ldr r4, [r0, #{POSITIONS}]",
    "ldr r5, [r0, #{FILTERS}]",
    "ldr r7, [r0, #{WEIGHTS}]",
    "ldr r0, [r0, #{LEN}]",
    "movs r6, #1",
    "ands r6, r4",
    "push {{r2, r3, r5, r6}}",
    // Pairs, where they end, and how many of the first round are skipped.
    "lsrs r4, r4, #1",
    "lsls r2, r4, #4",
    "add r2, r1",
    "mov r10, r2",
    "rsbs r2, r4, #0",
    "movs r3, #3",
    "ands r2, r3",
    "adr r1, 2f",
    "cmp r4, #0",
    "bne 1f",
    "adr r1, 3f",
    "1:",
    "movs r3, #36",
    "muls r3, r2, r3",
    "adds r1, r1, r3",
    "adds r1, #1",
    "mov r12, r1",
    "lsls r2, r2, #1",
    "subs r7, r7, r2",
    "subs r0, r0, r2",
    "lsls r4, r4, #1",
    "subs r0, r0, r4",
    "mov lr, r0",
    "6:",
    "ldr r0, [sp, #4]",
    "cmp r0, #0",
    "bne 7f",
    "ldr r0, [sp]",
    "ldm r0!, {{r1, r2, r5, r6}}",
    "b 8f",
    "7:",
    "movs r1, #0",
    "movs r2, #0",
    "movs r5, #0",
    "movs r6, #0",
    "8:",
    "mov r8, r1",
    "mov r9, r2",
    "mov r4, r11",
    "bx r12",
    ".p2align 2",
    "2:",
    ".irp k, 0, 2, 4, 6",
    "ldrb r0, [r7, #\\k]",
    "ldrb r1, [r7, #\\k + 1]",
    "sxtb r0, r0",
    "sxtb r1, r1",
    "ldm r4!, {{r2, r3}}",
    "muls r2, r0, r2",
    "muls r3, r1, r3",
    "adds r2, r2, r3",
    "add r8, r2",
    "asrs r2, r2, #16",
    "adcs r5, r2",
    "ldm r4!, {{r2, r3}}",
    "muls r2, r0, r2",
    "muls r3, r1, r3",
    "adds r2, r2, r3",
    "add r9, r2",
    "asrs r2, r2, #16",
    "adcs r6, r2",
    ".endr",
    // No pair is longer than the jump above assumes.
    ".org 2b + 4 * 36",
    "adds r7, #8",
    "cmp r4, r10",
    "bne 2b",
    ".p2align 2",
    "3:",
    "ldr r0, [sp, #12]",
    "cmp r0, #0",
    "beq 4f",
    "movs r0, #0",
    "ldrsb r0, [r7, r0]",
    "ldr r2, [r4]",
    "muls r2, r0, r2",
    "add r8, r2",
    "asrs r2, r2, #16",
    "adcs r5, r2",
    "ldr r2, [r4, #8]",
    "muls r2, r0, r2",
    "add r9, r2",
    "asrs r2, r2, #16",
    "adcs r6, r2",
    "4:",
    "ldr r0, [sp]",
    "mov r1, r8",
    "mov r2, r9",
    "stm r0!, {{r1, r2, r5, r6}}",
    "str r0, [sp]",
    "add r7, lr",
    "ldr r0, [sp, #8]",
    "subs r0, #1",
    "str r0, [sp, #8]",
    "bne 6b",
    "add sp, #16",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}";
    POSITIONS = const offset_of!(Run, positions),
    FILTERS = const offset_of!(Run, filters),
    WEIGHTS = const offset_of!(Run, weights),
    LEN = const offset_of!(Run, len)
}

unsafe extern "C" {
    fn thumbnet_conv_sums(run: &Run, column: *const i32, tiles: *mut Tile, fresh: usize);
}

/// Adds the products of `positions` positions with the weights of as many filters as there are tiles, whose rows of
/// `len` weights follow one another from the first of `weights` on. Tiles start from zero if `fresh`. Does nothing
/// where there are not as many weights, or the column is shorter.
pub(super) fn sums(weights: &[i8], len: usize, positions: usize, column: &[i32], tiles: &mut [Tile], fresh: bool) {
    let filters = tiles.len();
    let extent = filters.wrapping_sub(1).wrapping_mul(len).wrapping_add(positions);
    let room = positions.div_ceil(2) * Thumb1::TILE <= column.len();
    if filters == 0 || positions == 0 || extent > weights.len() || !room {
        return;
    }
    let run = Run { weights: weights.as_ptr(), len, filters, positions };
    // SAFETY: the function reads the words of `positions` positions, as many weights of each filter, which lie in the
    // slice, and updates a tile for each.
    unsafe { thumbnet_conv_sums(&run, column.as_ptr(), tiles.as_mut_ptr(), fresh.into()) }
}
