//! The windows of a depthwise convolution or of a pooling, as addresses of their taps.

use crate::arch::cores::helium::TAPS;
use crate::arch::window::Axis;
use crate::geometry::Geometry;

/// Whether a column is a row as well: the input and the windows are one pixel wide.
const fn is_column(g: &Geometry) -> bool {
    g.input().width == 1 && g.kernel()[1] == 1
}

/// Values of the input from the windows of one pixel to those of the next one of a call.
pub(super) const fn step(g: &Geometry) -> usize {
    g.strides()[if is_column(g) { 0 } else { 1 }] * g.input().channels
}

/// Calls `act` for every pixel of the output, or several of a row at once, with the addresses of the first one's taps;
/// the same taps of the next one are [`step`] values further. Its other argument is the pixels' outputs.
///
/// At each address are the `reads` channels from `first` on. Taps beyond the input are at `outside`, or left out.
/// `None` where slices are shorter than the geometry says, or windows have more than [`TAPS`] taps.
pub(super) fn runs(
    g: &Geometry,
    [first, reads]: [usize; 2],
    outside: Option<*const i8>,
    input: &[i8],
    output: &mut [i8],
    addresses: &mut [*const i8],
    mut act: impl FnMut(&mut [*const i8], &mut [i8]) -> Option<()>,
) -> Option<()> {
    let (mut rows, mut columns, mut out) = (Axis::rows(g), Axis::columns(g), g.output());
    if is_column(g) {
        (rows, columns) = (columns, rows);
        (out.height, out.width) = (out.width, out.height);
    }
    let channels = g.input().channels;
    let [inside_rows, inside] = [rows.inside(out.height), columns.inside(out.width)];
    // Each tap in the input is a pixel of it: this is all there is to check.
    if input.len() < g.input().len() || first + reads > channels || rows.kernel * columns.kernel > TAPS {
        return None;
    }
    for (y, mut output) in output.chunks_exact_mut((out.width * out.channels).max(1)).enumerate() {
        let mut x = 0;
        while x < out.width {
            let is_inside = inside_rows.contains(&y) && inside.contains(&x);
            let pixels = if is_inside { inside.end - x } else { 1 };
            let [top, left] =
                [(y * rows.stride).wrapping_sub(rows.padding), (x * columns.stride).wrapping_sub(columns.padding)];
            let mut taps = 0;
            for row in 0..rows.kernel {
                let row = top.wrapping_add(row);
                let place = row.wrapping_mul(columns.input).wrapping_add(left).wrapping_mul(channels);
                let mut address = input.as_ptr().wrapping_add(place.wrapping_add(first));
                for column in 0..columns.kernel {
                    let is_there = row < rows.input && left.wrapping_add(column) < columns.input;
                    if let (Some(tap), Some(found)) =
                        (addresses.get_mut(taps), if is_there { Some(address) } else { outside })
                    {
                        *tap = found;
                        taps += 1;
                    }
                    address = address.wrapping_add(channels);
                }
            }
            let (now, rest) = output.split_at_mut_checked(pixels * out.channels)?;
            act(addresses.get_mut(..taps)?, now)?;
            output = rest;
            x += pixels;
        }
    }
    Some(())
}

/// Words as a place for addresses, which are words here.
pub(super) fn addresses_of(words: &mut [i32]) -> &mut [*const i8] {
    const { assert!(size_of::<*const i8>() == size_of::<i32>() && align_of::<*const i8>() == align_of::<i32>()) };
    let (at, len) = (words.as_mut_ptr().cast(), words.len());
    // SAFETY: they are as large and as aligned, any bits are an address, and whoever owns the words does not read them
    // as long as these are borrowed.
    unsafe { core::slice::from_raw_parts_mut(at, len) }
}
