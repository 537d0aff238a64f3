//! Measures how much stack a call uses, by painting the free stack before it and looking for the paint after it.
#![expect(unsafe_code, reason = "the free part of the stack belongs to no Rust value")]

use core::{arch::asm, hint, ptr};

const PAINT: u32 = 0xC0DE_57AC;

/// The most bytes that are painted: more than any call here uses, and quick to paint on boards with megabytes.
const WINDOW: usize = 64 * 1024;

unsafe extern "C" {
    // Where cortex-m-rt ends the static variables: the stack may grow down to here.
    static __sheap: u8;
}

/// Runs `call` and returns its result with the bytes of stack that it used, to four bytes.
///
/// Exact as long as interrupts are off and the last word that the call pushes differs from the paint.
#[inline(never)]
pub fn used_by<R>(call: impl FnOnce() -> R) -> (R, usize) {
    let top = pointer();
    let bottom = (&raw const __sheap).addr().next_multiple_of(4).max(top.saturating_sub(WINDOW));
    paint(bottom, top);
    let result = apart(call);
    let untouched = (bottom..top).step_by(4).take_while(|&address| {
        // SAFETY: `bottom..top` is RAM between the statics and the stack's end, and four-byte aligned.
        unsafe { ptr::with_exposed_provenance::<u32>(address).read_volatile() == PAINT }
    });
    (result, top - bottom - 4 * untouched.count())
}

/// Keeps the frame of `call` below that of [`used_by`].
#[inline(never)]
fn apart<R>(call: impl FnOnce() -> R) -> R {
    hint::black_box(call())
}

#[inline(always)]
fn pointer() -> usize {
    let pointer;
    // SAFETY: it only reads the stack pointer.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// Fills `bottom..top`, where `top` is at most the stack pointer. A loop in assembly: it must not use the stack that it
/// paints.
#[inline(always)]
fn paint(bottom: usize, top: usize) {
    // SAFETY: nothing lives between the statics and the stack pointer, and no interrupt pushes there.
    unsafe {
        asm!(
            "2:",
            "cmp {at}, {top}",
            "bhs 3f",
            "str {paint}, [{at}]",
            "adds {at}, {at}, #4",
            "b 2b",
            "3:",
            at = inout(reg) bottom => _,
            top = in(reg) top,
            paint = in(reg) PAINT,
            options(nostack),
        );
    }
}
