//! Every int8 kernel against the scalar oracle, byte for byte: layers of awkward shapes, weights and inputs at the ends
//! of their range, in each order that weights can have. The same cases run on the host and on emulated cores.
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::{
    AddS8, Affine, ConvS8, DenseS8, DepthwiseConvS8, MeanS8, MulS8, Packing, QuantizedMultiplier, Requantize,
    RescaleS8, SoftmaxS8,
};

/// A window: kernel, strides, padding. Numbers are short, as in the other tables, for the smallest board's flash.
type Window = ([u8; 2], [u8; 2], Padding);

/// A convolution: input, filters, window, pooling behind it.
type Conv = ([u16; 3], u16, Window, Option<Window>);

const SAME: Padding = Padding::Same;
const VALID: Padding = Padding::Valid;
const POOL: Option<Window> = Some(([2, 2], [2, 2], SAME));

/// Convolutions. Behind them come [`ANY_CONVS`] of any sizes.
const ALL_CONVS: [Conv; 70] = [
    // The first layers of the networks, smaller: one channel, odd and even patches.
    ([8, 8, 1], 8, ([3, 3], [1, 1], SAME), POOL),
    ([9, 7, 1], 5, ([5, 5], [1, 1], SAME), POOL),
    ([9, 10, 1], 6, ([5, 5], [1, 1], SAME), POOL),
    ([5, 4, 2], 4, ([4, 4], [1, 1], SAME), POOL),
    ([6, 6, 2], 4, ([2, 3], [1, 1], VALID), POOL),
    ([6, 5, 1], 4, ([2, 3], [1, 1], SAME), POOL),
    // Their second layers: several stretches, borders on all sides at once, windows cut off.
    ([5, 5, 24], 6, ([3, 3], [1, 1], SAME), POOL),
    ([4, 6, 32], 3, ([5, 5], [1, 1], SAME), POOL),
    ([3, 3, 67], 2, ([3, 2], [1, 1], SAME), None),
    ([7, 5, 8], 7, ([3, 3], [1, 1], SAME), POOL),
    // No pooling; widths that four does not divide.
    ([5, 5, 3], 4, ([3, 3], [1, 1], SAME), None),
    ([4, 7, 1], 3, ([3, 3], [1, 1], VALID), None),
    ([1, 9, 4], 2, ([1, 3], [1, 2], SAME), None),
    ([2, 2, 5], 70, ([1, 1], [1, 1], SAME), None),
    ([3, 3, 4], 66, ([2, 2], [1, 1], SAME), POOL),
    ([6, 5, 24], 2, ([3, 3], [2, 2], SAME), None),
    // One filter; a kernel larger than the input; one position.
    ([5, 4, 2], 1, ([3, 3], [1, 1], SAME), POOL),
    ([3, 2, 3], 4, ([5, 5], [1, 1], SAME), None),
    ([1, 1, 7], 9, ([1, 1], [1, 1], VALID), None),
    ([1, 1, 1], 2, ([1, 1], [1, 1], SAME), POOL),
    ([2, 5, 1], 4, ([1, 1], [1, 1], SAME), None),
    // Windows of the pooling that overlap, exceed four pixels, are padded, are narrower than four.
    ([8, 8, 2], 4, ([3, 3], [1, 1], SAME), Some(([3, 3], [2, 2], SAME))),
    ([7, 7, 3], 2, ([2, 2], [1, 1], SAME), Some(([3, 2], [1, 1], SAME))),
    ([6, 9, 1], 3, ([3, 3], [1, 1], VALID), Some(([1, 3], [1, 3], VALID))),
    ([8, 4, 2], 2, ([1, 1], [1, 1], SAME), Some(([4, 1], [4, 1], VALID))),
    ([5, 5, 1], 2, ([3, 3], [1, 1], SAME), Some(([5, 5], [5, 5], VALID))),
    // Strides of the convolution under a pooling.
    ([9, 9, 2], 4, ([3, 3], [2, 2], SAME), POOL),
    ([6, 10, 16], 2, ([2, 2], [1, 3], VALID), Some(([2, 1], [1, 1], SAME))),
    // Windows of one row, and pixels of which one is left over; more filters than a block.
    ([1, 9, 5], 9, ([1, 8], [1, 1], SAME), None),
    ([1, 11, 6], 4, ([1, 3], [1, 1], SAME), Some(([1, 2], [1, 2], SAME))),
    ([11, 1, 7], 3, ([5, 1], [2, 1], SAME), Some(([2, 1], [2, 1], SAME))),
    ([5, 5, 33], 5, ([1, 1], [1, 1], SAME), None),
    ([3, 5, 20], 67, ([1, 1], [1, 1], SAME), None),
    ([3, 3, 64], 8, ([1, 1], [1, 1], SAME), None),
    ([2, 2, 64], 2, ([1, 1], [1, 1], SAME), None),
    // Three rows of 48 values, in place.
    ([5, 5, 16], 5, ([3, 3], [1, 1], SAME), None),
    ([6, 5, 16], 7, ([3, 3], [2, 2], SAME), POOL),
    // Windows of 40 positions in several rows, of an odd number of pixels a row.
    ([7, 5, 1], 6, ([10, 4], [2, 2], SAME), None),
    ([6, 6, 4], 5, ([5, 2], [1, 1], SAME), POOL),
    // Rows too long for windows that are read in place, and too long for a strip.
    ([5, 50, 3], 4, ([3, 3], [2, 2], SAME), None),
    // Four pixels across rows of one, two, three and five, with some left over, in a strip of rows and without.
    ([7, 1, 2], 4, ([3, 1], [1, 1], SAME), None),
    ([5, 2, 3], 3, ([2, 2], [1, 1], SAME), None),
    ([3, 3, 26], 2, ([3, 3], [1, 1], SAME), None),
    ([7, 5, 8], 5, ([1, 1], [1, 1], SAME), None),
    ([2, 1, 40], 3, ([3, 1], [1, 1], SAME), None),
    // A single filter, whose positions are one stretch or several, and pooled pixels of several.
    ([4, 3, 2], 1, ([3, 3], [1, 1], SAME), None),
    ([3, 3, 67], 1, ([3, 2], [1, 1], SAME), None),
    ([3, 4, 35], 1, ([3, 3], [1, 1], SAME), Some(([1, 2], [1, 2], SAME))),
    // More values than the smallest board has room for, as all from here on: strides over many channels, long rows, a
    // pooling along columns.
    ([4, 37, 11], 2, ([3, 3], [1, 1], SAME), Some(([3, 3], [1, 1], SAME))),
    // Windows of up to 16 positions that reach further than 256 bytes: of a high kernel, of long rows.
    ([18, 18, 1], 5, ([16, 1], [1, 1], VALID), None),
    ([4, 130, 1], 5, ([3, 3], [1, 1], SAME), None),
    ([4, 130, 1], 4, ([3, 3], [1, 1], SAME), POOL),
    ([5, 5, 65], 4, ([1, 1], [2, 2], VALID), None),
    ([4, 40, 10], 4, ([3, 3], [1, 1], SAME), None),
    ([5, 37, 11], 5, ([3, 3], [1, 1], SAME), Some(([3, 3], [2, 2], SAME))),
    ([2, 5, 48], 9, ([3, 3], [1, 1], SAME), Some(([2, 1], [2, 1], SAME))),
    // Columns of two and three stretches on every core, with and without borders and pooling.
    ([3, 3, 97], 5, ([3, 3], [1, 1], SAME), POOL),
    ([4, 5, 100], 8, ([3, 3], [1, 1], VALID), Some(([2, 2], [2, 2], VALID))),
    ([2, 2, 250], 7, ([2, 2], [1, 1], SAME), None),
    ([3, 3, 250], 4, ([3, 3], [1, 1], SAME), POOL),
    // Two blocks of filters, the last of which is odd or not.
    ([1, 3, 130], 67, ([1, 2], [1, 1], SAME), None),
    ([1, 3, 130], 66, ([1, 2], [1, 1], SAME), Some(([1, 2], [1, 1], SAME))),
    ([1, 2, 260], 65, ([1, 1], [1, 1], SAME), None),
    // Long rows of few channels, which are woven: with and without a pooling, of whole and of parts of 16 bytes.
    ([4, 40, 3], 5, ([3, 3], [1, 1], SAME), None),
    ([5, 24, 5], 6, ([3, 3], [1, 1], SAME), POOL),
    ([3, 64, 2], 33, ([2, 3], [1, 1], VALID), None),
    ([7, 66, 3], 4, ([3, 3], [2, 2], SAME), Some(([3, 3], [2, 2], SAME))),
    // Four pixels by two calls, with windows in a strip, in the input, and copied.
    ([4, 8, 8], 5, ([3, 3], [1, 1], SAME), None),
    ([3, 8, 16], 32, ([3, 3], [1, 1], SAME), None),
    ([2, 4, 64], 7, ([1, 1], [1, 1], SAME), None),
];

