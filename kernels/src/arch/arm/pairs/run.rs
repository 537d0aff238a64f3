//! What enters the inner loop of convolutions: two filters by four pixels, for pair after pair of filters.
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
use super::Core;
use super::column::Column;
use crate::arch::cores::TILE;
use crate::arch::cores::pairs::{PairsCut, column_words};
use crate::int8::{ConvS8, Packing};
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ptr;

/// Sums of two filters over four pixels: those of `b`, the odd filter, then those of `a`.
pub(super) type Tile = [i32; TILE];

/// An input as it is in a strip.
pub(super) type Wide = <Core as Column>::Wide;

const _: () = assert!(size_of::<Wide>() == Core::WIDE_BYTES);

/// Where four pixels' windows lie in a strip of widened rows.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    /// Where each starts, and the last of them ends.
    starts: [usize; 4],
    end: usize,
    /// Inputs of a window's row, its rows, and the inputs from one row to the next.
    run: usize,
    rows: usize,
    stride: usize,
}

impl Windows {
    /// Windows of nothing.
    pub(super) const NONE: Self = Self { starts: [0; 4], end: usize::MAX, run: 0, rows: 0, stride: 0 };

    /// Windows of `rows` rows of `run` inputs, neither of which is 0, in a strip of rows of `stride`.
    pub(super) fn new(starts: [usize; 4], [rows, run]: [usize; 2], stride: usize) -> Self {
        let last = starts[0].max(starts[1]).max(starts[2].max(starts[3]));
        Self { starts, end: last + (rows - 1) * stride + run, run, rows, stride }
    }

    /// Copies the windows that lie `right` inputs further right into the column; does nothing where they do not lie in
    /// the strip, or the column is too short.
    #[inline(always)]
    pub(super) fn gather(&self, right: usize, strip: &[Wide], column: &mut [i32]) {
        if right.saturating_add(self.end) > strip.len() || column_words::<Core>(self.rows * self.run) > column.len() {
            return;
        }
        let (strip, stride) = (strip.as_ptr().wrapping_add(right), self.stride * size_of::<Wide>());
        // SAFETY: the function reads the windows, which lie in the strip, and writes the words that they fill, for
        // which the column has room.
        unsafe { thumbnet_gather(column.as_mut_ptr(), &self.starts, strip, self.run, self.rows, stride) };
    }
}

/// Four pixels of the convolution's output, as row and column.
pub(super) type Pixels = [[usize; 2]; 4];

/// Finds what of the next pixel's window lies in the input, and fills the pixel with padding first if that is not all;
/// label 9 is where nothing does. Before, r0 is the pixel in the column, r1 the pixels, r11 the [`Source`]. After, r2
/// is the first of these inputs, r3 its position in the window, r4 how many there are in a row, r5 the rows, r7 what
/// lies between two of them, r8 the inputs of a window's row.
macro_rules! place_window {
    () => {
        concat!(
            "ldrd r2, r3, [r1], #8\n",
            "ldrd r4, r5, [r11, #{strides}]\n",
            "ldrd r6, r7, [r11, #{strides} + 8]\n",
            "mla r2, r2, r4, r6\n",
            "mla r3, r3, r5, r7\n",
            "ldrd r4, r5, [r11, #{height}]\n",
            "rsbs r6, r2, #0\n",
            "it mi\n",
            "movmi r6, #0\n",
            "subs r4, r4, r2\n",
            "cmp r4, r5\n",
            "it gt\n",
            "movgt r4, r5\n",
            "subs r12, r4, r6\n",
            "ldrd r7, r8, [r11, #{stride}]\n",
            "rsbs r9, r3, #0\n",
            "it mi\n",
            "movmi r9, #0\n",
            "subs r4, r7, r3\n",
            "cmp r4, r8\n",
            "it gt\n",
            "movgt r4, r8\n",
            "subs r4, r4, r9\n",
            "cmp r5, r12\n",
            "it eq\n",
            "cmpeq r4, r8\n",
            "beq 3f\n",
            // Where some of the window is padding, all is at first.
            "ldrd r10, lr, [r11, #{words}]\n",
            "mov r5, r0\n",
            "2:\n",
            "str lr, [r5], #16\n",
            "subs r10, #1\n",
            "bne 2b\n",
            "cmp r12, #0\n",
            "ble.w 9f\n",
            "cmp r4, #0\n",
            "ble.w 9f\n",
            // r2 becomes the source, r3 the position, r5 the rows to go, r7 what lies between two rows.
            "3:\n",
            "mov r5, r12\n",
            "add r2, r2, r6\n",
            "add r3, r3, r9\n",
            "mla r2, r2, r7, r3\n",
            "ldr r3, [r11]\n",
            "add r2, r2, r3\n",
            "mla r3, r6, r8, r9\n",
            "subs r7, r7, r4\n",
        )
    };
}
pub(in crate::arch::arm) use place_window;

