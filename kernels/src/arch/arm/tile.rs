//! The inner loop of convolutions on Cortex-M3 and up: two filters by four pixels, for pair after pair of filters.
//!
//! Weights lie in pairs ([`crate::quant::Packing::Pairs`]), so each step reads one word `w` of two filters `a` and `b`, and adds
//!
//! ```text
//! S[p] += (a + 256 b) . x[p]          w as it is
//! A[p] += a . x[p]                    the low bytes of w, sign-extended
//! ```
//!
//! for four pixels `p`. `S` starts as `A` does, so that at the end `(S - A) / 256` is what `b`'s sums have grown by. The eight
//! sums, two words of weights, two of pixels and two pointers are all fourteen registers, which is why the end of the column
//! waits on the stack.

#![expect(unsafe_code, reason = "enters the assembly")]
use super::Core;
use super::conv_s8::{Column, column_words};
use crate::quant::ConvS8;
use core::marker::PhantomData;

/// Sums of two filters over four pixels: those of `b`, the odd filter, then those of `a`, or the other way round: see
/// [`Column::ODD_FIRST`].
pub(super) type Tile = [i32; 8];

/// An input as it is in a strip.
pub(super) type Wide = <Core as Column>::Wide;

/// Where four pixels' windows lie in a strip of widened rows.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    /// Where each starts.
    pub(super) starts: [usize; 4],
    /// Inputs of a window's row, its rows, and the inputs from one row to the next.
    pub(super) run: usize,
    pub(super) rows: usize,
    pub(super) stride: usize,
}

impl Windows {
    /// Copies the windows of a column's pixels, from pixel `pixel` on, into the column.
    ///
    /// # Panics
    ///
    /// If they do not lie in the strip, or the column is too short.
    pub(super) fn gather(&self, pixel: usize, strip: &[Wide], column: &mut [i32]) {
        self.check(strip, column);
        // SAFETY: the windows lie in the strip, and the column has room for them.
        unsafe { self.gather_unchecked(pixel, strip, column) }
    }

    #[inline(never)]
    fn check(&self, strip: &[Wide], column: &[i32]) {
        assert!(self.run > 0 && self.rows > 0 && self.stride >= self.run);
        let extent = (self.rows - 1) * self.stride + self.run;
        assert!(self.starts.iter().all(|&start| start < strip.len() && start + extent <= strip.len()));
        assert!((self.rows * self.run).div_ceil(2) * Core::WORDS_FOR_TWO <= column.len());
    }

    /// # Safety
    ///
    /// As `check` demands.
    unsafe fn gather_unchecked(&self, pixel: usize, strip: &[Wide], column: &mut [i32]) {
        let starts = self.starts[pixel..].as_ptr();
        let stride = self.stride * size_of::<Wide>();
        // SAFETY: the function reads the windows, and writes the words that they fill.
        unsafe { thumbnet_gather(column.as_mut_ptr(), starts, strip.as_ptr(), self.run, self.rows, stride) }
    }
}

/// Pairs of filters over one stretch of positions: all that the assembly must know besides the column. It knows the fields by
/// their offsets.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Run<'a> {
    /// Of the first pair: biases, multipliers, shifts; weights from the stretch's first position on.
    bias: *const i32,
    multiplier: *const i32,
    shift: *const i8,
    weights: *const i8,
    /// The least and the largest output, before the zero point is added; and the zero point. As the core wants them.
    least: i32,
    largest: i32,
    zero_point: i32,
    /// Whole steps of the stretch, how many pairs, and whether half a step follows.
    steps: usize,
    pairs: usize,
    odd: usize,
    /// Bytes of weights between the end of one pair's stretch and the start of the next one's.
    skip: usize,
    /// Bytes of the column that each pixel has, where pixels lie one after the other.
    stride: usize,
    layer: PhantomData<&'a [i8]>,
}