/// Dense layers: inputs, units. Every remainder of four units and of eight inputs, stretches, and blocks of units.
const ALL_DENSES: [(u16, u16); 25] = [
    (1, 1),
    (2, 2),
    (3, 3),
    (4, 4),
    (5, 5),
    (6, 6),
    (7, 7),
    (8, 8),
    (9, 9),
    (15, 10),
    (16, 4),
    (31, 4),
    (33, 12),
    (64, 11),
    (100, 13),
    (255, 4),
    (257, 5),
    (512, 4),
    (513, 4),
    (599, 4),
    (17, 133),
    (2, 260),
    (700, 3),
    (1024, 6),
    (1031, 9),
];

/// Depthwise convolutions: input, outputs of each channel, window. Behind them come [`ANY_DEPTHWISES`] of any sizes.
const ALL_DEPTHWISES: [Conv; 50] = [
    // Each width up to five, every remainder of four channels and of sixteen, borders on all sides at once.
    ([1, 1, 4], 1, ([3, 3], [1, 1], SAME), None),
    ([2, 1, 5], 1, ([3, 3], [1, 1], SAME), None),
    ([3, 2, 6], 1, ([3, 3], [1, 1], SAME), None),
    ([4, 3, 7], 1, ([3, 3], [1, 1], SAME), None),
    ([5, 4, 8], 1, ([3, 3], [1, 1], SAME), None),
    ([4, 5, 17], 1, ([3, 3], [1, 1], SAME), None),
    ([3, 5, 18], 1, ([3, 3], [1, 1], SAME), None),
    ([3, 4, 19], 1, ([3, 3], [1, 1], SAME), None),
    ([4, 5, 16], 1, ([3, 3], [1, 1], VALID), None),
    ([2, 2, 64], 1, ([3, 3], [1, 1], SAME), None),
    // Stride 2, which pads on one side, on both, on neither; and 3.
    ([1, 1, 4], 1, ([3, 3], [2, 2], SAME), None),
    ([4, 4, 5], 1, ([3, 3], [2, 2], SAME), None),
    ([5, 5, 6], 1, ([3, 3], [2, 2], SAME), None),
    ([6, 7, 16], 1, ([3, 3], [2, 2], VALID), None),
    ([7, 6, 9], 1, ([3, 3], [2, 2], SAME), None),
    ([7, 8, 4], 1, ([3, 3], [3, 3], SAME), None),
    ([5, 6, 8], 1, ([3, 3], [2, 1], SAME), None),
    // Rows and columns alone, single positions, other windows, and one larger than the input.
    ([1, 9, 8], 1, ([1, 3], [1, 1], SAME), None),
    ([9, 1, 8], 1, ([3, 1], [1, 1], SAME), None),
    ([7, 3, 5], 1, ([5, 1], [1, 1], SAME), None),
    ([2, 9, 4], 1, ([1, 8], [1, 1], SAME), None),
    ([4, 3, 9], 1, ([1, 1], [1, 1], VALID), None),
    ([5, 4, 6], 1, ([2, 2], [2, 2], SAME), None),
    ([3, 2, 4], 1, ([5, 5], [1, 1], SAME), None),
    ([9, 1, 20], 1, ([3, 1], [2, 1], SAME), None),
    ([9, 9, 4], 1, ([9, 9], [1, 1], SAME), None),
    ([2, 2, 17], 1, ([1, 1], [1, 1], SAME), None),
    // More channels than a block.
    ([2, 3, 131], 1, ([2, 3], [1, 1], SAME), None),
    ([2, 3, 20], 7, ([2, 2], [1, 1], SAME), None),
    // A channel alone, and channels that become several.
    ([6, 5, 1], 1, ([3, 3], [1, 1], SAME), None),
    ([6, 5, 1], 8, ([4, 4], [2, 2], SAME), None),
    ([4, 5, 1], 6, ([3, 3], [1, 1], SAME), None),
    ([3, 4, 3], 3, ([3, 3], [1, 1], SAME), None),
    ([5, 3, 8], 2, ([3, 2], [2, 2], VALID), None),
    ([1, 2, 2], 66, ([1, 2], [1, 1], SAME), None),
    // Two of each: of an odd number, of more than a block, with strides, of a single tap.
    ([4, 6, 3], 2, ([3, 3], [1, 1], SAME), None),
    ([2, 3, 35], 2, ([2, 2], [1, 1], SAME), None),
    ([5, 7, 17], 2, ([3, 3], [2, 2], SAME), None),
    ([2, 3, 9], 2, ([1, 1], [1, 1], VALID), None),
    // Rows of several strips on every core.
    ([3, 70, 4], 1, ([3, 3], [1, 1], SAME), None),
    ([2, 75, 5], 1, ([3, 3], [2, 2], SAME), None),
    // Small windows of stride 1: every remainder of four columns, odd and even rows, one strip or more, blocks of
    // channels that reach back, inputs that end in the middle of 16 channels.
    ([4, 4, 8], 1, ([3, 3], [1, 1], SAME), None),
    ([3, 5, 20], 1, ([3, 3], [1, 1], SAME), None),
    ([5, 6, 17], 1, ([3, 3], [1, 1], SAME), None),
    ([2, 7, 32], 1, ([2, 3], [1, 1], SAME), None),
    ([6, 10, 6], 1, ([3, 3], [1, 1], VALID), None),
    ([2, 17, 5], 1, ([3, 2], [1, 1], SAME), None),
    ([3, 33, 4], 1, ([3, 3], [1, 1], VALID), None),
    ([2, 6, 7], 1, ([1, 3], [1, 1], SAME), None),
    ([5, 4, 6], 1, ([3, 1], [1, 1], VALID), None),
];

