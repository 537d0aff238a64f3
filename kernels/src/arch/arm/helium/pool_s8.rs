//! Max and average pooling, and means of whole channels, on cores with Helium: lanes are channels.
use super::scale::{Scale, read_scale, scale};
use super::windows;
use crate::arch::cores::helium::TAPS;
use crate::arch::scalar;
use crate::arch::window::Axis;
use crate::geometry::Geometry;
use crate::int8::{MeanS8, average};
use core::mem::offset_of;
use core::ptr;

/// All that the assembly must know of a pooling beside taps and output.
#[repr(C)]
struct Job {
    /// How many taps, channels, and pixels with the same taps; bytes from one's taps to the next one's.
    taps: usize,
    channels: usize,
    pixels: usize,
    step: usize,
    /// Half the taps; what the sum is multiplied by, and its shift to the right (negative) after the upper half of the
    /// product was taken.
    half: i32,
    multiplier: i32,
    shift: i32,
    /// The least and the largest output.
    least: i32,
    largest: i32,
}

/// Where the fields are that the assembly reads with a neighbour or by themselves.
impl Job {
    const CHANNELS: usize = offset_of!(Self, channels);
    const PIXELS: usize = offset_of!(Self, pixels);
    const STEP: usize = offset_of!(Self, step);
    const HALF: usize = offset_of!(Self, half);
    const MULTIPLIER: usize = offset_of!(Self, multiplier);
    const LEAST: usize = offset_of!(Self, least);
}

const _: () = {
    assert!(offset_of!(Job, taps) == 0 && Job::STEP == Job::PIXELS + 4);
    assert!(offset_of!(Job, shift) == Job::MULTIPLIER + 4 && offset_of!(Job, largest) == Job::LEAST + 4);
};

// thumbnet_max_pool(job, taps, output): 16 channels at a time, six instructions a tap.
crate::arch::arm::thumb_function! {
    "thumbnet_max_pool":
    "push {{r4-r11, lr}}",
    "ldr r10, [r0, #{channels}]",
    "ldrd r9, r8, [r0, #{pixels}]",
    "ldr r0, [r0]",
    "mov r3, #0",
    "mvn r12, #127",
    // r3 is where the pixel is, r5 where its channels are, r11 how many there are to go.
    "1:",
    "mov r11, r10",
    "mov r5, r3",
    "2:",
    "vctp.8 r11",
    "mov r6, r1",
    "vdup.8 q0, r12",
    "dls lr, r0",
    "3:",
    "ldr r4, [r6], #4",
    "add r4, r4, r5",
    "vpst",
    "vldrbt.u8 q1, [r4]",
    "vmax.s8 q0, q0, q1",
    "le lr, 3b",
    "vpst",
    "vstrbt.8 q0, [r2]",
    "add r2, r2, #16",
    "add r5, r5, #16",
    "subs r11, r11, #16",
    "bgt 2b",
    // Back by what the last register had too much.
    "add r2, r2, r11",
    "add r3, r3, r8",
    "subs r9, r9, #1",
    "bne 1b",
    "pop {{r4-r11, pc}}";
    channels = const Job::CHANNELS,
    pixels = const Job::PIXELS
}

// thumbnet_average_pool(job, taps, output): eight channels at a time, whose sums have 16 bits.
crate::arch::arm::thumb_function! {
    "thumbnet_average_pool":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d11}}",
    "mov r12, r0",
    "ldr r10, [r0, #{channels}]",
    "ldrd r9, r8, [r0, #{pixels}]",
    "ldrd r4, r7, [r0, #{multiplier}]",
    "vdup.16 q3, r4",
    "ldrd r4, r5, [r0, #{least}]",
    "vdup.16 q4, r4",
    "vdup.16 q5, r5",
    "ldr r12, [r0, #{half}]",
    "ldr r0, [r0]",
    "mov r3, #0",
    // Registers are as in `thumbnet_max_pool`.
    "1:",
    "mov r11, r10",
    "mov r5, r3",
    "2:",
    "vctp.16 r11",
    "mov r6, r1",
    "vmov.i16 q0, #0",
    "dls lr, r0",
    "3:",
    "ldr r4, [r6], #4",
    "add r4, r4, r5",
    "vpst",
    "vldrbt.s16 q1, [r4]",
    "vadd.i16 q0, q0, q1",
    "le lr, 3b",
    // The magnitude, divided, and its sign again.
    "vabs.s16 q1, q0",
    "vadd.i16 q1, q1, r12",
    "vadd.i16 q1, q1, q1",
    "vmulh.u16 q1, q1, q3",
    "vshr.s16 q0, q0, #15",
    "vshl.u16 q1, r7",
    "veor q1, q1, q0",
    "vsub.i16 q1, q1, q0",
    "vmax.s16 q1, q1, q4",
    "vmin.s16 q1, q1, q5",
    "vpst",
    "vstrbt.16 q1, [r2]",
    "add r2, r2, #8",
    "add r5, r5, #8",
    "subs r11, r11, #8",
    "bgt 2b",
    "add r2, r2, r11",
    "add r3, r3, r8",
    "subs r9, r9, #1",
    "bne 1b",
    "vpop {{d8-d11}}",
    "pop {{r4-r11, pc}}";
    channels = const Job::CHANNELS,
    pixels = const Job::PIXELS,
    half = const Job::HALF,
    multiplier = const Job::MULTIPLIER,
    least = const Job::LEAST
}