/// Where windows lie in the input: of each some whole rows, or a part of one.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::arch::arm) struct Source<'a> {
    input: *const i8,
    /// Rows of the input, and of the windows.
    height: usize,
    rows: usize,
    /// Inputs of a row of the input, and of the windows.
    stride: usize,
    run: usize,
    /// From one pixel's window to the next one's, in rows down and in inputs to the right; and where the first pixel's
    /// starts: in front of the input where there is padding.
    strides: [usize; 2],
    first: [isize; 2],
    /// Words of one pixel in the column, and what they are where they are padding.
    words: usize,
    padding: i32,
    layer: PhantomData<&'a [i8]>,
}

impl<'a> Source<'a> {
    pub(in crate::arch::arm) const HEIGHT: usize = offset_of!(Self, height);
    pub(in crate::arch::arm) const STRIDE: usize = offset_of!(Self, stride);
    pub(in crate::arch::arm) const STRIDES: usize = offset_of!(Self, strides);
    pub(in crate::arch::arm) const WORDS: usize = offset_of!(Self, words);

    /// `rows` rows of windows, of `run` inputs each, from position `start` of the windows on. They read nothing if
    /// `input` is not the layer's.
    #[inline(always)]
    pub(super) fn new(layer: &ConvS8<'_>, input: &'a [i8], start: usize, [rows, run]: [usize; 2]) -> Self {
        let geometry = layer.geometry;
        let (of, channels) = (geometry.input(), geometry.input().channels);
        let row = (geometry.kernel()[1] * channels).max(1);
        let [above, left] = geometry.padding();
        let height = if input.len() >= of.len() { of.height } else { 0 };
        Self {
            input: input.as_ptr(),
            height,
            rows,
            stride: of.width * channels,
            run,
            strides: [geometry.strides()[0], geometry.strides()[1] * channels],
            first: [(start / row) as isize - above as isize, (start % row) as isize - (left * channels) as isize],
            words: (rows * run).div_ceil(Core::STEP),
            padding: Core::word(layer.input_zero_point),
            layer: PhantomData,
        }
    }

    /// Copies four pixels' windows into the column, side by side, if there is room.
    pub(super) fn gather(&self, pixels: &Pixels, column: &mut [i32]) {
        if 4 * self.words > column.len() {
            return;
        }
        // SAFETY: the function reads what of the windows lies in the input, and writes the column's first words.
        unsafe { thumbnet_gather_inside(column.as_mut_ptr(), self, pixels) }
    }
}

