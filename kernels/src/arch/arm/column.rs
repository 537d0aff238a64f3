//! Columns: the inputs of four pixels' windows side by side, as a core's inner loop reads them.
use super::tile::{Run, Tile};
use crate::arch::cores::ConvCut;
use crate::int8::Packing;

/// How a core keeps the inputs of pixels, and multiplies them.
pub(super) trait Column: ConvCut {
    /// Pixels in a column: the four, or two of them at a time.
    const PIXELS: usize;

    /// Positions of a step of the inner loop.
    const STEP: usize;

    /// The order of weights that the core reads.
    const PACKING: Packing;

    /// An input in a strip, of [`ConvCut::WIDE_BYTES`].
    type Wide: bytemuck::Pod + From<i8>;

    /// A bound of the outputs as the inner loop wants it.
    fn bound(value: i32) -> i32;

    /// Writes inputs as they are in a strip; both slices have the same length.
    fn widen(values: &[i8], wide: &mut [Self::Wide]);

    /// Writes `values` to the positions of `pixel` that follow `start`. Positions are written in rising order.
    fn copy(column: &mut [i32], start: usize, pixel: usize, values: &[i8]);

    /// Makes every input in a column `value`.
    fn clear(column: &mut [i32], value: i8);

    /// Makes inputs in a strip `value`.
    fn fill(wide: &mut [Self::Wide], value: i8) {
        wide.fill(value.into());
    }

    /// The input at a position of `pixel`.
    fn value(column: &[i32], position: usize, pixel: usize) -> i32;

    /// Requantises the largest of the four pixels' sums of each filter, if the core has a faster way than one by one;
    /// says whether it has.
    fn largest(_run: &Run<'_>, _tiles: &[Tile], _output: &mut [i8]) -> bool {
        false
    }
}

/// Makes every word of a column `word`, several at a time.
#[cfg(not(thumbnet_helium))]
pub(super) fn fill_words(column: &mut [i32], word: i32) {
    let (eights, rest) = column.as_chunks_mut::<8>();
    eights.fill([word; 8]);
    rest.fill(word);
}
