//! Max and average pooling, and the mean of each channel, on Cortex-M3 and up: a window after the other, its channels
//! four or eight at a time.
#![expect(unsafe_code, reason = "enters the assembly")]
use super::clamp;
pub(super) use super::windows::Window;
use super::windows::windows;
use crate::arch::scalar::pool_s8 as scalar;
use crate::geometry::Geometry;
use crate::int8::{MeanS8, average};
use core::mem::offset_of;

/// The maxima of r2 channels one by one, at label 5: r0 is the input, r1 the output, r4 to r7 the window.
macro_rules! maxima_one_by_one {
    () => {
        concat!(
            "mvn r8, #127\n",
            "mov r9, r0\n",
            "mov r10, r4\n",
            "6:\n",
            "mov r11, r5\n",
            "7:\n",
            "ldrsb r12, [r9, r11]\n",
            "cmp r12, r8\n",
            "it gt\n",
            "movgt r8, r12\n",
            "subs r11, r11, r6\n",
            "bpl 7b\n",
            "add r9, r9, r7\n",
            "subs r10, r10, #1\n",
            "bne 6b\n",
            "strb r8, [r1], #1\n",
            "adds r0, #1\n",
            "subs r2, #1\n",
            "bne 5b\n",
        )
    };
}
pub(super) use maxima_one_by_one;

// The assembly reads all of it at once.
const _: () = assert!(offset_of!(Window, rows) == 0 && offset_of!(Window, count) == 16 && size_of::<Window>() == 20);

/// Values whose sum 16 bits hold.
const MOST: usize = 255;

/// Channels that are added together.
const GROUP: usize = 4;

unsafe extern "C" {
    fn thumbnet_max_pool(input: *const i8, output: *mut i8, channels: usize, window: *const Window);
    fn thumbnet_average_pool(input: *const i8, output: *mut i8, channels: usize, window: *const Window);
    fn thumbnet_window_sums(input: *const i8, sums: *mut [i32; GROUP], window: *const Window);
}

/// The maximum of each window over one sample.
pub(in crate::arch) fn max_pool_s8(geometry: &Geometry, input: &[i8], output: &mut [i8]) {
    windows(geometry, input, output, |window, input, output| {
        // SAFETY: the function reads the window's values of as many channels as there are outputs, all of which lie in
        // the input, and writes the outputs.
        unsafe { thumbnet_max_pool(input.as_ptr(), output.as_mut_ptr(), output.len(), window) }
    });
}

/// The mean of each window.
pub(in crate::arch) fn average_pool_s8(geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
    let [rows, columns] = geometry.kernel();
    if geometry.input().channels < GROUP || columns > MOST {
        return scalar::average_pool_s8(geometry, activation, input, output);
    }
    if rows * columns > MOST {
        return windows(geometry, input, output, |window, input, output| {
            each_sum(
                output,
                |sums, first| {
                    for row in 0..window.rows {
                        add(sums, input.get(first + row * window.row..), &Window { rows: 1, ..*window });
                    }
                },
                |sum| average(sum, window.count as u32, activation),
            );
        });
    }
    windows(geometry, input, output, |window, input, output| {
        // SAFETY: as of a maximum; there are four channels.
        unsafe { thumbnet_average_pool(input.as_ptr(), output.as_mut_ptr(), output.len(), window) }
    });
    clamp(output, activation);
}

/// The mean of each channel.
pub(in crate::arch) fn mean_s8(mean: &MeanS8, input: &[i8], output: &mut [i8]) {
    let channels = output.len();
    if channels < GROUP {
        return scalar::mean_s8(mean, input, output);
    }
    each_sum(
        output,
        |sums, first| {
            for part in input.chunks(MOST.saturating_mul(channels).max(1)) {
                let span = part.len().saturating_sub(channels);
                add(sums, part.get(first..), &Window { rows: 1, span, step: channels, row: 0, count: 0 });
            }
        },
        |sum| mean.apply(sum),
    );
}

/// Makes each output of its channel's sum: `sums` adds up those of four channels from one on.
#[inline(always)]
fn each_sum(output: &mut [i8], sums: impl Fn(&mut [i32; GROUP], usize), result: impl Fn(i32) -> i8) {
    let channels = output.len();
    for first in (0..channels).step_by(GROUP) {
        // The last group may have channels of the one before.
        let first = first.min(channels - GROUP);
        let mut four = [0; GROUP];
        sums(&mut four, first);
        output.iter_mut().skip(first).zip(four).for_each(|(output, sum)| *output = result(sum));
    }
}

/// Adds a window of one row, of at most 255 values, that begins with the first of four channels of `input`.
fn add(sums: &mut [i32; GROUP], input: Option<&[i8]>, window: &Window) {
    let Some(input) = input.filter(|input| input.len() >= window.span + GROUP) else { return };
    // SAFETY: the function reads four values at each column of the window's row, which lie in the input, and adds to
    // the sums.
    unsafe { thumbnet_window_sums(input.as_ptr(), sums, window) }
}