/// Poolings of any kind: input, window. Behind them come [`ANY_POOLS`] of any sizes.
const ALL_POOLS: [([u16; 3], Window); 20] = [
    ([4, 4, 16], ([2, 2], [2, 2], VALID)),
    ([5, 5, 16], ([3, 3], [1, 1], SAME)),
    ([5, 4, 1], ([2, 2], [2, 2], SAME)),
    ([4, 5, 2], ([3, 3], [2, 2], SAME)),
    ([4, 5, 3], ([2, 2], [1, 1], SAME)),
    ([3, 4, 4], ([2, 2], [2, 2], SAME)),
    ([3, 3, 5], ([3, 3], [1, 1], SAME)),
    ([3, 3, 6], ([2, 3], [1, 1], SAME)),
    ([3, 3, 7], ([3, 2], [1, 1], SAME)),
    ([2, 3, 8], ([2, 2], [2, 2], SAME)),
    ([2, 2, 9], ([2, 2], [1, 1], SAME)),
    ([2, 2, 17], ([2, 2], [1, 1], SAME)),
    ([2, 2, 31], ([1, 1], [1, 1], SAME)),
    ([9, 1, 12], ([4, 1], [4, 1], SAME)),
    ([1, 9, 20], ([1, 5], [1, 3], SAME)),
    ([2, 2, 40], ([5, 5], [1, 1], SAME)),
    // More values than 16 bits hold the sum of.
    ([17, 17, 3], ([17, 17], [1, 1], VALID)),
    ([130, 2, 4], ([130, 2], [1, 1], VALID)),
    // The most values that a reciprocal divides by on Cortex-M0, and more.
    ([19, 19, 2], ([19, 19], [1, 1], VALID)),
    ([20, 19, 2], ([20, 19], [1, 1], VALID)),
];

/// Layers whose sizes are made from their numbers.
const ANY_CONVS: usize = 60;
const ANY_DEPTHWISES: usize = 32;
const ANY_POOLS: usize = 16;

/// Means: positions, channels.
const ALL_MEANS: [(usize, usize); 9] =
    [(1, 1), (2, 3), (25, 4), (6, 5), (9, 16), (7, 22), (49, 15), (257, 3), (260, 4)];