// thumbnet_column_sums(input, positions, channels, sums): adds up to 255 positions of 16 channels to their sums, or of
// all, where there are fewer: of the first eight and of the last. 7 instructions for 16 values.
crate::arch::arm::thumb_function! {
    "thumbnet_column_sums":
    "push {{r4, lr}}",
    "vpush {{d8, d9}}",
    "sub sp, #32",
    "mov r12, #8",
    "cmp r2, #16",
    "it lo",
    "sublo r12, r2, #8",
    "add r4, r0, r12",
    "vmov.i32 q0, #0",
    "vmov.i32 q1, #0",
    "dls lr, r1",
    "1:",
    "vldrb.s16 q2, [r0]",
    "vldrb.s16 q3, [r4]",
    "add r0, r0, r2",
    "vadd.i16 q0, q0, q2",
    "add r4, r4, r2",
    "vadd.i16 q1, q1, q3",
    "le lr, 1b",
    "mov r0, sp",
    "vstrh.u16 q0, [r0]",
    "vstrh.u16 q1, [r0, #16]",
    "add r4, r3, r12, lsl #2",
    "vldrw.u32 q0, [r3]",
    "vldrw.u32 q1, [r3, #16]",
    "vldrw.u32 q2, [r4]",
    "vldrw.u32 q3, [r4, #16]",
    "vldrh.s32 q4, [r0]",
    "vadd.i32 q0, q0, q4",
    "vldrh.s32 q4, [r0, #8]",
    "vadd.i32 q1, q1, q4",
    "vldrh.s32 q4, [r0, #16]",
    "vadd.i32 q2, q2, q4",
    "vldrh.s32 q4, [r0, #24]",
    "vadd.i32 q3, q3, q4",
    "vstrw.32 q0, [r3]",
    "vstrw.32 q1, [r3, #16]",
    "vstrw.32 q2, [r4]",
    "vstrw.32 q3, [r4, #16]",
    "add sp, #32",
    "vpop {{d8, d9}}",
    "pop {{r4, pc}}"
}

// thumbnet_means(scale, sums, output, count).
crate::arch::arm::thumb_function! {
    "thumbnet_means":
    "push {{r4-r11, lr}}",
    "vpush {{d8-d13}}",
    read_scale!(),
    "dlstp.32 lr, r3",
    "1:",
    "vldrw.u32 q0, [r1], #16",
    "vadd.i32 q0, q0, r4",
    scale!(),
    "vstrb.32 q0, [r2], #4",
    "letp lr, 1b",
    "vpop {{d8-d13}}",
    "pop {{r4-r11, pc}}"
}

unsafe extern "C" {
    fn thumbnet_max_pool(job: &Job, taps: *const *const i8, output: *mut i8);
    fn thumbnet_average_pool(job: &Job, taps: *const *const i8, output: *mut i8);
    fn thumbnet_column_sums(input: *const i8, positions: usize, channels: usize, sums: &mut [i32; COLUMNS]);
    fn thumbnet_means(scale: &Scale, sums: &[i32; COLUMNS], output: *mut i8, count: usize);
}

/// Channels that are summed at a time, the least that there must be, and positions of which 16 bits hold the sum.
const COLUMNS: usize = 16;
const LEAST: usize = 8;
const MOST: usize = 255;

/// The maximum of each window.
pub(in crate::arch) fn max_pool_s8(g: &Geometry, input: &[i8], output: &mut [i8]) {
    if pool(g, [-128, 127], input, output, &mut [ptr::null(); TAPS], thumbnet_max_pool).is_none() {
        scalar::pool_s8::max_pool_s8(g, input, output);
    }
}

