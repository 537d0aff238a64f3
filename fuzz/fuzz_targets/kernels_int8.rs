//! The int8 methods of `Backend`: the same bytes on every back end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thumbnet::{
    arch::{Backend, Cores},
    geometry::Geometry,
    int8::{
        AddS8, ConvS8, DenseS8, DepthwiseConvS8, MeanS8, MulS8, Packing, QuantizedMultiplier, Requantize, RescaleS8,
        SoftmaxS8,
    },
};
use thumbnet_fuzz::{Guarded, Source, backends, silent, values};

fuzz_target!(|data: &[u8]| {
    silent();
    let mut source = Source::new(data);
    match source.between(0, 12) {
        0 => dense(&mut source),
        1 => pooling(&mut source),
        2 => elementwise(&mut source),
        3 => sum(&mut source),
        4 => depthwise(&mut source),
        5 => mean(&mut source),
        6 => product(&mut source),
        7 => concatenation(&mut source),
        _ => convolution(&mut source),
    }
});

fn byte(seed: u64) -> impl FnMut(usize) -> i8 {
    let mut next = values(seed);
    move |_| (next(0) * 37.0 + next(1) * 5.0 + next(2)).clamp(-127.0, 127.0) as i8
}

/// The ends of an activation, of a call that takes some.
fn activation(source: &mut Source<'_>, is_taken: bool) -> [i8; 2] {
    let [low, high] = [0; 2].map(|_: i32| source.number() as i8);
    let activation = if source.one_in(32) { [low, high] } else { [low.min(high), low.max(high)] };
    source.wrong |= is_taken && activation[0] > activation[1];
    activation
}

/// A factor of a call that takes shifts of at most that.
fn factor(source: &mut Source<'_>, most: i8) -> QuantizedMultiplier {
    let (number, places) = (source.number(), source.between(0, usize::from(most.unsigned_abs()) + 31) as i8 - 31);
    let any = source.one_in(32);
    let multiplier = if any { number as i32 } else { (number as i32) & i32::MAX };
    let shift = if any { (number >> 32) as i8 } else { places };
    source.wrong |= multiplier < 0 || !(-31..=most).contains(&shift);
    QuantizedMultiplier { multiplier, shift }
}

/// The parameters of some channels.
struct Tensors {
    weights: Guarded<i8>,
    packing: Packing,
    bias: Guarded<i32>,
    multiplier: Guarded<i32>,
    shift: Guarded<i8>,
    zero_point: i8,
    activation: [i8; 2],
}

impl Tensors {
    fn new(source: &mut Source<'_>, weights: Option<usize>, channels: usize) -> Self {
        let seed = source.number();
        let packing = [Packing::Plain, Packing::Plain, Packing::Pairs, Packing::Quads][source.between(0, 3)];
        let (mut number, mut other) = (values(seed), values(!seed));
        let activation = activation(source, true);
        let places = source.between(0, 61) as i8 - 31;
        Self {
            weights: source.slice(weights, byte(seed)),
            packing,
            bias: source.slice(Some(channels), |i| number(i) as i32 * 1000),
            multiplier: source.slice(Some(channels), |i| (1 << 30) + other(i) as i32 * 1_000_000),
            shift: source.slice(Some(channels), |_| places),
            zero_point: source.number() as i8,
            activation,
        }
    }

    fn requantize(&self) -> Requantize<'_> {
        let (zero_point, activation) = (self.zero_point, self.activation);
        Requantize { multiplier: self.multiplier.get(), shift: self.shift.get(), zero_point, activation }
    }
}

/// Inputs and outputs of some samples, each of so many values; sometimes of other lengths, of which few are as many
/// samples.
fn samples(source: &mut Source<'_>, batch: usize, [input, output]: [usize; 2]) -> [Guarded<i8>; 2] {
    let (wrong, seed) = (source.wrong, source.number());
    let x = source.slice(input.checked_mul(batch), byte(seed));
    let y = source.slice(output.checked_mul(batch), |_| 0x55);
    source.wrong = wrong || {
        let [x, y] = [x.get().len(), y.get().len()];
        !x.is_multiple_of(input) || !y.is_multiple_of(output) || x / input != y / output
    };
    [x, y]
}