/// Sums: values. Products: values, and those of the second factor. Tables: values.
const LENGTHS: [usize; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 64, 259];
const PRODUCTS: [(usize, usize); 10] =
    [(1, 1), (2, 2), (3, 3), (4, 4), (9, 9), (258, 258), (12, 1), (30, 3), (40, 8), (105, 21)];

/// Parts of a concatenation: positions, channels, the first of which is that of so many.
const PARTS: [(usize, usize, [usize; 2]); 9] = [
    (1, 1, [0, 1]),
    (3, 1, [1, 3]),
    (2, 2, [0, 5]),
    (2, 3, [2, 5]),
    (4, 4, [4, 8]),
    (3, 5, [1, 9]),
    (2, 8, [0, 12]),
    (2, 17, [3, 20]),
    (1, 64, [16, 80]),
];

/// Softmaxes: rows, classes. 128 rows of two have every second difference, as one of 256 has each.
const SOFTMAXES: [(usize, usize); 9] =
    [(1, 1), (128, 2), (1, 256), (5, 3), (2, 10), (3, 12), (1, 16), (2, 17), (1, 300)];

// The layers at the tables' ends are too large for the smallest board's 16 KB of RAM.
const SMALLEST: bool = cfg!(feature = "microbit");
const CONVS: &[Conv] = ALL_CONVS.split_at(ALL_CONVS.len() - if SMALLEST { 22 } else { 0 }).0;
const DENSES: &[(u16, u16)] = ALL_DENSES.split_at(ALL_DENSES.len() - if SMALLEST { 2 } else { 0 }).0;
const DEPTHWISES: usize = ALL_DEPTHWISES.len() + ANY_DEPTHWISES;
const POOLS: usize = ALL_POOLS.len() + ANY_POOLS;

/// The convolution of that number.
const fn conv_case(case: usize) -> Conv {
    if case < CONVS.len() {
        return CONVS[case];
    }
    let n = (case - CONVS.len()) as u16;
    let window = (bytes([1 + n % 3, 1 + n / 3 % 4]), bytes([1 + n % 2, 1 + n / 2 % 2]), SAME);
    let pool = match n % 5 {
        0 => POOL,
        1 => Some((bytes([1 + n / 5 % 3, 1 + n / 7 % 3]), bytes([1 + n / 2 % 2, 1 + n / 3 % 2]), SAME)),
        _ => None,
    };
    ([1 + n * 5 % 7, 1 + n * 3 % 10, 1 + n * 11 % 13], 1 + n * 7 % 9, window, pool)
}

/// The depthwise convolution of that number.
const fn depthwise(case: usize) -> Geometry {
    let (input, multiplier, window) = if case < ALL_DEPTHWISES.len() {
        let (input, multiplier, window, _) = ALL_DEPTHWISES[case];
        (input, multiplier, window)
    } else {
        let n = (case - ALL_DEPTHWISES.len()) as u16;
        let kernel = if n.is_multiple_of(4) { [1 + n / 4 % 4, 1 + n / 2 % 5] } else { [3, 3] };
        let multiplier = if n % 3 == 2 { 2 + n / 3 % 4 } else { 1 };
        let channels = if multiplier == 1 { 4 + n * 7 % 17 } else { 1 + n * 7 % 5 };
        ([1 + n * 5 % 7, 1 + n * 3 % 8, channels], multiplier, (bytes(kernel), bytes([1 + n % 2; 2]), SAME))
    };
    self::window(shape(input), input[2] * multiplier, window)
}

/// The pooling of that number.
const fn pooling(case: usize) -> Geometry {
    let (input, window) = if case < ALL_POOLS.len() {
        ALL_POOLS[case]
    } else {
        let n = (case - ALL_POOLS.len()) as u16;
        (
            [1 + n * 5 % 6, 1 + n * 3 % 7, 1 + n * 11 % 35],
            (bytes([1 + n % 3, 1 + n / 3 % 3]), bytes([1 + n % 2, 1 + n / 2 % 2]), SAME),
        )
    };
    self::window(shape(input), input[2], window)
}

/// What values a case is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Anything, scaled so that outputs spread.
    Any,
    /// The ends of every range, with all shifts.
    Ends,
    /// The least weight or the largest throughout, and the least input: sums are as large as they can be.
    Largest,
    /// Sums that overflow 32 bits.
    Overflow,
    /// Sums so small that shifts are short, none, or to the left.
    Small,
}

const VALUE_SETS: [Values; 5] = [Values::Any, Values::Ends, Values::Largest, Values::Overflow, Values::Small];

/// A kernel that differs from the oracle.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The kernel's name.
    pub kernel: &'static str,
    /// The case's number in this file's tables.
    pub case: usize,
    /// The order of the weights.
    pub packing: Packing,
    /// The values.
    pub values: Values,
}

/// Bytes and words that no kernel may touch, before and behind.
const GUARD: usize = 12;

