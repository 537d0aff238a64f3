//! Max and average pooling, and the mean of each channel, on Cortex-M0: a window after the other, four channels at a
//! time.
//!
//! Means are products with a [`reciprocal`].
use crate::arch::arm::clamp;
use crate::arch::arm::windows::{Window, windows};
use crate::geometry::Geometry;
use crate::int8::{MOST_BY_RECIPROCAL, MeanS8, average, reciprocal};
use core::mem::offset_of;

/// Channels at a time.
const GROUP: usize = 4;

/// Windows of four channels, or of one four times where there are fewer. The assembly loads five fields at once.
#[repr(C)]
struct Job {
    /// From a channel to the next.
    lane: usize,
    /// From a row's first column to its last, from a row to the next, and from a column to the next.
    span: usize,
    row: usize,
    step: usize,
    rows: usize,
    /// Channels that are done at once, all that there are, and what a mean is made with.
    group: usize,
    channels: usize,
    half: usize,
    reciprocal: u32,
}

// As the assembly has it.
const _: () = assert!(offset_of!(Job, lane) == 0 && offset_of!(Job, rows) == 16 && offset_of!(Job, reciprocal) == 32);

impl Job {
    #[inline(always)]
    const fn new(window: &Window, channels: usize) -> Self {
        let Window { rows, span, step, row, .. } = *window;
        let (lane, group) = if channels < GROUP { (0, 1) } else { (1, GROUP) };
        Self { lane, span, row, step, rows, group, channels, half: 0, reciprocal: 0 }
    }
}

/// The instructions that go through a window of four channels, whose results begin at `$start` and take each value by
/// `$lane`: r4 to r7 are the channels, r8 to r11 the results, r12 the span, lr from a row to the next, r0 the rows that
/// are left, r2 from a column to the next, r3 the way to the first column. The job is at the stack's top, and the input
/// above it.
macro_rules! window {
    ($($start:literal),+; $lane:ident) => {
        concat!(
            "ldr r0, [sp]\n",
            "ldm r0!, {{r1-r4}}\n",
            "ldr r0, [r0]\n",
            "mov r12, r2\n",
            "mov lr, r3\n",
            "movs r2, r4\n",
            "ldr r4, [sp, #4]\n",
            "adds r5, r4, r1\n",
            "adds r6, r5, r1\n",
            "adds r7, r6, r1\n",
            $($start, "\n",)+
            "mov r8, r1\n",
            "mov r9, r1\n",
            "mov r10, r1\n",
            "mov r11, r1\n",
            "2:\n",
            "mov r3, r12\n",
            "3:\n",
            $lane!("r4", "r8"),
            $lane!("r5", "r9"),
            $lane!("r6", "r10"),
            $lane!("r7", "r11"),
            "subs r3, r3, r2\n",
            "bpl 3b\n",
            "add r4, lr\n",
            "add r5, lr\n",
            "add r6, lr\n",
            "add r7, lr\n",
            "subs r0, #1\n",
            "bne 2b\n",
        )
    };
}
macro_rules! sum {
    ($channel:literal, $sum:literal) => {
        concat!("ldrsb r1, [", $channel, ", r3]\n", "add ", $sum, ", r1\n")
    };
}
macro_rules! maximum {
    ($channel:literal, $maximum:literal) => {
        concat!(
            "ldrsb r1, [",
            $channel,
            ", r3]\n",
            "cmp r1, ",
            $maximum,
            "\n",
            "ble 4f\n",
            "mov ",
            $maximum,
            ", r1\n4:\n"
        )
    };
}

/// What every function begins with, and what it ends with.
macro_rules! enter {
    () => {
        "push {{r4-r7, lr}}\nmov r4, r8\nmov r5, r9\nmov r6, r10\nmov r7, r11\npush {{r4-r7}}\n"
    };
}
macro_rules! leave {
    () => {
        "pop {{r4-r7}}\nmov r8, r4\nmov r9, r5\nmov r10, r6\nmov r11, r7\npop {{r4-r7, pc}}\n"
    };
}

/// A function of all channels. On the stack: the job, the input, the output, channels that are left. After a group, r2
/// is the job; the last group of four reaches back.
macro_rules! each_group {
    ($name:literal: $window:expr, $store:expr) => {
        crate::arch::arm::thumb_function! {
            $name:
            enter!(),
            "ldr r3, [r0, #{CHANNELS}]",
            "push {{r0-r3}}",
            "1:",
            $window,
            "ldr r2, [sp]",
            "ldr r4, [r2, #{LANE}]",
            "ldr r1, [sp, #8]",
            $store,
            "ldr r3, [r2, #{GROUP}]",
            "ldr r0, [sp, #12]",
            "subs r0, r0, r3",
            "ble 6f",
            "movs r4, r3",
            "cmp r0, r3",
            "bge 5f",
            "movs r4, r0",
            "movs r0, r3",
            "5:",
            "add r2, sp, #4",
            "ldm r2!, {{r1, r3}}",
            "adds r1, r1, r4",
            "adds r3, r3, r4",
            "subs r2, #8",
            "stm r2!, {{r1, r3}}",
            "str r0, [r2]",
            "b 1b",
            "6:",
            "add sp, #16",
            leave!();
            CHANNELS = const offset_of!(Job, channels),
            LANE = const offset_of!(Job, lane),
            GROUP = const offset_of!(Job, group)
        }
    };
}