/// The call on every back end, with that output.
fn compare(
    source: &mut Source<'_>,
    output: &mut Guarded<i8>,
    scratch: usize,
    what: &dyn Fn() -> String,
    call: &dyn Fn(Backend, &mut [i8], &mut [i32]),
) {
    let mut scratch = source.scratch(scratch, 0x1234_5678);
    run(source, output, what, &mut |backend, y| {
        y.fill(0x55);
        call(backend, y, scratch.get_mut());
    });
}

/// Calls that change `y`, on every back end from the same values on.
fn compare_changes(source: &Source<'_>, y: &Guarded<i8>, what: &dyn Fn() -> String, call: &dyn Fn(Backend, &mut [i8])) {
    run(source, &mut Guarded::new(y.get(), true), what, &mut |backend, out| {
        out.copy_from_slice(y.get());
        call(backend, out);
    });
}

fn run(
    source: &Source<'_>,
    output: &mut Guarded<i8>,
    what: &dyn Fn() -> String,
    call: &mut dyn FnMut(Backend, &mut [i8]),
) {
    let mut expected = None;
    for backend in backends() {
        let what = || format!("{} {}", backend.name(), what());
        if source.call(what, || call(backend, output.get_mut())) {
            let expected = expected.get_or_insert_with(|| output.get().to_vec());
            if output.get() != expected {
                eprintln!("{} differs", what());
                std::process::abort();
            }
        }
    }
}

fn convolution(source: &mut Source<'_>) {
    let Some(g) = source.window(None, None) else { return };
    let pool = match source.between(0, 3) {
        0 => None,
        1 if source.one_in(8) => source.window(None, None),
        _ => source.window(Some(g.output()), Some(g.output().channels)),
    };
    let fits = |pool: &Geometry| pool.input() == g.output() && pool.output().channels == g.output().channels;
    if pool.as_ref().is_some_and(|pool| pool.kernel()[0] > 1 << 20) {
        // Whether its rows fit is decided by a product that this would have to make again.
        return;
    }
    source.wrong |= pool.as_ref().is_some_and(|pool| !fits(pool));
    let (channels, patch) = (g.output().channels, g.patch());
    let each = pool.map_or(g.output(), |pool| pool.output()).len();
    let batch = source.batch();
    if batch > 0 && patch.saturating_mul(g.output().len()) > 1 << 20 || channels > 1 << 16 {
        return;
    }
    let tensors = Tensors::new(source, patch.checked_mul(channels), channels);
    let layer = ConvS8 {
        geometry: &g,
        pool: pool.as_ref(),
        input_zero_point: source.number() as i8,
        weights: tensors.weights.get(),
        packing: tensors.packing,
        bias: tensors.bias.get(),
        requantize: tensors.requantize(),
    };
    let [input, mut output] = samples(source, batch, [g.input().len(), each]);
    let scratch = if source.wrong { 0 } else { Backend::conv_s8_scratch_len(&g, pool.as_ref()) };
    if !source.wrong {
        let _ = Cores::ALL.map(|cores| cores.conv_s8_scratch_len(&g, pool.as_ref()));
    }
    compare(source, &mut output, scratch, &|| format!("conv_s8 {g}; {pool:?}"), &|backend, y, scratch| {
        backend.conv_s8(&layer, input.get(), y, scratch);
    });
}

