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

    /// A word of a column whose inputs are all `value`.
    fn word(value: i8) -> i32;

    /// Makes each output the larger one of itself and its value.
    fn raise(values: &[i8], outputs: &mut [i8]);
}