/// As [`max_pool_s8`], with a place for the addresses of a window's taps; `None` where it is too small.
pub(super) fn max_pool_in(g: &Geometry, input: &[i8], output: &mut [i8], addresses: &mut [*const i8]) -> Option<()> {
    pool(g, [-128, 127], input, output, addresses, thumbnet_max_pool)
}

/// The mean of each window.
pub(in crate::arch) fn average_pool_s8(g: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
    if pool(g, activation, input, output, &mut [ptr::null(); TAPS], thumbnet_average_pool).is_some() {
        return;
    }
    let [rows, columns] = [Axis::rows(g), Axis::columns(g)].map(|axis| axis.taps(0).len() == axis.input);
    let is_whole = output.len() == g.output().channels && rows && columns;
    let count = (g.input().height * g.input().width) as u32;
    let each = |sums: &[i32; COLUMNS], output: &mut [i8]| {
        output.iter_mut().zip(sums).for_each(|(output, &sum)| *output = average(sum, count, activation));
    };
    if !is_whole || column_sums(input, output, each).is_none() {
        scalar::pool_s8::average_pool_s8(g, activation, input, output);
    }
}

/// Runs `kernel` for all windows, or does nothing and returns `None` where these are too large.
#[inline(never)]
fn pool(
    g: &Geometry,
    activation: [i8; 2],
    input: &[i8],
    output: &mut [i8],
    addresses: &mut [*const i8],
    kernel: unsafe extern "C" fn(&Job, *const *const i8, *mut i8),
) -> Option<()> {
    let channels = g.input().channels.max(1);
    if g.kernel()[0] * g.kernel()[1] > TAPS || g.output().channels != channels {
        return None;
    }
    let [least, largest] = activation.map(i32::from);
    windows::runs(g, [0, channels], None, input, output, addresses, |taps, output| {
        if taps.is_empty() {
            return None;
        }
        let [multiplier, shift] = reciprocal(taps.len());
        let job = Job {
            taps: taps.len(),
            channels,
            pixels: output.len() / channels,
            step: windows::step(g),
            half: taps.len() as i32 / 2,
            multiplier,
            shift,
            least,
            largest,
        };
        // SAFETY: all channels are there from each address on, and from the same of the pixels that follow; and so are
        // their outputs.
        unsafe { kernel(&job, taps.as_ptr(), output.as_mut_ptr()) }
        Some(())
    })
}

/// What twice a number below 2^14 is multiplied by, and then the upper half of 32 bits shifted by (to the left), to be
/// the number divided by `count`, rounded down; `count` is in `1..=64`.
///
/// With `2^(k - 1) < count <= 2^k`, the multiplier is `2^(15 + k) / count`, rounded up: too large by less than one, the
/// quotient by less than `2^14 / 2^(15 + k) < 1 / count`. It has 16 bits.
const fn reciprocal(count: usize) -> [i32; 2] {
    let k = usize::BITS - (count - 1).leading_zeros();
    [(1usize << (15 + k)).div_ceil(count) as i32, -(k as i32)]
}

/// The mean of each channel.
pub(in crate::arch) fn mean_s8(mean: &MeanS8, input: &[i8], output: &mut [i8]) {
    let scale = Scale::of_sum(mean.offset, mean.factor, mean.zero_point);
    let done = column_sums(input, output, |sums, output| {
        // SAFETY: there are at least as many sums as outputs, of which there is one.
        unsafe { thumbnet_means(&scale, sums, output.as_mut_ptr(), output.len().min(COLUMNS)) }
    });
    if done.is_none() {
        scalar::pool_s8::mean_s8(mean, input, output);
    }
}

/// Gives sums of channels, and as many outputs; or does nothing and returns `None` where there are too few channels.
#[inline(always)]
fn column_sums(input: &[i8], output: &mut [i8], mut give: impl FnMut(&[i32; COLUMNS], &mut [i8])) -> Option<()> {
    let channels = output.len();
    if channels < LEAST || !input.len().is_multiple_of(channels) || input.is_empty() {
        return None;
    }
    for first in (0..channels).step_by(COLUMNS) {
        // The last ones reach back.
        let first = first.min(channels.saturating_sub(COLUMNS));
        let mut sums = [0; COLUMNS];
        for part in input.chunks(MOST.saturating_mul(channels)) {
            // SAFETY: 16 channels of each position are read, or all.
            unsafe { thumbnet_column_sums(part.get(first..)?.as_ptr(), part.len() / channels, channels, &mut sums) }
        }
        give(&sums, output.get_mut(first..)?.get_mut(..COLUMNS.min(channels))?);
    }
    Some(())
}