fn depthwise(source: &mut Source<'_>) {
    let Some(of) = source.window(None, None) else { return };
    let multiplier = source.between(1, 8);
    let channels = (!source.one_in(16)).then_some(of.input().channels.saturating_mul(multiplier));
    let Some(g) = source.window(Some(of.input()), channels) else { return };
    let (outputs, taps, batch) = (g.output().channels, g.kernel()[0].checked_mul(g.kernel()[1]), source.batch());
    if outputs > 1 << 16 || batch > 0 && taps.is_none_or(|taps| taps.saturating_mul(g.output().len()) > 1 << 20) {
        return;
    }
    source.wrong |= !outputs.is_multiple_of(g.input().channels);
    let tensors = Tensors::new(source, taps.and_then(|taps| taps.checked_mul(outputs)), outputs);
    let layer = DepthwiseConvS8 {
        geometry: &g,
        input_zero_point: source.number() as i8,
        weights: tensors.weights.get(),
        bias: tensors.bias.get(),
        requantize: tensors.requantize(),
    };
    let [input, mut output] = samples(source, batch, [g.input().len(), g.output().len()]);
    let scratch = Backend::depthwise_conv_s8_scratch_len(&g);
    compare(source, &mut output, scratch, &|| format!("depthwise_conv_s8 {g}"), &|backend, y, scratch| {
        backend.depthwise_conv_s8(&layer, input.get(), y, scratch);
    });
}

fn dense(source: &mut Source<'_>) {
    let (inputs, units, batch) = (source.size(200), source.size(40), source.batch());
    if units > 1 << 16 {
        return;
    }
    source.wrong |= inputs == 0 || units == 0;
    let tensors = Tensors::new(source, inputs.checked_mul(units), units);
    let layer = DenseS8 {
        inputs,
        units,
        weights: tensors.weights.get(),
        packing: tensors.packing,
        bias: tensors.bias.get(),
        requantize: tensors.requantize(),
    };
    let [input, mut output] = samples(source, batch, [inputs, units]);
    let scratch = Backend::dense_s8_scratch_len(inputs, units);
    compare(source, &mut output, scratch, &|| format!("dense_s8 {inputs} {units}"), &|backend, y, s| {
        backend.dense_s8(&layer, input.get(), y, s);
    });
}

fn pooling(source: &mut Source<'_>) {
    let Some(of) = source.window(None, None) else { return };
    let channels = (!source.one_in(16)).then_some(of.input().channels);
    let Some(g) = source.window(Some(of.input()), channels) else { return };
    source.wrong |= g.input().channels != g.output().channels;
    let (batch, is_mean) = (source.batch(), source.one_in(2));
    let taps = g.kernel()[0] * g.kernel()[1];
    if batch > 0 && taps.saturating_mul(g.output().len()) > 1 << 20 {
        return;
    }
    let activation = activation(source, is_mean);
    let [input, mut output] = samples(source, batch, [g.input().len(), g.output().len()]);
    if is_mean {
        source.wrong |= taps > MeanS8::MAX_COUNT;
        let what = || format!("average_pool_s8 {g} {activation:?}");
        compare(source, &mut output, 0, &what, &|backend, y, _| {
            backend.average_pool_s8(&g, activation, input.get(), y);
        });
    } else {
        let what = || format!("max_pool_s8 {g}");
        compare(source, &mut output, 0, &what, &|backend, y, _| backend.max_pool_s8(&g, input.get(), y));
    }
}

fn elementwise(source: &mut Source<'_>) {
    let (seed, classes) = (source.number(), source.between(1, 40));
    let len = source.between(0, 3000) / classes * classes;
    let (values, scale) = (source.slice(Some(len), byte(seed)), source.between(1, 1000) as f64 / 1000.0);
    let softmax = SoftmaxS8::new(scale);
    let table = std::array::from_fn(|i| i as i8);
    source.wrong = !values.get().len().is_multiple_of(classes);
    let mut output = source.slice(Some(values.get().len()), |_| 0x55);
    compare(source, &mut output, 0, &|| format!("softmax_s8 {classes}, table_s8"), &|backend, y, _| {
        if y.len() == values.get().len() {
            y.copy_from_slice(values.get());
        }
        backend.softmax_s8(&softmax, classes, y);
        backend.table_s8(&table, y);
        assert_eq!(y.len(), values.get().len());
    });
}