// thumbnet_max_pool(job, input, output): a value takes 4 instructions.
each_group! {
    "thumbnet_max_pool":
    window!("movs r1, #127", "mvns r1, r1"; maximum),
    concat!(
        "mov r0, r8\nstrb r0, [r1]\nadds r1, r1, r4\n",
        "mov r0, r9\nstrb r0, [r1]\nadds r1, r1, r4\n",
        "mov r0, r10\nstrb r0, [r1]\nadds r1, r1, r4\n",
        "mov r0, r11\nstrb r0, [r1]\n",
    )
}

/// The mean of a sum: `$sum` is in a high register, r5 half of the count, r6 the reciprocal.
macro_rules! mean {
    ($sum:literal) => {
        concat!(
            "mov r0, ",
            $sum,
            "\nasrs r3, r0, #31\neors r0, r3\nsubs r0, r0, r3\nadds r0, r0, r5\nmuls r0, r6, r0\nlsrs r0, r0, #24\n",
            "eors r0, r3\nsubs r0, r0, r3\nstrb r0, [r1]\nadds r1, r1, r4\n",
        )
    };
}

// thumbnet_average_pool(job, input, output): a value takes 2.5 instructions, a mean 11.
each_group! {
    "thumbnet_average_pool":
    window!("movs r1, #0"; sum),
    concat!("ldr r5, [r2, #28]\nldr r6, [r2, #32]\n", mean!("r8"), mean!("r9"), mean!("r10"), mean!("r11"))
}

// As the assembly has it.
const _: () = assert!(offset_of!(Job, half) == 28);

// thumbnet_window_sums(job, input, sums).
crate::arch::arm::thumb_function! {
    "thumbnet_window_sums":
    enter!(),
    "push {{r0-r2}}",
    window!("movs r1, #0"; sum),
    "ldr r0, [sp, #8]",
    "mov r1, r8",
    "mov r2, r9",
    "mov r3, r10",
    "mov r4, r11",
    "stm r0!, {{r1-r4}}",
    "add sp, #12",
    leave!()
}

unsafe extern "C" {
    fn thumbnet_max_pool(job: &Job, input: *const i8, output: *mut i8);
    fn thumbnet_average_pool(job: &Job, input: *const i8, output: *mut i8);
    fn thumbnet_window_sums(job: &Job, input: *const i8, sums: &mut [i32; GROUP]);
}

/// The maximum of each window over one sample.
#[inline(never)]
pub(in crate::arch) fn max_pool_s8(geometry: &Geometry, input: &[i8], output: &mut [i8]) {
    windows(geometry, input, output, |window, input, output| {
        // SAFETY: the function reads the window's values of as many channels as there are outputs, all of which lie in
        // the input, and writes the outputs.
        unsafe { thumbnet_max_pool(&Job::new(window, output.len()), input.as_ptr(), output.as_mut_ptr()) }
    });
}

/// The mean of each window.
#[inline(never)]
pub(in crate::arch) fn average_pool_s8(geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
    let (mut count, mut by) = (0, 0);
    windows(geometry, input, output, |window, input, output| {
        let mut job = Job::new(window, output.len());
        if window.count > MOST_BY_RECIPROCAL {
            return each_sum(job, input, output, |sum| average(sum, window.count as u32, [i8::MIN, i8::MAX]));
        }
        if window.count != count {
            count = window.count;
            by = reciprocal(count as u32);
        }
        (job.half, job.reciprocal) = (count / 2, by);
        // SAFETY: as of a maximum.
        unsafe { thumbnet_average_pool(&job, input.as_ptr(), output.as_mut_ptr()) }
    });
    clamp(output, activation);
}

/// The mean of each channel.
#[inline(never)]
pub(in crate::arch) fn mean_s8(mean: &MeanS8, input: &[i8], output: &mut [i8]) {
    let step = output.len();
    if input.len() < step {
        return;
    }
    let window = Window { rows: 1, span: input.len() - step, step, row: 0, count: 0 };
    each_sum(Job::new(&window, step), input, output, |sum| mean.apply(sum));
}

/// Makes each output of its channel's sum over a window that lies in the input.
#[inline(always)]
fn each_sum(job: Job, input: &[i8], output: &mut [i8], result: impl Fn(i32) -> i8) {
    let mut first = 0;
    while first < output.len() {
        // The last group may have channels of the one before.
        first = first.min(output.len() - job.group);
        let mut sums = [0; GROUP];
        // SAFETY: the function reads the window's values of a group of channels, which lie in the input, and writes
        // the sums.
        unsafe { thumbnet_window_sums(&job, input.as_ptr().wrapping_add(first), &mut sums) }
        output.iter_mut().skip(first).zip(sums).take(job.group).for_each(|(output, sum)| *output = result(sum));
        first += job.group;
    }
}