/// The most weights, inputs or outputs, channels, and words of scratch, that a case has.
const MOST: [usize; 4] = {
    let mut most = [0; 4];
    let mut i = 0;
    while i < CONVS.len() + ANY_CONVS {
        let (geometry, pool) = geometry(&conv_case(i));
        let filters = geometry.output().channels;
        let inputs = geometry.input().len();
        let outputs = geometry.output().len();
        let values = if inputs > outputs { inputs } else { outputs };
        let words = Backend::conv_s8_scratch_len(&geometry, pool.as_ref());
        most = larger(most, [filters * geometry.patch(), values, filters, words]);
        i += 1;
    }
    let mut i = 0;
    while i < DENSES.len() {
        let (inputs, units) = (DENSES[i].0 as usize, DENSES[i].1 as usize);
        let values = if inputs > units { inputs } else { units };
        most = larger(most, [inputs * units, values, units, Backend::dense_s8_scratch_len(inputs, units)]);
        i += 1;
    }
    let mut i = 0;
    while i < DEPTHWISES + POOLS {
        let geometry = if i < DEPTHWISES { depthwise(i) } else { pooling(i - DEPTHWISES) };
        let (input, output, [height, width]) = (geometry.input(), geometry.output(), geometry.kernel());
        let values = if input.len() > output.len() { input.len() } else { output.len() };
        let words = Backend::depthwise_conv_s8_scratch_len(&geometry);
        let weights = if i < DEPTHWISES { height * width * output.channels } else { 0 };
        most = larger(most, [weights, values, output.channels, words]);
        i += 1;
    }
    // What means and softmaxes read.
    larger(most, [0, 1040, 0, 0])
};
const WEIGHTS: usize = MOST[0];
const VALUES: usize = MOST[1];
const CHANNELS: usize = MOST[2];
const SCRATCH: usize = MOST[3];

const fn larger(a: [usize; 4], b: [usize; 4]) -> [usize; 4] {
    let mut most = a;
    let mut i = 0;
    while i < most.len() {
        most[i] = if a[i] > b[i] { a[i] } else { b[i] };
        i += 1;
    }
    most
}

/// All memory of the cases, to be put into a `static` on a device.
#[repr(C, align(4))]
pub struct Buffers {
    packed: [i8; WEIGHTS],
    weights: [i8; WEIGHTS],
    input: [i8; VALUES + 3],
    expected: [i8; VALUES],
    output: [i8; VALUES + 2 * GUARD],
    bias: [i32; CHANNELS],
    multiplier: [i32; CHANNELS],
    shift: [i8; CHANNELS],
    scratch: [i32; SCRATCH + 2 * GUARD],
}

impl Buffers {
    /// Buffers of zeros.
    pub const fn new() -> Self {
        Self {
            packed: [0; WEIGHTS],
            weights: [0; WEIGHTS],
            input: [0; VALUES + 3],
            expected: [0; VALUES],
            output: [0; VALUES + 2 * GUARD],
            bias: [0; CHANNELS],
            multiplier: [0; CHANNELS],
            shift: [0; CHANNELS],
            scratch: [0; SCRATCH + 2 * GUARD],
        }
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

const fn bytes([a, b]: [u16; 2]) -> [u8; 2] {
    [a as u8, b as u8]
}

const fn shape([height, width, channels]: [u16; 3]) -> Shape {
    Shape::new(height as usize, width as usize, channels as usize)
}

const fn window(input: Shape, channels: u16, (kernel, strides, padding): Window) -> Geometry {
    let [kernel, strides] = [[kernel[0] as usize, kernel[1] as usize], [strides[0] as usize, strides[1] as usize]];
    match Geometry::new(input, channels as usize, kernel, strides, padding) {
        Ok(geometry) => geometry,
        Err(error) => panic!("{}", error.message()),
    }
}

const fn geometry(&(input, filters, conv, pool): &Conv) -> (Geometry, Option<Geometry>) {
    let geometry = window(shape(input), filters, conv);
    match pool {
        Some(pool) => (geometry, Some(window(geometry.output(), filters, pool))),
        None => (geometry, None),
    }
}

/// Marsaglia's xorshift.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// Uniform in `low..=high`.
    fn within(&mut self, low: i32, high: i32) -> i32 {
        low + (self.next() % (high - low + 1) as u32) as i32
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.next() as usize % choices.len()]
    }
}

/// A case's parameters.
struct Parameters {
    input_zero_point: i8,
    zero_point: i8,
    activation: [i8; 2],
}

/// Fills inputs, weights, biases and scales.
fn fill(b: &mut Buffers, random: &mut Random, rows: usize, len: usize, inputs: usize, values: Values) -> Parameters {
    let largest = random.one_of(&[-127, 127]);
    for value in &mut b.input[..inputs] {
        *value = match values {
            Values::Any => random.within(-128, 127) as i8,
            Values::Ends | Values::Overflow => random.one_of(&[-128, 127, -128, -1]),
            Values::Largest => -128,
            Values::Small => random.within(-3, 3) as i8,
        };
    }
    for weight in &mut b.weights[..rows * len] {
        *weight = match values {
            Values::Any => random.within(-127, 127) as i8,
            Values::Ends | Values::Overflow => random.one_of(&[-127, 127, -127, 126]),
            Values::Largest => largest,
            Values::Small => random.within(-1, 1) as i8,
        };
    }
    // A sum of len products spreads over about sqrt(len) 5400; outputs over +-100.
    let spread = -(5 + (len.ilog2() / 2) as i32);
    for row in 0..rows {
        let any = random.within(1 << 30, i32::MAX - 1);
        // Those of a file of another writer may be short.
        b.multiplier[row] = random.one_of(&[1 << 30, i32::MAX, any, any, any >> 7, 0]);
        (b.bias[row], b.shift[row]) = match values {
            Values::Any => (random.within(-20_000, 20_000), random.within(spread - 1, spread) as i8),
            Values::Ends | Values::Largest => (random.one_of(&[0, 1 << 20, -(1 << 20)]), random.within(-31, 8) as i8),
            Values::Overflow => (
                random.one_of(&[i32::MAX, i32::MIN, i32::MAX - 4000, i32::MIN + 4000]),
                random.one_of(&[-24, -23, -31, 0, 30]),
            ),
            Values::Small => (random.within(-60, 60), random.one_of(&[0, 0, -1, -2, 1])),
        };
    }
    let any = [random.within(-128, 127) as i8, random.within(-128, 127) as i8];
    let zero_point = random.one_of(&[-128, 127, 0, any[0]]);
    Parameters {
        input_zero_point: random.one_of(&[-128, 127, 0, any[1]]),
        zero_point,
        activation: random.one_of(&[[-128, 127], [zero_point, 127], [zero_point, zero_point.saturating_add(60)]]),
    }
}

