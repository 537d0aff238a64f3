//! Samples of 16 bits to int8 by integers, a channel at a time: [`InputMultiplier`](crate::input::InputMultiplier).
use core::mem::offset_of;

/// Values of one channel, and what they are multiplied by. The assembly loads all of it at once.
#[repr(C)]
struct Run {
    /// The first value, `shift` bytes before it; where its input goes.
    raw: *const i16,
    image: *mut i8,
    /// The multiplier's halves, the lower one not negative.
    high: i32,
    low: i32,
    /// Bytes from an input to the channel's next one.
    step: usize,
    shift: u32,
    offset: i32,
    /// Where `raw` ends.
    end: *const i16,
}

// thumbnet_scale_samples(run), of a multiple of eight values.
//
// r0: the value, `shift` bytes before it, so that the shift is the offset that `ldrsh` needs; r1: its input; r2, r3:
// the multiplier's halves; r4, r5: a value on its way; r6: the step; r7: the shift; r8: the offset; r9: twice the step,
// by which a value goes on, and two inputs; r10: the end. 13.75 instructions a value, and three more where it is
// clamped.
//
// Of 32 bits, the product of the upper half is whole, and that of the lower is what the definition cuts.
crate::arch::arm::thumb_function! {
    "thumbnet_scale_samples":
    "push {{r4-r7, lr}}",
    "mov r4, r8",
    "mov r5, r9",
    "mov r6, r10",
    "push {{r4-r6}}",
    "ldr r1, [r0, #{OFFSET}]",
    "ldr r2, [r0, #{END}]",
    "mov r8, r1",
    "mov r10, r2",
    "ldm r0!, {{r1-r6}}",
    "movs r7, r6",
    "movs r0, r1",
    "movs r1, r2",
    "movs r2, r3",
    "movs r3, r4",
    "movs r6, r5",
    "lsls r5, r5, #1",
    "mov r9, r5",
    "0:",
    ".irp k, 0, 1, 2, 3, 4, 5, 6, 7",
    "ldrsh r4, [r0, r7]",
    "add r0, r9",
    "movs r5, r4",
    "muls r5, r3, r5",
    "asrs r5, r5, #16",
    "muls r4, r2, r4",
    "adds r4, r4, r5",
    "add r4, r8",
    "asrs r4, r7",
    "sxtb r5, r4",
    "cmp r5, r4",
    "bne 2\\k\\()f",
    "3\\k\\():",
    ".if \\k & 1",
    "strb r4, [r1, r6]",
    "add r1, r9",
    ".else",
    "strb r4, [r1]",
    ".endif",
    ".endr",
    "cmp r0, r10",
    "bne 0b",
    "pop {{r4-r6}}",
    "mov r8, r4",
    "mov r9, r5",
    "mov r10, r6",
    "pop {{r4-r7, pc}}",
    // 127 for what is not negative, and its complement.
    ".irp k, 0, 1, 2, 3, 4, 5, 6, 7",
    "2\\k\\():",
    "asrs r4, r4, #31",
    "movs r5, #127",
    "eors r4, r5",
    "b 3\\k\\()b",
    ".endr";
    OFFSET = const offset_of!(Run, offset),
    END = const offset_of!(Run, end)
}

unsafe extern "C" {
    fn thumbnet_scale_samples(run: &Run);
}

// As the assembly has it.
const _: () = assert!(offset_of!(Run, raw) == 0 && offset_of!(Run, shift) == 20);

/// Writes `(floor(multiplier * raw / 2^16) + offset) / 2^shift`, rounded down and clamped, of the first value and each
/// `step`-th after it to the same places of `image`: of `8 * eights` values. Does nothing where there are not as many.
pub(crate) fn scale_samples(
    raw: &[i16],
    image: &mut [i8],
    [step, eights]: [usize; 2],
    [multiplier, offset]: [i32; 2],
    shift: u32,
) {
    let values = 8 * eights;
    let extent = values.wrapping_sub(1).wrapping_mul(step).wrapping_add(1);
    if values == 0 || step == 0 || extent > raw.len() || extent > image.len() {
        return;
    }
    let first = raw.as_ptr().wrapping_byte_sub(shift as usize);
    let run = Run {
        raw: first,
        image: image.as_mut_ptr(),
        high: multiplier >> 16,
        low: multiplier & 0xffff,
        step,
        shift,
        offset,
        end: first.wrapping_add(values * step),
    };
    // SAFETY: the function reads `values` values, each `step` after the one before, and writes as many inputs, of which
    // the last ones lie in the slices.
    unsafe { thumbnet_scale_samples(&run) }
}
