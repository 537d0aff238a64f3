//! Columns: the inputs of four pixels' windows side by side, as [`super::sums_s8`] reads them.
use crate::arch::cores::Thumb1;
use core::mem::offset_of;

/// Inputs of four pixels, and where in a column they go.
#[repr(C)]
struct Copy {
    /// The first word; whether it is that of an odd position.
    to: *mut i32,
    odd: usize,
    /// Each pixel's first input; how many follow one another; rows of so many, and the inputs from one to the next.
    from: [*const i8; 4],
    run: usize,
    rows: usize,
    stride: usize,
}

// thumbnet_gather(copy): x + 2^16 y for each x of one pixel and y of the next, and then the same for the other two. The
// words of two positions lie side by side, then come those of the other two pixels: from an even position to the next
// are 4 bytes, from an odd one 12.
//
// r0, r1: the ends of both pixels' rows; r2: up to 0; r5: the column; r6: whether rows have an odd length; r7: rows.
// r8, r9: bytes to the next word, in turn; r10: a row's length; r11: the stride; r12: the structure; lr: bytes of
// pointers, and of words, before those of the two pixels. A row of odd length begins with the second half of the loop,
// and the next row's positions are of the other kind.
crate::arch::arm::thumb_function! {
    "thumbnet_gather":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "mov r7, r11",
    "push {{r4-r7}}",
    "mov r12, r0",
    "movs r1, #0",
    "0:",
    "mov lr, r1",
    "ldr r5, [r0, #{TO}]",
    "adds r5, r5, r1",
    "ldr r1, [r0, #{ODD}]",
    "movs r2, #4",
    "movs r3, #12",
    "ldr r6, [r0, #{RUN}]",
    "mov r10, r6",
    "eors r1, r6",
    "lsls r1, r1, #31",
    "beq 1f",
    "movs r2, #12",
    "movs r3, #4",
    "1:",
    "mov r8, r2",
    "mov r9, r3",
    "ldr r7, [r0, #{ROWS}]",
    "ldr r2, [r0, #{STRIDE}]",
    "mov r11, r2",
    "add r0, lr",
    "ldr r1, [r0, #{FROM} + 4]",
    "ldr r0, [r0, #{FROM}]",
    "adds r0, r0, r6",
    "adds r1, r1, r6",
    "lsls r6, r6, #31",
    "2:",
    "mov r2, r10",
    "rsbs r2, r2, #0",
    "cmp r6, #0",
    "bne 4f",
    "3:",
    "ldrsb r3, [r0, r2]",
    "ldrsb r4, [r1, r2]",
    "adds r2, #1",
    "lsls r4, r4, #16",
    "adds r3, r3, r4",
    "str r3, [r5]",
    "add r5, r8",
    "4:",
    "ldrsb r3, [r0, r2]",
    "ldrsb r4, [r1, r2]",
    "lsls r4, r4, #16",
    "adds r3, r3, r4",
    "str r3, [r5]",
    "add r5, r9",
    "adds r2, #1",
    "bmi 3b",
    "add r0, r11",
    "add r1, r11",
    "cmp r6, #0",
    "beq 5f",
    "mov r2, r8",
    "mov r8, r9",
    "mov r9, r2",
    "5:",
    "subs r7, #1",
    "bne 2b",
    "mov r0, r12",
    "mov r1, lr",
    "movs r2, #8",
    "eors r1, r2",
    "bne 0b",
    "pop {{r4-r7}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "mov r11, r7",
    "pop {{r4-r7, pc}}";
    TO = const offset_of!(Copy, to),
    ODD = const offset_of!(Copy, odd),
    FROM = const offset_of!(Copy, from),
    RUN = const offset_of!(Copy, run),
    ROWS = const offset_of!(Copy, rows),
    STRIDE = const offset_of!(Copy, stride)
}

unsafe extern "C" {
    fn thumbnet_gather(copy: &Copy);
}

/// Inputs of a pixel, in rows.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// Inputs of a row, rows, and the inputs from one to the next.
    pub(super) run: usize,
    pub(super) rows: usize,
    pub(super) stride: usize,
}

/// Writes the inputs of four pixels, which start at these places, to positions `first..` of the column. Does nothing
/// where they do not lie in the inputs, or there is no room.
#[inline(always)]
pub(super) fn gather(column: &mut [i32], first: usize, inputs: &[i8], starts: [usize; 4], rows: Rows) {
    let Rows { run, rows, stride } = rows;
    let extent = rows.wrapping_sub(1).wrapping_mul(stride).wrapping_add(run);
    let Some(last) = inputs.len().checked_sub(extent) else { return };
    let room = (first + rows * run).div_ceil(2) * Thumb1::TILE <= column.len();
    if run == 0 || rows == 0 || !room || starts.iter().any(|&start| start > last) {
        return;
    }
    let to = column.as_mut_ptr().wrapping_add(first / 2 * Thumb1::TILE + first % 2);
    let from = starts.map(|start| inputs.as_ptr().wrapping_add(start));
    let copy = Copy { to, odd: first % 2, from, run, rows, stride };
    // SAFETY: the function reads `rows` rows of `run` inputs from each place, which lie in the slice, and writes as
    // many words for either two pixels to a column that has room for all its positions.
    unsafe { thumbnet_gather(&copy) }
}