unsafe extern "C" {
    fn thumbnet_conv_sums(run: &Run<'_>, column: *const i32, sums: *mut i32, fresh: bool);
    #[cfg(not(thumbnet_helium))]
    fn thumbnet_conv_outputs(run: &Run<'_>, column: *const i32, output: *mut i8);
    #[cfg(thumbnet_helium)]
    fn thumbnet_conv_short(
        run: &Run<'_>,
        starts: &[usize; 4],
        strip: *const Wide,
        offsets: &[u8; 32],
        tiles: *mut Tile,
    );
    #[cfg(thumbnet_helium)]
    fn thumbnet_conv_requantize(run: &Run<'_>, tiles: *const Tile, output: *mut i8);
    fn thumbnet_gather(
        column: *mut i32,
        starts: *const usize,
        strip: *const Wide,
        run: usize,
        rows: usize,
        stride: usize,
    );
}

impl<'a> Run<'a> {
    /// `count` pairs from pair `first` on, `positions` positions from `start` on.
    ///
    /// # Panics
    ///
    /// If the layer, whose weights are packed as [`Column::PACKING`] says, has no such.
    pub(super) fn new(layer: &ConvS8<'a>, first: usize, count: usize, start: usize, positions: usize) -> Self {
        let len = layer.geometry.patch();
        let filters = 2 * first..2 * (first + count);
        let requantize = &layer.requantize;
        let [least, largest] = requantize.activation.map(i32::from);
        let zero_point = i32::from(requantize.zero_point);
        let steps = positions / Core::STEP;
        let bytes = Core::PACKING.group();
        assert!(layer.packing == Core::PACKING && start + positions <= len);
        Self {
            bias: layer.bias[filters.clone()].as_ptr(),
            multiplier: requantize.multiplier[filters.clone()].as_ptr(),
            shift: requantize.shift[filters.clone()].as_ptr(),
            weights: layer.weights[filters.start * len..filters.end * len][bytes * start..].as_ptr(),
            least: Core::bound(least - zero_point),
            largest: Core::bound(largest - zero_point),
            zero_point: Core::bound(zero_point),
            steps,
            pairs: count,
            odd: positions - steps * Core::STEP,
            skip: (len - positions) * bytes,
            stride: column_words(len.min(Core::POSITIONS)) * 4 / Core::PIXELS,
            layer: PhantomData,
        }
    }

    /// Adds the products with the column, which starts at pixel `pixel` of the four, to `tiles`, one a pair; or, if `fresh`, to
    /// the biases, on cores that work in tiles.
    pub(super) fn add(&self, column: &[i32], pixel: usize, tiles: &mut [Tile], fresh: bool) {
        self.check(column, tiles.len());
        let sums = tiles.as_flattened_mut()[pixel..].as_mut_ptr();
        // SAFETY: the column, the tiles, and all that the run points to are as long as its numbers of pairs and steps say.
        unsafe { thumbnet_conv_sums(self, column.as_ptr(), sums, fresh) }
    }

    /// The outputs of the pairs' filters, two a pair: the maximum over the four pixels of the sums of bias and products,
    /// requantised.
    #[cfg(not(thumbnet_helium))]
    pub(super) fn finish(&self, column: &[i32], output: &mut [i8]) {
        self.check(column, output.len() / 2);
        // SAFETY: the column, the output, and all that the run points to are as long as its numbers of pairs and steps say.
        unsafe { thumbnet_conv_outputs(self, column.as_ptr(), output.as_mut_ptr()) }
    }

    /// As `finish`, from tiles.
    #[cfg(thumbnet_helium)]
    pub(super) fn largest(&self, tiles: &[Tile], output: &mut [i8]) {
        assert!(self.pairs <= tiles.len() && 2 * self.pairs <= output.len());
        // SAFETY: the tiles, the output, and all that the run points to are as long as its number of pairs says.
        unsafe { thumbnet_conv_requantize(self, tiles.as_ptr(), output.as_mut_ptr()) }
    }

    /// `finish` for a row of pooling windows, each `step` inputs right of the one before, from strip to outputs.
    #[inline(never)]
    pub(super) fn finish_row(
        &self,
        first: &Windows,
        step: usize,
        strip: &[Wide],
        column: &mut [i32],
        output: &mut [i8],
        tiles: &mut [Tile],
    ) {
        // If the first and the last window lie in the strip, so do those between them.
        self.check(column, output.len() / 2);
        let steps = output.len() / (2 * self.pairs) - 1;
        first.check(strip, column);
        Windows { starts: first.starts.map(|start| start + steps * step), ..*first }.check(strip, column);
        #[cfg(thumbnet_helium)]
        let short = Core::offsets(first);
        #[cfg(thumbnet_helium)]
        assert!(self.pairs <= tiles.len());
        for (window, output) in output.chunks_exact_mut(2 * self.pairs).enumerate() {
            let strip = &strip[window * step..];
            #[cfg(not(thumbnet_helium))]
            {
                _ = &tiles;
                // SAFETY: the windows lie in the strip, as was checked, and the column has room for them.
                unsafe { first.gather_unchecked(0, strip, column) }
                // SAFETY: as in `finish`; the output has two values a pair.
                unsafe { thumbnet_conv_outputs(self, column.as_ptr(), output.as_mut_ptr()) }
            }
            #[cfg(thumbnet_helium)]
            {
                if let Some(offsets) = &short {
                    // SAFETY: the windows lie in the strip, as was checked, the offsets in the windows; and so on as in `add`.
                    unsafe { thumbnet_conv_short(self, &first.starts, strip.as_ptr(), offsets, tiles.as_mut_ptr()) }
                } else {
                    for pixel in [0, 2] {
                        // SAFETY: the windows lie in the strip, as was checked, and the column has room for them.
                        unsafe { first.gather_unchecked(pixel, strip, column) }
                        self.add(column, pixel, tiles, true);
                    }
                }
                // SAFETY: as in `largest`; the output has two values a pair.
                unsafe { thumbnet_conv_requantize(self, tiles.as_ptr(), output.as_mut_ptr()) }
            }
        }
    }

    fn check(&self, column: &[i32], pairs: usize) {
        let words = column_words(self.steps * Core::STEP + self.odd);
        assert!(0 < self.pairs && self.pairs <= pairs && words <= column.len());
    }
}

/// Defines `thumbnet_conv_sums` and `thumbnet_conv_outputs`, which differ in where sums start and what becomes of them.
///
/// `$load` reads the weights of a step (`$bytes` of them) and `$low` takes the low bytes; `$multiply` adds products. One step
/// of the column is four words, one of each pixel. `$odd` is what half a step does, with the run in r12. `$clamp` clamps r8
/// and r4 (to r6 and r7, then adds r9), and writes them to r5 on.
#[cfg(not(thumbnet_helium))]
macro_rules! conv_tile {
    (load: $load:literal, bytes: $bytes:literal, low: $low:literal, multiply: $multiply:literal, odd: $odd:literal,
     clamp: $clamp:literal) => {
        core::arch::global_asm!(
            ".syntax unified",
            ".thumb",
            concat!(".cpu ", env!("THUMBNET_CPU")),
            ".section .text.thumbnet_conv_sums,\"ax\",%progbits",
            ".p2align 2",
            ".global thumbnet_conv_sums",
            ".type thumbnet_conv_sums, %function",
            ".thumb_func",
            "thumbnet_conv_sums:",
            "push {{r4-r11, lr}}",
            "sub sp, #28",
            // The frame: 0 end of the column, 4 run, 8 pairs to go, 12 column, 16 entry, 20 tile.
            "mov r12, r0",
            "str r0, [sp, #4]",
            "str r2, [sp, #20]",
            "ldrd r2, r4, [r12, #28]",
            "str r4, [sp, #8]",
            "add r3, r1, r2, lsl #4",
            "str r3, [sp]",
            "str r1, [sp, #12]",
            "ldr r1, [r12, #12]",
            // Where in the round of eight steps to enter, so that none is left over.
            "adr.w lr, 1f + 1",
            "rsbs r2, r2, #0",
            "beq.w 4f",
            "and r2, r2, #7",
            "movs r3, #44",
            "mla lr, r2, r3, lr",
            "5:",
            "str lr, [sp, #16]",
            "6:",
            "ldrd lr, r2, [sp, #16]",
            "ldr r0, [sp, #12]",
            "adds r2, #16",
            "ldm r2, {{r8-r11}}",
            "mov r4, r8",
            "mov r5, r9",
            "mov r6, r10",
            "mov r7, r11",
            "bx lr",
            // Eight steps a round.
            ".p2align 2",
            "1:",
            ".rept 8",
            concat!($load, " r12, [r1], #", $bytes),
            "ldm r0!, {{r2, r3}}",
            concat!($low, " lr, r12"),
            concat!($multiply, " r4, r12, r2, r4"),
            concat!($multiply, " r8, lr, r2, r8"),
            concat!($multiply, " r5, r12, r3, r5"),
            concat!($multiply, " r9, lr, r3, r9"),
            "ldm r0!, {{r2, r3}}",
            concat!($multiply, " r6, r12, r2, r6"),
            concat!($multiply, " r10, lr, r2, r10"),
            concat!($multiply, " r7, r12, r3, r7"),
            concat!($multiply, " r11, lr, r3, r11"),
            ".endr",
            // No step is longer than the jump above assumes.
            ".org 1b + 8 * 44",
            "ldr r2, [sp]",
            "cmp r0, r2",
            "bne 1b",
            "3:",
            "ldr r12, [sp, #4]",
            $odd,
            "sub r4, r4, r8",
            "sub r5, r5, r9",
            "sub r6, r6, r10",
            "sub r7, r7, r11",
            "ldr r0, [sp, #20]",
            "ldrd r2, r3, [r0]",
            "add r4, r2, r4, asr #8",
            "add r5, r3, r5, asr #8",
            "ldrd r2, r3, [r0, #8]",
            "add r6, r2, r6, asr #8",
            "add r7, r3, r7, asr #8",
            "stm r0!, {{r4-r11}}",
            "str r0, [sp, #20]",
            // The next pair.
            "ldr r2, [r12, #40]",
            "ldr r3, [sp, #8]",
            "add r1, r1, r2",
            "subs r3, #1",
            "str r3, [sp, #8]",
            "bne.w 6b",
            "add sp, #28",
            "pop {{r4-r11, pc}}",
            "4:",
            "adr.w lr, 3b + 1",
            "b.w 5b",
            ".size thumbnet_conv_sums, . - thumbnet_conv_sums",
        );
        core::arch::global_asm!(
            ".syntax unified",
            ".thumb",
            concat!(".cpu ", env!("THUMBNET_CPU")),
            ".section .text.thumbnet_conv_outputs,\"ax\",%progbits",
            ".p2align 2",
            ".global thumbnet_conv_outputs",
            ".type thumbnet_conv_outputs, %function",
            ".thumb_func",
            "thumbnet_conv_outputs:",
            "push {{r4-r11, lr}}",
            "sub sp, #36",
            // The frame: 0 end of the column, 4 run, 8 bias, 12 multiplier, 16 shift, 20 output, 24 pairs to go, 28 column, 32 entry.
            "mov r12, r0",
            "str r0, [sp, #4]",
            "ldm r0, {{r4, r5, r6}}",
            "strd r4, r5, [sp, #8]",
            "strd r6, r2, [sp, #16]",
            "ldrd r2, r4, [r12, #28]",
            "str r4, [sp, #24]",
            "add r3, r1, r2, lsl #4",
            "str r3, [sp]",
            "str r1, [sp, #28]",
            "ldr r1, [r12, #12]",
            // Where in the round of eight steps to enter, so that none is left over.
            "adr.w lr, 1f + 1",
            "rsbs r2, r2, #0",
            "beq.w 4f",
            "and r2, r2, #7",
            "movs r3, #44",
            "mla lr, r2, r3, lr",
            "5:",
            "str lr, [sp, #32]",
            "6:",
            "ldrd r0, lr, [sp, #28]",
            "ldr r3, [sp, #8]",
            "ldr r8, [r3]",
            "mov r9, r8",
            "mov r10, r8",
            "mov r11, r8",
            "mov r4, r8",
            "mov r5, r8",
            "mov r6, r8",
            "mov r7, r8",
            "bx lr",
            // Eight steps a round.
            ".p2align 2",
            "1:",
            ".rept 8",
            concat!($load, " r12, [r1], #", $bytes),
            "ldm r0!, {{r2, r3}}",
            concat!($low, " lr, r12"),
            concat!($multiply, " r4, r12, r2, r4"),
            concat!($multiply, " r8, lr, r2, r8"),
            concat!($multiply, " r5, r12, r3, r5"),
            concat!($multiply, " r9, lr, r3, r9"),
            "ldm r0!, {{r2, r3}}",
            concat!($multiply, " r6, r12, r2, r6"),
            concat!($multiply, " r10, lr, r2, r10"),
            concat!($multiply, " r7, r12, r3, r7"),
            concat!($multiply, " r11, lr, r3, r11"),
            ".endr",
            // No step is longer than the jump above assumes.
            ".org 1b + 8 * 44",
            "ldr r2, [sp]",
            "cmp r0, r2",
            "bne 1b",
            "3:",
            "ldr r12, [sp, #4]",
            $odd,
            "sub r4, r4, r8",
            "sub r5, r5, r9",
            "sub r6, r6, r10",
            "sub r7, r7, r11",
            "add lr, sp, #8",
            "ldm lr, {{r0, r2, r3}}",
            "ldr lr, [r0, #4]",
            "adds r0, #8",
            // The largest of the four pixels.
            "add r4, lr, r4, asr #8",
            "add r5, lr, r5, asr #8",
            "add r6, lr, r6, asr #8",
            "add r7, lr, r7, asr #8",
            "cmp r4, r5",
            "it lt",
            "movlt r4, r5",
            "cmp r6, r7",
            "it lt",
            "movlt r6, r7",
            "cmp r4, r6",
            "it lt",
            "movlt r4, r6",
            "cmp r8, r9",
            "it lt",
            "movlt r8, r9",
            "cmp r10, r11",
            "it lt",
            "movlt r10, r11",
            "cmp r8, r10",
            "it lt",
            "movlt r8, r10",
            "ldrd r6, r7, [r2], #8",
            "ldrsb r9, [r3], #1",
            "ldrsb r10, [r3], #1",
            "add lr, sp, #8",
            "stm lr, {{r0, r2, r3}}",
            "rsbs r9, r9, #0",
            "ble.w 20f",
            "smull r11, r8, r8, r6",
            "lsls r11, r11, #1",
            "adc r8, r8, r8",
            "add r8, r8, r11, lsr #31",
            // Halves away from zero: one less where it is negative, then halves up, by the carry.
            "add r8, r8, r8, asr #31",
            "asrs r8, r8, r9",
            "adc r8, r8, #0",
            "21:",
            "rsbs r10, r10, #0",
            "ble.w 22f",
            "smull r11, r4, r4, r7",
            "lsls r11, r11, #1",
            "adc r4, r4, r4",
            "add r4, r4, r11, lsr #31",
            "add r4, r4, r4, asr #31",
            "asrs r4, r4, r10",
            "adc r4, r4, #0",
            "23:",
            "ldrd r6, r7, [r12, #16]",
            "ldr r9, [r12, #24]",
            "ldr r5, [sp, #20]",
            $clamp,
            "str r5, [sp, #20]",
            // The next pair.
            "ldr r2, [r12, #40]",
            "ldr r3, [sp, #24]",
            "add r1, r1, r2",
            "subs r3, #1",
            "str r3, [sp, #24]",
            "bne.w 6b",
            "add sp, #36",
            "pop {{r4-r11, pc}}",
            "4:",
            "adr.w lr, 3b + 1",
            "b.w 5b",
            // The rare case of no right shift: a saturating left shift, or none.
            "20:",
            "rsb r9, r9, #0",
            "lsl r11, r8, r9",
            "asr lr, r11, r9",
            "cmp lr, r8",
            "itt ne",
            "mvnne lr, #0x80000000",
            "eorne r11, lr, r8, asr #31",
            "smull r11, r8, r11, r6",
            "lsls r11, r11, #1",
            "adc r8, r8, r8",
            "add r8, r8, r11, lsr #31",
            "b.w 21b",
            "22:",
            "rsb r10, r10, #0",
            "lsl r11, r4, r10",
            "asr lr, r11, r10",
            "cmp lr, r4",
            "itt ne",
            "mvnne lr, #0x80000000",
            "eorne r11, lr, r4, asr #31",
            "smull r11, r4, r11, r7",
            "lsls r11, r11, #1",
            "adc r4, r4, r4",
            "add r4, r4, r11, lsr #31",
            "b.w 23b",
            ".size thumbnet_conv_outputs, . - thumbnet_conv_outputs",
        );
    };
}

#[cfg(not(thumbnet_helium))]
pub(super) use conv_tile;
