//! The inner loop of convolutions on Cortex-M3 and up: two filters by four pixels, for pair after pair of filters.
//!
//! Weights lie in pairs ([`crate::int8::Packing::Pairs`]), so each step reads one word `w` of two filters `a` and `b`,
//! and adds
//!
//! ```text
//! S[p] += (a + 256 b) . x[p]          w as it is
//! A[p] += a . x[p]                    the low bytes of w, sign-extended
//! ```
//!
//! for four pixels `p`. `S` starts as `A` does, so that at the end `(S - A) / 256` is what `b`'s sums have grown by.
//! The eight sums, two words of weights, two of pixels and two pointers are all fourteen registers, which is why the
//! end of the column waits on the stack.

#![expect(unsafe_code, reason = "enters the assembly")]
use super::Core;
use super::column::Column;
use crate::arch::cores::{ConvCut, TILE, column_words};
use crate::int8::ConvS8;
use core::marker::PhantomData;
use core::mem::offset_of;

/// Sums of two filters over four pixels: those of `b`, the odd filter, then those of `a`, or the other way round: see
/// [`ConvCut::WORKS_IN_TILES`].
pub(super) type Tile = [i32; TILE];

/// An input as it is in a strip.
pub(super) type Wide = <Core as Column>::Wide;

const _: () = assert!(size_of::<Wide>() == Core::WIDE_BYTES);

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

/// Pairs of filters over one stretch of positions: all that the assembly must know besides the column.
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

/// Where the fields are that the assembly reads, and of those which it reads with a neighbour.
#[cfg_attr(thumbnet_helium, expect(dead_code, reason = "whole steps alone"))]
impl Run<'_> {
    pub(super) const BIAS: usize = offset_of!(Self, bias);
    pub(super) const MULTIPLIER: usize = offset_of!(Self, multiplier);
    pub(super) const WEIGHTS: usize = offset_of!(Self, weights);
    pub(super) const LEAST: usize = offset_of!(Self, least);
    pub(super) const ZERO_POINT: usize = offset_of!(Self, zero_point);
    pub(super) const STEPS: usize = offset_of!(Self, steps);
    pub(super) const PAIRS: usize = offset_of!(Self, pairs);
    pub(super) const ODD: usize = offset_of!(Self, odd);
    pub(super) const SKIP: usize = offset_of!(Self, skip);
}

const _: () = {
    // `ldm` begins where the run does.
    assert!(Run::BIAS == 0 && Run::MULTIPLIER == 4 && offset_of!(Run<'_>, shift) == Run::MULTIPLIER + 4);
    assert!(offset_of!(Run<'_>, largest) == Run::LEAST + 4 && Run::PAIRS == Run::STEPS + 4);
    assert!(offset_of!(Run<'_>, stride) == Run::SKIP + 4);
};

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
            stride: column_words::<Core>(len.min(Core::POSITIONS)) * 4 / Core::PIXELS,
            layer: PhantomData,
        }
    }

    /// Adds the products with the column, which starts at pixel `pixel` of the four, to `tiles`, one a pair; or, if
    /// `fresh`, to the biases, on cores that work in tiles.
    pub(super) fn add(&self, column: &[i32], pixel: usize, tiles: &mut [Tile], fresh: bool) {
        self.check(column, tiles.len());
        let sums = tiles.as_flattened_mut()[pixel..].as_mut_ptr();
        // SAFETY: the column, the tiles, and all that the run points to are as long as its numbers of pairs and steps
        // say.
        unsafe { thumbnet_conv_sums(self, column.as_ptr(), sums, fresh) }
    }

    /// The outputs of the pairs' filters, two a pair: the maximum over the four pixels of the sums of bias and
    /// products, requantised.
    #[cfg(not(thumbnet_helium))]
    pub(super) fn finish(&self, column: &[i32], output: &mut [i8]) {
        self.check(column, output.len() / 2);
        // SAFETY: the column, the output, and all that the run points to are as long as its numbers of pairs and steps
        // say.
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
                    // SAFETY: the windows lie in the strip, as was checked, the offsets in the windows; and so on as in
                    // `add`.
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
        let words = column_words::<Core>(self.steps * Core::STEP + self.odd);
        assert!(0 < self.pairs && self.pairs <= pairs && words <= column.len());
    }
}