/// Runs every case on `backend` in each order of weights that it reads, reports each difference, and returns how many
/// comparisons were made.
pub fn run(backend: Backend, b: &mut Buffers, report: &mut dyn FnMut(Difference)) -> usize {
    let mut comparisons = 0;
    for values in VALUE_SETS {
        for (kernel, cases, check) in KERNELS {
            comparisons += cases;
            for case in 0..cases {
                if !check(backend, b, case, values) {
                    report(Difference { kernel, case, packing: Packing::Plain, values });
                }
            }
        }
        for packing in [Packing::Plain, Packing::Pairs, Packing::Quads] {
            let reads = |only: Option<Packing>| backend == Backend::SCALAR || only.is_none_or(|only| only == packing);
            let convs = if reads(Backend::CONV_S8_PACKING) { CONVS.len() + ANY_CONVS } else { 0 };
            let denses = if reads(Backend::DENSE_S8_PACKING) { DENSES.len() } else { 0 };
            comparisons += convs + denses;
            for case in 0..convs {
                if !conv(backend, b, case, packing, values) {
                    report(Difference { kernel: "conv_s8", case, packing, values });
                }
            }
            for case in 0..denses {
                if !dense(backend, b, case, packing, values) {
                    report(Difference { kernel: "dense_s8", case, packing, values });
                }
            }
        }
    }
    comparisons
}

/// How many comparisons [`run`] makes on a back end that reads `orders` orders of weights.
pub const fn comparisons(orders: usize) -> usize {
    let mut cases = orders * (CONVS.len() + ANY_CONVS + DENSES.len());
    let mut i = 0;
    while i < KERNELS.len() {
        cases += KERNELS[i].1;
        i += 1;
    }
    VALUE_SETS.len() * cases
}

/// Whether a case holds.
type Check = fn(Backend, &mut Buffers, usize, Values) -> bool;

/// Kernels without an order of weights, the cases of each, and how one is checked.
const KERNELS: [(&str, usize, Check); 9] = [
    ("depthwise_conv_s8", DEPTHWISES, depthwise_conv),
    ("max_pool_s8", POOLS, max_pool),
    ("average_pool_s8", POOLS, average_pool),
    ("mean_s8", ALL_MEANS.len(), mean),
    ("add_s8", 2 * LENGTHS.len(), add),
    ("multiply_s8", PRODUCTS.len(), multiply),
    ("concatenate_s8", 2 * PARTS.len(), concatenate),
    ("softmax_s8", SOFTMAXES.len(), softmax),
    ("table_s8", LENGTHS.len(), table),
];

const UNTOUCHED: i32 = 0x5a5a_5a5a;

/// Prepares what a kernel may write, and what it may not.
fn guard(b: &mut Buffers) {
    b.output.fill(0x5a);
    b.scratch.fill(UNTOUCHED);
}

/// Whether the outputs are right and nothing else was touched.
fn holds(b: &Buffers, outputs: usize, scratch: usize) -> bool {
    holds_from(b, GUARD, outputs, scratch)
}

/// The same of outputs that begin there.
fn holds_from(b: &Buffers, start: usize, outputs: usize, scratch: usize) -> bool {
    let (before, rest) = b.output.split_at(start);
    let (output, behind) = rest.split_at(outputs);
    let (scratch_before, rest) = b.scratch.split_at(GUARD);
    output == &b.expected[..outputs]
        && before.iter().chain(behind).all(|&byte| byte == 0x5a)
        && scratch_before.iter().chain(&rest[scratch..]).all(|&word| word == UNTOUCHED)
}

fn conv(backend: Backend, b: &mut Buffers, case: usize, packing: Packing, values: Values) -> bool {
    let (geometry, pool) = geometry(&conv_case(case));
    let (filters, len) = (geometry.output().channels, geometry.patch());
    let inputs = geometry.input().len();
    let p = fill(b, &mut Random(case as u32 * 977 + 5), filters, len, inputs, values);
    if packing.pack(&b.weights[..filters * len], len, &mut b.packed[..filters * len]).is_err() {
        return false;
    }
    guard(b);
    let scratch = Backend::conv_s8_scratch_len(&geometry, pool.as_ref());
    let layer = ConvS8 {
        geometry: &geometry,
        pool: pool.as_ref(),
        input_zero_point: p.input_zero_point,
        weights: &b.weights[..filters * len],
        packing: Packing::Plain,
        bias: &b.bias[..filters],
        requantize: Requantize {
            multiplier: &b.multiplier[..filters],
            shift: &b.shift[..filters],
            zero_point: p.zero_point,
            activation: p.activation,
        },
    };
    let outputs = layer.output_len();
    let memory = &mut b.scratch[GUARD..][..scratch];
    Backend::SCALAR.conv_s8(&layer, &b.input[..inputs], &mut b.expected[..outputs], memory);
    let layer = ConvS8 { weights: &b.packed[..filters * len], packing, ..layer };
    backend.conv_s8(&layer, &b.input[..inputs], &mut b.output[GUARD..][..outputs], memory);
    holds(b, outputs, scratch)
}

