//! Columns: the inputs of four pixels' windows side by side, as a core's inner loop reads them.
use crate::arch::cores::pairs::PairsCut;

/// How a core keeps the inputs of four pixels.
pub(in crate::arch::arm) trait Column: PairsCut {
    /// Positions of a step of the inner loop.
    const STEP: usize;

    /// An input in a strip, of [`PairsCut::WIDE_BYTES`].
    type Wide: bytemuck::Pod;

    /// A bound of the outputs as the inner loop wants it.
    fn bound(value: i8) -> i32;

    /// Writes inputs as they are in a strip; both slices have the same length.
    fn widen(values: &[i8], wide: &mut [Self::Wide]);

    /// Makes inputs in a strip `value`.
    fn fill(wide: &mut [Self::Wide], value: i8);

    /// Makes every input in a column `value`.
    fn clear(column: &mut [i32], value: i8);

    /// Makes each output the larger one of itself and its value.
    fn raise(values: &[i8], outputs: &mut [i8]);
}

/// Makes every word of a column `word`, several at a time.
pub(in crate::arch::arm) fn fill_words(column: &mut [i32], word: i32) {
    let (eights, rest) = column.as_chunks_mut::<8>();
    eights.fill([word; 8]);
    rest.fill(word);
}