fn sum(source: &mut Source<'_>) {
    let (seed, len) = (source.number(), source.between(0, 3000));
    let x = source.slice(Some(len), byte(seed));
    source.wrong = false;
    let inputs = [0; 2].map(|_: i32| factor(source, 0));
    let output = factor(source, *Requantize::SHIFTS.end());
    let input_zero_points = [0; 2].map(|_: i32| source.number() as i8);
    let (zero_point, activation) = (source.number() as i8, activation(source, true));
    let layer = AddS8 { input_zero_points, inputs, output, zero_point, activation };
    let mut output = source.slice(Some(x.get().len()), |_| 0x55);
    compare(source, &mut output, 0, &|| format!("add_s8 {layer:?}"), &|backend, y, _| {
        backend.add_s8(&layer, x.get(), y);
    });
}

fn mean(source: &mut Source<'_>) {
    let (positions, channels, seed) = (source.size(200), source.size(60), source.number());
    let input = source.slice(positions.checked_mul(channels), byte(seed));
    let output = source.slice(Some(channels), |_| 0x55);
    let (values, channels) = (input.get().len(), output.get().len());
    source.wrong = channels == 0 || !values.is_multiple_of(channels) || values / channels > MeanS8::MAX_COUNT;
    let factor = factor(source, *Requantize::SHIFTS.end());
    let mean = MeanS8 { offset: source.number() as i32, factor, zero_point: source.number() as i8 };
    let what = || format!("mean_s8 {values} {channels} {mean:?}");
    compare_changes(source, &output, &what, &|backend, y| backend.mean_s8(&mean, input.get(), y));
}

fn product(source: &mut Source<'_>) {
    let (short, times, seed) = (source.size(80), source.between(0, 40), source.number());
    let (x, y) = (source.slice(Some(short), byte(seed)), source.slice(short.checked_mul(times), byte(!seed)));
    source.wrong = x.get().is_empty() || !y.get().len().is_multiple_of(x.get().len());
    let factor = factor(source, *Requantize::SHIFTS.end());
    let input_zero_points = [0; 2].map(|_: i32| source.number() as i8);
    let (zero_point, activation) = (source.number() as i8, activation(source, true));
    let layer = MulS8 { input_zero_points, factor, zero_point, activation };
    let what = || format!("multiply_s8 {} {} {layer:?}", x.get().len(), y.get().len());
    compare_changes(source, &y, &what, &|backend, y| backend.multiply_s8(&layer, x.get(), y));
}

fn concatenation(source: &mut Source<'_>) {
    let (positions, width, seed) = (source.size(60), source.size(40), source.number());
    let first = if source.one_in(16) { source.size(40) } else { source.between(0, 40) };
    let to_width = match source.one_in(16) {
        true => source.size(80),
        false => first.saturating_add(width).saturating_add(source.between(0, 20)),
    };
    let x = source.slice(positions.checked_mul(width), byte(seed));
    let y = source.slice(positions.checked_mul(to_width), byte(!seed));
    source.wrong = width == 0 || first.checked_add(width).is_none_or(|end| end > to_width) || {
        let [x, y] = [x.get().len(), y.get().len()];
        !x.is_multiple_of(width) || !y.is_multiple_of(to_width) || x / width != y / to_width
    };
    let factors = [0; 2].map(|_: i32| factor(source, *Requantize::SHIFTS.end()));
    let [input_zero_point, zero_point] = [0; 2].map(|_: i32| source.number() as i8);
    let layer = RescaleS8 { input_zero_point, factors, zero_point, activation: activation(source, true) };
    let what = || format!("concatenate_s8 {first} {width} {to_width} {layer:?}");
    compare_changes(source, &y, &what, &|backend, y| {
        backend.concatenate_s8(&layer, width, x.get(), [first, to_width], y);
    });
}