fn dense(backend: Backend, b: &mut Buffers, case: usize, packing: Packing, values: Values) -> bool {
    let (inputs, units) = (usize::from(DENSES[case].0), usize::from(DENSES[case].1));
    let p = fill(b, &mut Random(case as u32 * 1009 + 3), units, inputs, inputs, values);
    if packing.pack(&b.weights[..units * inputs], inputs, &mut b.packed[..units * inputs]).is_err() {
        return false;
    }
    guard(b);
    let scratch = Backend::dense_s8_scratch_len(inputs, units);
    let layer = DenseS8 {
        inputs,
        units,
        weights: &b.weights[..units * inputs],
        packing: Packing::Plain,
        bias: &b.bias[..units],
        requantize: Requantize {
            multiplier: &b.multiplier[..units],
            shift: &b.shift[..units],
            zero_point: p.zero_point,
            activation: p.activation,
        },
    };
    let memory = &mut b.scratch[GUARD..][..scratch];
    Backend::SCALAR.dense_s8(&layer, &b.input[..inputs], &mut b.expected[..units], memory);
    let layer = DenseS8 { weights: &b.packed[..units * inputs], packing, ..layer };
    backend.dense_s8(&layer, &b.input[..inputs], &mut b.output[GUARD..][..units], memory);
    holds(b, units, scratch)
}

fn depthwise_conv(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let geometry = depthwise(case);
    let (channels, taps) = (geometry.output().channels, geometry.kernel()[0] * geometry.kernel()[1]);
    let (inputs, outputs) = (geometry.input().len(), geometry.output().len());
    let (from, to) = places(case);
    let p = fill(b, &mut Random(case as u32 * 991 + 7), channels, taps, from + inputs, values);
    guard(b);
    let scratch = Backend::depthwise_conv_s8_scratch_len(&geometry);
    let layer = DepthwiseConvS8 {
        geometry: &geometry,
        input_zero_point: p.input_zero_point,
        weights: &b.weights[..channels * taps],
        bias: &b.bias[..channels],
        requantize: Requantize {
            multiplier: &b.multiplier[..channels],
            shift: &b.shift[..channels],
            zero_point: p.zero_point,
            activation: p.activation,
        },
    };
    let input = &b.input[from..][..inputs];
    let memory = &mut b.scratch[GUARD..][..scratch];
    Backend::SCALAR.depthwise_conv_s8(&layer, input, &mut b.expected[..outputs], memory);
    backend.depthwise_conv_s8(&layer, input, &mut b.output[to..][..outputs], memory);
    holds_from(b, to, outputs, scratch)
}

/// Where a case's input and output begin: at each distance from a word.
fn places(case: usize) -> (usize, usize) {
    (case % 4, GUARD - case / 2 % 4)
}

/// Fills so many inputs, and the outputs with what the guards have.
fn fill_values(b: &mut Buffers, random: &mut Random, inputs: usize, values: Values) {
    for value in &mut b.input[..inputs] {
        *value = match values {
            Values::Any => random.within(-128, 127) as i8,
            Values::Ends | Values::Overflow => random.one_of(&[-128, 127, -128, -1]),
            Values::Largest => -128,
            Values::Small => random.within(-3, 3) as i8,
        };
    }
    guard(b);
}

/// A kernel that writes an output, on both back ends.
fn compare(
    backend: Backend,
    b: &mut Buffers,
    case: usize,
    [inputs, outputs]: [usize; 2],
    run: impl Fn(Backend, &[i8], &mut [i8]),
) -> bool {
    let (from, to) = places(case);
    let input = &b.input[from..][..inputs];
    run(Backend::SCALAR, input, &mut b.expected[..outputs]);
    run(backend, input, &mut b.output[to..][..outputs]);
    holds_from(b, to, outputs, 0)
}

/// A kernel that changes the last of the inputs in place, on both back ends.
fn compare_changes(
    backend: Backend,
    b: &mut Buffers,
    case: usize,
    [inputs, changed]: [usize; 2],
    run: impl Fn(Backend, &[i8], &mut [i8]),
) -> bool {
    let (from, to) = places(case);
    let (input, rest) = b.input[from..].split_at(inputs);
    b.expected[..changed].copy_from_slice(&rest[..changed]);
    b.output[to..][..changed].copy_from_slice(&rest[..changed]);
    run(Backend::SCALAR, input, &mut b.expected[..changed]);
    run(backend, input, &mut b.output[to..][..changed]);
    holds_from(b, to, changed, 0)
}

fn max_pool(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let g = pooling(case);
    let lens = [g.input().len(), g.output().len()];
    fill_values(b, &mut Random(case as u32 * 983 + 11), lens[0] + 3, values);
    compare(backend, b, case, lens, |backend, x, y| backend.max_pool_s8(&g, x, y))
}

fn average_pool(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let g = pooling(case);
    let lens = [g.input().len(), g.output().len()];
    let random = &mut Random(case as u32 * 977 + 13);
    fill_values(b, random, lens[0] + 3, values);
    let activation = random.one_of(&[[-128, 127], [-128, 127], [-5, 90], [3, 3]]);
    compare(backend, b, case, lens, |backend, x, y| backend.average_pool_s8(&g, activation, x, y))
}

fn mean(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let (positions, channels) = ALL_MEANS[case];
    let random = &mut Random(case as u32 * 971 + 17);
    fill_values(b, random, positions * channels + 3, values);
    let [input, output] = [affine(random), affine(random)];
    let mean = match values {
        Values::Overflow => {
            MeanS8 { offset: random.next() as i32, factor: factor(random, 30), zero_point: output.zero_point }
        }
        _ => MeanS8::new(input, output, positions),
    };
    compare(backend, b, case, [positions * channels, channels], |backend, x, y| backend.mean_s8(&mean, x, y))
}

