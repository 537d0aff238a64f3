//! Groups of pixels of a convolution, one after the other: their sums, and outputs of these.

use super::copy::Rows;
use super::run::Run;
use core::mem::offset_of;

/// Where the windows of pixels begin.
pub(super) type Windows = [*const i8; 4];

/// What makes sums of the windows of one call: see `conv_sums`.
pub(super) type Kernel = unsafe extern "C" fn(&Run<'_>, *const *const i8, *const u8, *mut i32);

/// What makes outputs of sums: see `requantize`.
pub(super) type Finish = unsafe extern "C" fn(&Groups<'_>);

/// Groups whose windows can be read: all that the assembly must know.
#[repr(C)]
pub(super) struct Groups<'a> {
    /// The filters at work.
    pub(super) run: Run<'a>,
    /// Where the first group's windows begin, and bytes from each to the next group's.
    pub(super) windows: Windows,
    pub(super) step: usize,
    /// How far from a window's start each of its positions is, where a strip's windows are read in place; or null.
    pub(super) offsets: *const u8,
    /// Where sums lie.
    pub(super) sums: *mut i32,
    /// Where the windows of a call are copied to, or null where they are read where they lie.
    pub(super) columns: *mut i8,
    /// A window in the input, or in the strip if there is one.
    pub(super) rows: Rows,
    /// What makes sums of windows of that length, and outputs of sums.
    pub(super) kernel: Kernel,
    pub(super) finish: Finish,
    /// Calls of the kernel for a group, and pixels of a call: two or four.
    pub(super) calls: usize,
    pub(super) pixels: usize,
    /// The first group's outputs, and bytes to the next group's.
    pub(super) output: *mut i8,
    pub(super) each: usize,
    /// Bytes from the first pixel's outputs to those of the others.
    pub(super) behind: [usize; 3],
}

/// Where the fields are that the assembly reads, and of those which it reads with a neighbour.
impl Groups<'_> {
    const WINDOWS: usize = offset_of!(Self, windows);
    const OFFSETS: usize = offset_of!(Self, offsets);
    const COLUMNS: usize = offset_of!(Self, columns);
    const ROWS: usize = offset_of!(Self, rows);
    const KERNEL: usize = offset_of!(Self, kernel);
    pub(super) const SUMS: usize = offset_of!(Self, sums);
    pub(super) const CALLS: usize = offset_of!(Self, calls);
    pub(super) const OUTPUT: usize = offset_of!(Self, output);
    pub(super) const BEHIND: usize = offset_of!(Self, behind);
}

const _: () = {
    assert!(offset_of!(Groups<'_>, run) == 0 && offset_of!(Groups<'_>, step) == Groups::WINDOWS + 16);
    assert!(offset_of!(Groups<'_>, finish) == Groups::KERNEL + 4 && Groups::COLUMNS == Groups::SUMS + 4);
    assert!(offset_of!(Groups<'_>, pixels) == Groups::CALLS + 4 && offset_of!(Groups<'_>, each) == Groups::OUTPUT + 4);
};

unsafe extern "C" {
    /// Computes `count` groups. Their windows and outputs go on from group to group.
    ///
    /// # Safety
    ///
    /// Each group's windows, and room for its outputs, are there; so are room for the sums of a group, for copies of
    /// the windows of a call where these are copied, and the run's filters of as many positions as a window has.
    pub(super) fn thumbnet_conv_groups(groups: &mut Groups<'_>, count: usize);
}

// thumbnet_conv_groups(groups, count). r4 is the groups, r5 how many are left, r6 the calls that are left of one, r7
// the call's windows, r8 its sums, r9 the stack's end, beyond which the windows are that are copied.
crate::arch::arm::thumb_function! {
    "thumbnet_conv_groups":
    "push {{r4-r9, lr}}",
    "sub sp, #4",
    "mov r9, sp",
    "mov r4, r0",
    "mov r5, r1",
    "1:",
    "ldr r6, [r4, #{calls}]",
    "add r7, r4, #{windows}",
    "ldr r8, [r4, #{sums}]",
    "2:",
    "ldr r2, [r4, #{columns}]",
    "mov r1, r7",
    "cbnz r2, 5f",
    "3:",
    "mov r0, r4",
    "ldr r2, [r4, #{offsets}]",
    "mov r3, r8",
    "ldr r12, [r4, #{kernel}]",
    "blx r12",
    "mov sp, r9",
    "subs r6, #1",
    "bne 4f",
    "mov r0, r4",
    "ldr r12, [r4, #{kernel} + 4]",
    "blx r12",
    "add r7, r4, #{windows}",
    "ldm r7, {{r0-r3, r12}}",
    "add r0, r12",
    "add r1, r12",
    "add r2, r12",
    "add r3, r12",
    "stm r7, {{r0-r3}}",
    "ldrd r0, r1, [r4, #{output}]",
    "add r0, r1",
    "str r0, [r4, #{output}]",
    "subs r5, #1",
    "bne 1b",
    "add sp, #4",
    "pop {{r4-r9, pc}}",
    // The sums of a second call lie behind those of the first, which are two for each filter.
    "4:",
    "ldr r0, [r4, #{count}]",
    "adds r7, #8",
    "add r8, r8, r0, lsl #3",
    "b 2b",
    // Of the words behind the windows of a second call, none is looked at.
    "5:",
    "ldm r7, {{r0, r1, r3, r12}}",
    "push {{r0, r1, r3, r12}}",
    "mov r0, sp",
    "add r1, r4, #{rows}",
    "ldr r3, [r4, #{calls} + 4]",
    "bl thumbnet_columns",
    "mov r1, sp",
    "b 3b";
    calls = const Groups::CALLS,
    windows = const Groups::WINDOWS,
    sums = const Groups::SUMS,
    columns = const Groups::COLUMNS,
    offsets = const Groups::OFFSETS,
    kernel = const Groups::KERNEL,
    output = const Groups::OUTPUT,
    count = const Run::COUNT,
    rows = const Groups::ROWS
}
