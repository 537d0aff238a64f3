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

// thumbnet_weave(to, from, rows, weave): copies rows, one beside the other. r4 is the bytes of a row and r5 those from
// one to the next, r6 the bytes from one to the next where they are copied to, r7 the bytes that are copied at once and
// r8 those from where they go to where the next ones do; q1 is the place of each of them.
crate::arch::arm::thumb_function! {
    "thumbnet_weave":
    "push {{r4-r11, lr}}",
    "ldm r3, {{r4-r9}}",
    "vldrb.u8 q1, [r9]",
    "udiv r3, r4, r7",
    "mls r4, r3, r7, r4",
    "1:",
    "mov r9, r0",
    "mov r10, r1",
    "vctp.8 r7",
    "wls lr, r3, 3f",
    "2:",
    "vpstt",
    "vldrbt.u8 q0, [r10]",
    "vstrbt.8 q0, [r9, q1]",
    "add r10, r10, r7",
    "add r9, r9, r8",
    "le lr, 2b",
    "3:",
    "vctp.8 r4",
    "vpstt",
    "vldrbt.u8 q0, [r10]",
    "vstrbt.8 q0, [r9, q1]",
    "add r0, r0, r6",
    "add r1, r1, r5",
    "subs r2, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}"
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
    fn thumbnet_weave(to: *mut i8, from: *const i8, rows: usize, weave: &Weave);
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

/// How rows of pixels are copied one beside the other.
#[repr(C)]
pub(super) struct Weave {
    /// Bytes of a row, and from one to the next.
    bytes: usize,
    stride: usize,
    /// Bytes of a pixel, by which the next row's are behind.
    channels: usize,
    /// Bytes that are copied at once, which are whole pixels, and from where they go to where the next ones do.
    at_once: usize,
    step: usize,
    /// From there to where each of them goes.
    offsets: *const u8,
    /// Bytes from where a pixel goes to where the next one in its row does.
    column: usize,
}

// `ldm` reads them.
const _: () = {
    assert!(offset_of!(Weave, bytes) == 0 && offset_of!(Weave, stride) == 4 && offset_of!(Weave, channels) == 8);
    assert!(offset_of!(Weave, at_once) == 12 && offset_of!(Weave, step) == 16 && offset_of!(Weave, offsets) == 20);
};

impl Weave {
    /// Of rows of `bytes` bytes with up to 16 channels, `stride` bytes apart, to columns of `column` bytes. `offsets`
    /// are those of [`Self::write_offsets`].
    pub(super) fn new(bytes: usize, stride: usize, channels: usize, column: usize, offsets: &[u8; 16]) -> Self {
        let pixels = 16 / channels.max(1);
        Self {
            bytes,
            stride,
            channels,
            at_once: pixels * channels,
            step: pixels * column,
            offsets: offsets.as_ptr(),
            column,
        }
    }

    /// Writes how far from the first byte each of those that are copied at once goes: below 256, or wrong.
    pub(super) fn write_offsets(offsets: &mut [u8; 16], channels: usize, column: usize) {
        write_offsets(offsets, [1, 0], [16 / channels.max(1), column], channels);
    }

    /// Copies `rows` rows from the start of `from` to that of `to`. Copies nothing where they do not lie in the slices.
    #[inline(never)]
    pub(super) fn copy(&self, rows: usize, from: &[i8], to: &mut [i8]) {
        let (above, before) = (rows.wrapping_sub(1), (self.bytes / self.channels.max(1)).wrapping_sub(1));
        let is_some = rows > 0 && self.bytes > 0 && self.bytes.is_multiple_of(self.channels);
        if is_some
            && above * self.stride + self.bytes <= from.len()
            && before * self.column + (above + 1) * self.channels <= to.len()
        {
            // SAFETY: the rows lie in the slices, and so do all places that their bytes go to.
            unsafe { thumbnet_weave(to.as_mut_ptr(), from.as_ptr(), rows, self) }
        }
    }
}

/// Writes how far from the first each byte of some pixels in some rows is: below 256, or wrong. With each number come
/// the bytes from one row or pixel to the next.
#[inline(never)]
pub(super) fn write_offsets(
    offsets: &mut [u8],
    [rows, down]: [usize; 2],
    [pixels, right]: [usize; 2],
    channels: usize,
) {
    let mut offsets = offsets.iter_mut();
    for row in 0..rows {
        for pixel in 0..pixels {
            for channel in 0..channels {
                let Some(offset) = offsets.next() else { return };
                *offset = (row * down + pixel * right + channel) as u8;
            }
        }
    }
}

/// Makes every byte `value`.
pub(super) fn fill(bytes: &mut [i8], value: i8) {
    // SAFETY: it has that many bytes.
    unsafe { thumbnet_fill(bytes.as_mut_ptr(), value.into(), bytes.len()) }
}