/// A scale and a zero point of middling size.
fn affine(random: &mut Random) -> Affine {
    let any = random.within(-128, 127) as i8;
    let zero_point = random.one_of(&[-128, 127, 0, any]);
    Affine { scale: random.within(1, 200) as f32 / 1000.0, zero_point }
}

/// Any factor that the arithmetic is defined for, of a power of two that is at most this.
fn factor(random: &mut Random, most: i32) -> QuantizedMultiplier {
    let any = [random.within(0, i32::MAX - 1), random.within(1 << 30, i32::MAX - 1)];
    let multiplier = random.one_of(&[0, 1, 1 << 30, i32::MAX, any[0], any[1]]);
    let any = random.within(-31, most) as i8;
    QuantizedMultiplier { multiplier, shift: random.one_of(&[0, -1, any, any]) }
}

/// The ends of an activation.
fn activation(random: &mut Random) -> [i8; 2] {
    random.one_of(&[[-128, 127], [-128, 127], [-20, 127], [-128, 60], [7, 7]])
}

fn add(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let len = LENGTHS[case / 2];
    let random = &mut Random(case as u32 * 967 + 19);
    fill_values(b, random, 2 * len + 3, values);
    let [a, c, sum] = [affine(random), affine(random), affine(random)];
    let scales = match values {
        Values::Largest => [a.scale; 2],
        Values::Ends => [a.scale, 1e-5 * c.scale],
        Values::Any | Values::Overflow | Values::Small => [a.scale, c.scale],
    };
    let [first, second, output] = match values {
        Values::Overflow => [factor(random, 0), factor(random, 0), factor(random, 30)],
        _ => AddS8::factors(scales, sum.scale),
    };
    let layer = AddS8 {
        input_zero_points: [a.zero_point, c.zero_point],
        // Either may be the one of the larger scale.
        inputs: if case.is_multiple_of(2) { [first, second] } else { [second, first] },
        output,
        zero_point: sum.zero_point,
        activation: activation(random),
    };
    compare_changes(backend, b, case, [len; 2], |backend, x, y| backend.add_s8(&layer, x, y))
}

fn multiply(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let (len, repeated) = PRODUCTS[case];
    let random = &mut Random(case as u32 * 953 + 23);
    fill_values(b, random, len + repeated + 3, values);
    let [a, c, product] = [affine(random), affine(random), affine(random)];
    let layer = MulS8 {
        input_zero_points: [a.zero_point, c.zero_point],
        factor: match values {
            Values::Overflow => factor(random, 30),
            Values::Largest => MulS8::factor([3.0, a.scale], product.scale),
            Values::Any | Values::Ends | Values::Small => MulS8::factor([a.scale, c.scale], product.scale),
        },
        zero_point: product.zero_point,
        activation: activation(random),
    };
    compare_changes(backend, b, case, [repeated, len], |backend, x, y| backend.multiply_s8(&layer, x, y))
}

fn concatenate(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let (positions, width, columns) = PARTS[case / 2];
    let lens = [positions * width, positions * columns[1]];
    let random = &mut Random(case as u32 * 947 + 29);
    fill_values(b, random, lens[0] + lens[1] + 3, values);
    let [input, output] = [affine(random), affine(random)];
    let layer = match values {
        Values::Any | Values::Small => RescaleS8::quantize(input, output),
        Values::Ends if case.is_multiple_of(2) => RescaleS8::quantize(input, input),
        Values::Ends => RescaleS8::quantize(input, Affine { zero_point: output.zero_point, ..input }),
        Values::Largest => RescaleS8::relu(input, output, activation(random)),
        Values::Overflow => {
            let [any, other] = [factor(random, 30), factor(random, 30)];
            let factors = random.one_of(&[[any, other], [any; 2]]);
            RescaleS8 { factors, ..RescaleS8::relu(input, output, activation(random)) }
        }
    };
    compare_changes(backend, b, case, lens, |backend, x, y| backend.concatenate_s8(&layer, width, x, columns, y))
}

fn softmax(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let (rows, classes) = SOFTMAXES[case];
    let len = rows * classes;
    let random = &mut Random(case as u32 * 941 + 31);
    fill_values(b, random, len + 3, values);
    if matches!(values, Values::Ends) {
        // Every difference from the largest.
        for (i, value) in b.input.iter_mut().enumerate() {
            *value = if classes == 2 && i % 2 == case % 2 { 127 } else { i as i8 };
        }
    }
    let scale = match values {
        Values::Any | Values::Small => f64::from(random.within(1, 200)) / 1000.0,
        Values::Ends => f64::from(random.within(1, 80)) / 1000.0,
        Values::Largest => random.one_of(&[1e-9, 1e9]),
        Values::Overflow => random.one_of(&[1.0, 3e-3, 16.0]),
    };
    let layer = SoftmaxS8::new(scale);
    compare_changes(backend, b, case, [0, len], |backend, _, y| backend.softmax_s8(&layer, classes, y))
}

fn table(backend: Backend, b: &mut Buffers, case: usize, values: Values) -> bool {
    let len = LENGTHS[case];
    let random = &mut Random(case as u32 * 937 + 37);
    fill_values(b, random, len + 3, values);
    let table = core::array::from_fn(|_| random.next() as i8);
    compare_changes(backend, b, case, [0, len], |backend, _, y| backend.table_s8(&table, y))
}
