//! Copies and fills on cores with Helium.
use core::mem::offset_of;

// thumbnet_window(to, from, rows, bytes, to_stride, from_stride): rows of so many bytes.
crate::arch::arm::thumb_function! {
    "thumbnet_window":
    "push {{r4-r7, lr}}",
    "ldrd r4, r5, [sp, #20]",
    "1:",
    "mov r6, r0",
    "mov r7, r1",
    "wlstp.8 lr, r3, 3f",
    "2:",
    "vldrb.u8 q0, [r7], #16",
    "vstrb.8 q0, [r6], #16",
    "letp lr, 2b",
    "3:",
    "add r0, r0, r4",
    "add r1, r1, r5",
    "subs r2, #1",
    "bne 1b",
    "pop {{r4-r7, pc}}"
}

// thumbnet_columns(windows, rows, columns, pixels): copies windows one behind the other, and writes where they are
// then.
crate::arch::arm::thumb_function! {
    "thumbnet_columns":
    "push {{r4-r10, lr}}",
    "ldm r1, {{r4, r5, r6}}",
    "1:",
    "ldr r7, [r0]",
    "str r2, [r0], #4",
    "mov r8, r4",
    "2:",
    "mov r9, r7",
    "mov r10, r2",
    "wlstp.8 lr, r5, 4f",
    "3:",
    "vldrb.u8 q0, [r9], #16",
    "vstrb.8 q0, [r10], #16",
    "letp lr, 3b",
    "4:",
    "add r7, r7, r6",
    "add r2, r2, r5",
    "subs r8, #1",
    "bne 2b",
    "subs r3, #1",
    "bne 1b",
    "pop {{r4-r10, pc}}"
}

// thumbnet_fill(bytes, value, count)
crate::arch::arm::thumb_function! {
    "thumbnet_fill":
    "push {{r4, lr}}",
    "vdup.8 q0, r1",
    "wlstp.8 lr, r2, 2f",
    "1:",
    "vstrb.8 q0, [r0], #16",
    "letp lr, 1b",
    "2:",
    "pop {{r4, pc}}"
}

unsafe extern "C" {
    fn thumbnet_columns(windows: *mut *const i8, rows: &Rows, columns: *mut i8, pixels: usize);
    fn thumbnet_window(to: *mut i8, from: *const i8, rows: usize, bytes: usize, to_stride: usize, from_stride: usize);
    fn thumbnet_fill(bytes: *mut i8, value: i32, count: usize);
}

/// The rows of a window in a wider tensor: how many, bytes in each, bytes from one to the next.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Rows {
    pub(super) count: usize,
    pub(super) bytes: usize,
    pub(super) stride: usize,
}

// `ldm` reads them.
const _: () = assert!(offset_of!(Rows, count) == 0 && offset_of!(Rows, bytes) == 4 && offset_of!(Rows, stride) == 8);

impl Rows {
    /// Bytes from the first to the last.
    pub(super) const fn extent(&self) -> usize {
        (self.count - 1) * self.stride + self.bytes
    }

    /// Writes how far from the first each of the first bytes is: below 256, or wrong.
    pub(super) fn write_offsets(&self, offsets: &mut [u8]) {
        let bytes = (0..self.count).flat_map(|row| (0..self.bytes).map(move |at| row * self.stride + at));
        offsets.iter_mut().zip(bytes).for_each(|(offset, at)| *offset = at as u8);
    }

    /// Copies the rows from the start of `from` to that of `to`, where they are `stride` bytes apart. Copies nothing
    /// where they do not lie in the slices.
    #[inline(never)]
    pub(super) fn copy(&self, from: &[i8], to: &mut [i8], stride: usize) {
        if self.count > 0 && (Self { stride, ..*self }).extent() <= to.len() && self.extent() <= from.len() {
            // SAFETY: the rows lie in the slices.
            unsafe { thumbnet_window(to.as_mut_ptr(), from.as_ptr(), self.count, self.bytes, stride, self.stride) }
        }
    }

    /// Copies windows one behind the other into `columns`, and makes them what they are there.
    ///
    /// # Safety
    ///
    /// The rows are there from each window on.
    #[inline(always)]
    pub(super) unsafe fn gather(&self, windows: &mut [*const i8], columns: &mut [i8]) {
        if self.count * self.bytes * windows.len() <= columns.len() && !windows.is_empty() {
            // SAFETY: the rows are there, and so is room for them.
            unsafe { thumbnet_columns(windows.as_mut_ptr(), self, columns.as_mut_ptr(), windows.len()) }
        }
    }
}

/// Makes every byte `value`.
pub(super) fn fill(bytes: &mut [i8], value: i8) {
    // SAFETY: it has that many bytes.
    unsafe { thumbnet_fill(bytes.as_mut_ptr(), value.into(), bytes.len()) }
}
