//! Every int8 kernel against the scalar oracle, byte for byte: layers of awkward shapes, weights and inputs at the ends
//! of their range, in each order that weights can have. The same cases run on the host and on emulated cores.
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::{ConvS8, DenseS8, Packing, Requantize};

/// A window: kernel, strides, padding.
type Window = ([usize; 2], [usize; 2], Padding);

/// A convolution: input, filters, window, pooling behind it.
type Conv = ([usize; 3], usize, Window, Option<Window>);

const SAME: Padding = Padding::Same;
const VALID: Padding = Padding::Valid;
const POOL: Option<Window> = Some(([2, 2], [2, 2], SAME));

const ALL_CONVS: [Conv; 32] = [
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
    // Columns of two and three stretches on every core, with and without borders and pooling.
    ([3, 3, 97], 5, ([3, 3], [1, 1], SAME), POOL),
    ([4, 5, 100], 8, ([3, 3], [1, 1], VALID), Some(([2, 2], [2, 2], VALID))),
    ([2, 2, 250], 7, ([2, 2], [1, 1], SAME), None),
    ([3, 3, 250], 4, ([3, 3], [1, 1], SAME), POOL),
];

/// Dense layers: inputs, units. Every remainder of four units and of eight inputs, stretches, and blocks of units.
const ALL_DENSES: [(usize, usize); 25] = [
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

// The layers at the tables' ends are too large for the smallest board's 16 KB of RAM.
const SMALLEST: bool = cfg!(feature = "microbit");
const CONVS: &[Conv] = ALL_CONVS.split_at(ALL_CONVS.len() - if SMALLEST { 4 } else { 0 }).0;
const DENSES: &[(usize, usize)] = ALL_DENSES.split_at(ALL_DENSES.len() - if SMALLEST { 2 } else { 0 }).0;

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
}

const VALUE_SETS: [Values; 4] = [Values::Any, Values::Ends, Values::Largest, Values::Overflow];

/// A kernel that differs from the oracle.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The kernel's name.
    pub kernel: &'static str,
    /// The case's number in this file's table.
    pub case: usize,
    /// The order of the weights.
    pub packing: Packing,
    /// The values.
    pub values: Values,
}

/// Bytes and words that no kernel may touch, before and behind.
const GUARD: usize = 8;

/// The most weights, inputs or outputs, channels, and words of scratch, that a case has.
const MOST: [usize; 4] = {
    let mut most = [0; 4];
    let mut i = 0;
    while i < CONVS.len() {
        let (geometry, pool) = geometry(&CONVS[i]);
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
        let (inputs, units) = DENSES[i];
        let values = if inputs > units { inputs } else { units };
        most = larger(most, [inputs * units, values, units, Backend::dense_s8_scratch_len(inputs, units)]);
        i += 1;
    }
    most
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
    input: [i8; VALUES],
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
            input: [0; VALUES],
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

const fn shape([height, width, channels]: [usize; 3]) -> Shape {
    Shape::new(height, width, channels)
}

const fn window(input: Shape, channels: usize, (kernel, strides, padding): Window) -> Geometry {
    match Geometry::new(input, channels, kernel, strides, padding) {
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
        };
    }
    for weight in &mut b.weights[..rows * len] {
        *weight = match values {
            Values::Any => random.within(-127, 127) as i8,
            Values::Ends | Values::Overflow => random.one_of(&[-127, 127, -127, 126]),
            Values::Largest => largest,
        };
    }
    // A sum of len products spreads over about sqrt(len) 5400; outputs over +-100.
    let spread = -(5 + (len.ilog2() / 2) as i32);
    for row in 0..rows {
        let any = random.within(1 << 30, i32::MAX - 1);
        b.multiplier[row] = random.one_of(&[1 << 30, i32::MAX, any, any]);
        (b.bias[row], b.shift[row]) = match values {
            Values::Any => (random.within(-20_000, 20_000), random.within(spread - 1, spread) as i8),
            Values::Ends | Values::Largest => (random.one_of(&[0, 1 << 20, -(1 << 20)]), random.within(-31, 8) as i8),
            Values::Overflow => (
                random.one_of(&[i32::MAX, i32::MIN, i32::MAX - 4000, i32::MIN + 4000]),
                random.one_of(&[-24, -23, -31, 0, 30]),
            ),
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
        for packing in [Packing::Plain, Packing::Pairs, Packing::Quads] {
            let reads = |only: Option<Packing>| backend == Backend::SCALAR || only.is_none_or(|only| only == packing);
            let convs = if reads(Backend::CONV_S8_PACKING) { CONVS.len() } else { 0 };
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
    VALUE_SETS.len() * orders * (CONVS.len() + DENSES.len())
}

const UNTOUCHED: i32 = 0x5a5a_5a5a;

/// Prepares what a kernel may write, and what it may not.
fn guard(b: &mut Buffers) {
    b.output.fill(0x5a);
    b.scratch.fill(UNTOUCHED);
}

/// Whether the outputs are right and nothing else was touched.
fn holds(b: &Buffers, outputs: usize, scratch: usize) -> bool {
    let (before, rest) = b.output.split_at(GUARD);
    let (output, behind) = rest.split_at(outputs);
    let (scratch_before, rest) = b.scratch.split_at(GUARD);
    output == &b.expected[..outputs]
        && before.iter().chain(behind).all(|&byte| byte == 0x5a)
        && scratch_before.iter().chain(&rest[scratch..]).all(|&word| word == UNTOUCHED)
}

fn conv(backend: Backend, b: &mut Buffers, case: usize, packing: Packing, values: Values) -> bool {
    let (geometry, pool) = geometry(&CONVS[case]);
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
    let (inputs, units) = DENSES[case];
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