const _: () = {
    assert!(offset_of!(Source<'_>, input) == 0 && offset_of!(Source<'_>, rows) == Source::HEIGHT + 4);
    assert!(offset_of!(Source<'_>, run) == Source::STRIDE + 4);
    assert!(offset_of!(Source<'_>, first) == Source::STRIDES + 8);
    assert!(offset_of!(Source<'_>, padding) == Source::WORDS + 4);
};

/// Where four pixels' windows are read.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Strip(Windows),
    Input(Source<'a>),
}

/// What becomes of sums.
#[derive(Clone, Copy, PartialEq)]
#[repr(usize)]
pub(super) enum To {
    /// They wait in a tile.
    Tiles,
    /// Each pixel's is requantised, and is an output.
    Each,
    /// The largest of the four pixels' is.
    Largest,
}

/// Which filters of a layer, and which positions of their windows, a [`Run`] is over.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// The first filter, and how many: pairs of them, and perhaps an odd last one.
    pub(super) first: usize,
    pub(super) filters: usize,
    /// The first position, and how many.
    pub(super) start: usize,
    pub(super) positions: usize,
    pub(super) to: To,
}

/// The parameters of a layer's only filter, behind those of one that is not there.
pub(super) struct Single {
    multiplier: [i32; 2],
    shift: [i8; 2],
    bias: [i32; 2],
}

impl Single {
    pub(super) fn new(layer: &ConvS8<'_>) -> Self {
        let first = |values: &[i32]| [0, values.first().copied().unwrap_or(0)];
        let shift = [0, layer.requantize.shift.first().copied().unwrap_or(0)];
        Self { multiplier: first(layer.requantize.multiplier), shift, bias: first(layer.bias) }
    }
}

/// The biases of all stretches but the first.
static NO_BIAS: [i32; 2] = [0; 2];

/// Pairs of filters, and perhaps an odd last one, over one stretch of positions: all that the assembly must know.
///
/// What comes before `steps` is the assembly's frame, which it copies onto its stack.
#[derive(Clone, Copy)]
#[repr(C)]
pub(in crate::arch::arm) struct Run<'a> {
    multiplier: *const i32,
    shift: *const i8,
    shift_end: *const i8,
    /// From one pair's biases to the next one's, in bytes.
    bias_step: usize,
    bias: *const i32,
    /// The bias of `b`.
    odd_bias: i32,
    /// Bytes of weights between the end of one pair's stretch and the start of the next one's.
    skip: usize,
    zero_point: i32,
    /// [`Self::SINGLE`] and so on, or 0: none of what is rare.
    special: usize,
    weights: *const i8,
    /// The least and the largest output.
    least: i32,
    largest: i32,
    output: *mut i8,
    /// Where the outputs of the second, third and fourth pixel lie, from those of the first.
    offsets: [usize; 3],
    column: *const i32,
    /// Where to jump to: at the start of a pair; behind its whole steps; with its sums; to make outputs of them; and
    /// with the parameters for that. The assembly fills them in when it first sees the run.
    jumps: [usize; 5],
    column_end: *const i32,
    /// Where the tile of the first pair is, less 16 times the address of its shift: they rise side by side.
    tile: *mut i32,
    /// Whether half a step follows the whole ones.
    half: usize,
    /// Whether an odd last filter follows the pairs.
    odd: usize,
    /// The stretch's first position.
    start: usize,
    /// Whole steps of the stretch.
    steps: usize,
    to: To,
    /// Whether the tiles' sums are added.
    add: usize,
    filters: usize,
    /// Where the last output ends.
    outputs: usize,
    layer: PhantomData<&'a [i8]>,
}

unsafe extern "C" {
    fn thumbnet_conv(run: &mut Run<'_>);
    fn thumbnet_gather_inside(column: *mut i32, source: &Source<'_>, pixels: &Pixels);
    fn thumbnet_gather(
        column: *mut i32,
        starts: &[usize; 4],
        strip: *const Wide,
        run: usize,
        rows: usize,
        stride: usize,
    );
}

/// Where the fields are that the assembly reads.
impl Run<'_> {
    pub(in crate::arch::arm) const MULTIPLIER: usize = offset_of!(Self, multiplier);
    pub(in crate::arch::arm) const SHIFT: usize = offset_of!(Self, shift);
    pub(in crate::arch::arm) const BIAS_STEP: usize = offset_of!(Self, bias_step);
    pub(in crate::arch::arm) const BIAS: usize = offset_of!(Self, bias);
    pub(in crate::arch::arm) const ODD_BIAS: usize = offset_of!(Self, odd_bias);
    pub(in crate::arch::arm) const SKIP: usize = offset_of!(Self, skip);
    pub(in crate::arch::arm) const ZERO_POINT: usize = offset_of!(Self, zero_point);
    pub(in crate::arch::arm) const SPECIAL: usize = offset_of!(Self, special);
    pub(in crate::arch::arm) const WEIGHTS: usize = offset_of!(Self, weights);
    pub(in crate::arch::arm) const LEAST: usize = offset_of!(Self, least);
    pub(in crate::arch::arm) const OUTPUT: usize = offset_of!(Self, output);
    pub(in crate::arch::arm) const COLUMN: usize = offset_of!(Self, column);
    pub(in crate::arch::arm) const JUMPS: usize = offset_of!(Self, jumps);
    pub(in crate::arch::arm) const COLUMN_END: usize = offset_of!(Self, column_end);
    pub(in crate::arch::arm) const TILE: usize = offset_of!(Self, tile);
    pub(in crate::arch::arm) const HALF: usize = offset_of!(Self, half);
    pub(in crate::arch::arm) const ODD: usize = offset_of!(Self, odd);
    pub(in crate::arch::arm) const START: usize = offset_of!(Self, start);
    /// The length of the frame.
    pub(in crate::arch::arm) const FRAME: usize = offset_of!(Self, steps);

    /// Bits of `special`: the filter is a single one, not a pair; outputs have bounds.
    const SINGLE: usize = 1;
    const BOUNDED: usize = 2;
}

const _: () = {
    // The frame is copied nine words at a time, and these are read or written side by side.
    assert!(Run::FRAME == 108 && Run::MULTIPLIER == 0 && Run::SHIFT == 4 && offset_of!(Run<'_>, shift_end) == 8);
    assert!(Run::BIAS == Run::BIAS_STEP + 4 && Run::ODD_BIAS == Run::BIAS + 4);
    assert!(offset_of!(Run<'_>, offsets) == Run::OUTPUT + 4 && Run::JUMPS == Run::COLUMN + 4);
    assert!(offset_of!(Run<'_>, largest) == Run::LEAST + 4);
    assert!(offset_of!(Run<'_>, to) == Run::FRAME + 4 && offset_of!(Run<'_>, add) == Run::FRAME + 8);
    assert!(Run::ODD == Run::HALF + 4 && Run::START == Run::ODD + 4);
    assert!(To::Tiles as usize == 0 && To::Each as usize == 1 && To::Largest as usize == 2);
};

impl<'a> Run<'a> {
    /// No filters at all.
    pub(super) const NONE: Self = Self {
        multiplier: ptr::null(),
        shift: ptr::null(),
        shift_end: ptr::null(),
        bias_step: 0,
        bias: ptr::null(),
        odd_bias: 0,
        skip: 0,
        zero_point: 0,
        special: 0,
        weights: ptr::null(),
        least: 0,
        largest: 0,
        output: ptr::null_mut(),
        offsets: [0; 3],
        column: ptr::null(),
        jumps: [0; 5],
        column_end: ptr::null(),
        tile: ptr::null_mut(),
        half: 0,
        odd: 0,
        start: 0,
        steps: 0,
        to: To::Tiles,
        add: 0,
        filters: 0,
        outputs: 0,
        layer: PhantomData,
    };

    /// Makes it one over the filters and positions of `part`, whose parameters are in `single` if it is the only
    /// filter; over none where the layer has no such. `count` of the four pixels are there: the others are the last of
    /// them again.
    #[inline(never)]
    pub(super) fn set(&mut self, layer: &ConvS8<'a>, part: &Part, single: &'a Single, count: usize) {
        let &Part { first, filters, start, positions, to } = part;
        self.filters = 0;
        let (len, range, requantize) = (layer.geometry.patch(), first..first + filters, &layer.requantize);
        // The weights of a pair lie side by side.
        let from = first * len + start * filters.min(2);
        let (Some(weights), Some(multiplier), Some(shift), Some(bias)) = (
            layer.weights.get(from..range.end * len),
            requantize.multiplier.get(range.clone()),
            requantize.shift.get(range.clone()),
            layer.bias.get(range),
        ) else {
            return;
        };
        if layer.packing != Packing::Pairs || start + positions > len {
            return;
        }
        let [least, largest] = requantize.activation;
        self.special = if (least, largest) == (i8::MIN, i8::MAX) { 0 } else { Self::BOUNDED };
        (self.multiplier, self.shift, self.bias) = (multiplier.as_ptr(), shift.as_ptr(), bias.as_ptr());
        self.odd = filters % 2;
        if filters == 1 {
            (self.multiplier, self.shift) = (single.multiplier.as_ptr(), single.shift.as_ptr());
            (self.bias, self.odd) = (single.bias.as_ptr(), 0);
            self.special |= Self::SINGLE;
        }
        self.shift_end = self.shift.wrapping_add(filters.next_multiple_of(2) - 2 * self.odd);
        self.bias_step = 8;
        if start > 0 {
            (self.bias, self.bias_step) = (NO_BIAS.as_ptr(), 0);
        }
        self.skip = 2 * (len - positions);
        self.zero_point = requantize.zero_point.into();
        self.weights = weights.as_ptr();
        (self.least, self.largest) = (Core::bound(least), Core::bound(largest));
        let apart = layer.geometry.output().channels;
        self.offsets = [1, 2, 3].map(|pixel: usize| pixel.min(count - 1) * apart);
        self.jumps[0] = 0;
        (self.steps, self.start) = (positions / Core::STEP, start);
        self.half = positions - self.steps * Core::STEP;
        (self.to, self.add) = (to, usize::from(start > 0));
        self.outputs = match to {
            To::Tiles => 0,
            To::Each => self.offsets[2] + filters,
            To::Largest => filters,
        };
        self.filters = filters;
    }

    /// Has sums wait in `tiles`; it is over no filters any more if these are too few.
    pub(super) fn wait(&mut self, tiles: &mut [Tile]) {
        if self.filters.div_ceil(2) > tiles.len() {
            self.filters = 0;
        }
        self.tile = tiles.as_mut_ptr().cast::<i32>().wrapping_byte_sub(16 * self.shift.addr());
    }

    /// Multiplies, and makes of the sums what [`Part::to`] says, from `output` on; nothing where something is too
    /// short. Where sums wait, [`Self::wait`] has said where.
    #[inline(always)]
    pub(super) fn go(&mut self, column: &[i32], output: &mut [i8]) {
        if 4 * (self.steps + self.half) > column.len() || self.outputs > output.len() || self.filters == 0 {
            return;
        }
        self.column = column.as_ptr();
        self.column_end = column.as_ptr().wrapping_add(4 * self.steps);
        self.output = output.as_mut_ptr();
        // SAFETY: the column, the output, the tiles, and all that the run points to are as long as its numbers of
        // filters and steps say.
        unsafe { thumbnet_conv(self) }
    }
}
