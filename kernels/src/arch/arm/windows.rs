//! The windows of a pooling, one after the other.
use crate::arch::window::Axis;
use crate::geometry::Geometry;

/// Where a window's values of one channel lie, in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// Its rows.
    pub(super) rows: usize,
    /// From the first column to the last.
    pub(super) span: usize,
    /// From a column to the next.
    pub(super) step: usize,
    /// From a row to the next.
    pub(super) row: usize,
    /// Values.
    pub(super) count: usize,
}

/// Calls `each` for each output position with its window, the inputs from the window's first on, and the outputs.
#[inline(always)]
pub(super) fn windows(
    geometry: &Geometry,
    input: &[i8],
    output: &mut [i8],
    mut each: impl FnMut(&Window, &[i8], &mut [i8]),
) {
    let channels = geometry.input().channels;
    let (rows, columns) = (Axis::rows(geometry), Axis::columns(geometry));
    let row = columns.input * channels;
    // No size is 0: the maxima are for the compiler.
    for (y, output) in output.chunks_exact_mut((geometry.output().width * channels).max(1)).enumerate() {
        let rows = rows.sources(y);
        let Some(input) = input.get(rows.start * row..) else { return };
        for (x, output) in output.chunks_exact_mut(channels.max(1)).enumerate() {
            let columns = columns.sources(x);
            let Some(input) = input.get(columns.start * channels..) else { return };
            // There is always a value inside.
            let span = columns.len().wrapping_sub(1).wrapping_mul(channels);
            let last = rows.len().wrapping_sub(1).wrapping_mul(row).wrapping_add(span);
            if input.get(last..).is_some_and(|last| last.len() >= channels) {
                let count = rows.len() * columns.len();
                each(&Window { rows: rows.len(), span, step: channels, row, count }, input, output);
            }
        }
    }
}
