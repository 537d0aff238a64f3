//! The f32 methods of `Backend`: on every back end what the scalar kernels give.
#![no_main]

use std::sync::Mutex;

use libfuzzer_sys::fuzz_target;
use thumbnet::{
    arch::{Backend, Trainable},
    geometry::{Geometry, Shape},
};
use thumbnet_fuzz::{Guarded, Source, backends, padded, reduced, silent, values};

fuzz_target!(|data: &[u8]| {
    silent();
    let mut source = Source::new(data);
    match source.between(0, 16) {
        0..=3 => convolution(&mut source),
        4 => convolution_and_pooling(&mut source),
        5 | 6 => pooling(&mut source),
        7 | 8 => dense(&mut source),
        9 => elementwise(&mut source),
        10 => optimizers(&mut source),
        11 | 12 => depthwise(&mut source),
        13 | 14 => normalization(&mut source),
        15 => merge(&mut source),
        _ => zero_padding(&mut source),
    }
});

/// A number of values, or none that a slice has.
fn len(count: usize, each: usize) -> Option<usize> {
    count.checked_mul(each)
}

/// What a call is, what it must be refused for or not, and how far results may be from each other.
struct Call<'a> {
    name: &'a str,
    what: &'a dyn Fn() -> String,
    /// The largest sum of absolute values that a result is made of.
    magnitude: f32,
}

/// The call on every back end, with an output and scratch of so many values.
fn compare(
    source: &mut Source<'_>,
    of: &Call<'_>,
    output: Option<usize>,
    scratch: usize,
    call: &dyn Fn(Backend, &mut [f32], &mut [f32]),
) {
    let mut output = source.slice(output, |_| f32::NAN);
    let mut scratch = source.scratch(scratch, f32::NAN);
    let wrong = source.wrong;
    run(source, of, backends(), &mut output, &mut scratch, call);
    // Rounded operands give other numbers; what is small is exact in bf16.
    if let Some(backend) = reduced() {
        source.wrong = wrong;
        run(source, of, vec![Backend::SCALAR, backend], &mut output, &mut scratch, call);
    }
}

fn run(
    source: &Source<'_>,
    of: &Call<'_>,
    backends: Vec<Backend>,
    output: &mut Guarded<f32>,
    scratch: &mut Guarded<f32>,
    call: &dyn Fn(Backend, &mut [f32], &mut [f32]),
) {
    let mut expected: Option<Vec<f32>> = None;
    for backend in backends {
        output.get_mut().fill(f32::NAN);
        let what = || format!("{} of {}: {}", of.name, backend.name(), (of.what)());
        if !source.call(what, || call(backend, output.get_mut(), scratch.get_mut())) {
            continue;
        }
        let expected = expected.get_or_insert_with(|| output.get().to_vec());
        for (i, (&got, &want)) in output.get().iter().zip(&*expected).enumerate() {
            let close = (got - want).abs() <= 1e-4 * of.magnitude || got.to_bits() == want.to_bits();
            if !close {
                eprintln!("{}: value {i} is {got}, not {want}", what());
                std::process::abort();
            }
        }
    }
}

/// How many positions a window has.
fn taps(g: &Geometry) -> usize {
    g.kernel()[0] * g.kernel()[1]
}

/// Whether this takes too long.
fn is_long(g: &Geometry, batch: usize) -> bool {
    batch > 0 && g.patch().saturating_mul(g.output().len()) > 1 << 20 || g.output().channels > 1 << 16
}

fn convolution(source: &mut Source<'_>) {
    let Some(g) = source.window(None, None) else { return };
    let batch = source.batch();
    if is_long(&g, batch) {
        return;
    }
    let (filters, seed) = (g.output().channels, source.number());
    let [inputs, outputs] = [g.input(), g.output()].map(|shape| len(batch, shape.len()));
    let weights = len(g.patch(), filters);
    let scratch = Backend::conv2d_scratch_len(&g, batch);
    let what = || format!("batch {batch}, {g}");
    let call = |name, terms: usize| Call { name, what: &what, magnitude: 1.0 + 9.0 * terms as f32 };
    let (pass, relu, with_bias) = (source.between(0, 2), source.one_in(2), source.one_in(2));
    match pass {
        0 => {
            let (x, kernel) = (source.slice(inputs, values(seed)), source.slice(weights, values(!seed)));
            let bias = with_bias.then(|| source.slice(Some(filters), values(seed)));
            let bias = bias.as_ref().map(Guarded::get);
            compare(source, &call("conv2d", g.patch()), outputs, scratch, &|backend, y, scratch| {
                backend.conv2d(&g, batch, x.get(), kernel.get(), bias, relu, y, scratch);
            });
        }
        1 => {
            let (dy, kernel) = (source.slice(outputs, values(seed)), source.slice(weights, values(!seed)));
            let terms = taps(&g).saturating_mul(filters);
            compare(source, &call("conv2d_input_gradient", terms), inputs, scratch, &|backend, dx, scratch| {
                backend.conv2d_input_gradient(&g, batch, dy.get(), kernel.get(), dx, scratch);
            });
        }
        _ => {
            let (x, dy) = (source.slice(inputs, values(seed)), source.slice(outputs, values(!seed)));
            let terms = outputs.unwrap_or(0) / filters;
            let dbias = with_bias.then(|| Mutex::new(source.slice(Some(filters), |_| f32::NAN)));
            compare(source, &call("conv2d_kernel_gradient", terms), weights, scratch, &|backend, dkernel, scratch| {
                let mut dbias = dbias.as_ref().map(|dbias| dbias.lock().unwrap_or_else(|broken| broken.into_inner()));
                let dbias = dbias.as_mut().map(|dbias| dbias.get_mut());
                backend.conv2d_kernel_gradient(&g, batch, x.get(), dy.get(), dkernel, dbias, scratch);
            });
        }
    }
}

fn convolution_and_pooling(source: &mut Source<'_>) {
    let Some(g) = source.window(None, None) else { return };
    let over = if source.one_in(32) { None } else { Some(g.output()) };
    let Some(pool) = source.window(over, Some(g.output().channels)) else { return };
    let (batch, seed, relu) = (source.batch(), source.number(), source.one_in(2));
    if is_long(&g, batch) || pool.kernel()[0] > 1 << 20 {
        return;
    }
    source.wrong |= pool.input() != g.output() || !Backend::fuses_max_pool(&g, &pool);
    let filters = g.output().channels;
    let x = source.slice(len(batch, g.input().len()), values(seed));
    let kernel = source.slice(len(g.patch(), filters), values(!seed));
    let bias = source.slice(Some(filters), values(seed));
    let (output, scratch) = (len(batch, pool.output().len()), Backend::conv2d_max_pool_scratch_len(&g, &pool));
    let what = || format!("batch {batch}, {g}; {pool}");
    let of = Call { name: "conv2d_max_pool", what: &what, magnitude: 1.0 + 9.0 * g.patch() as f32 };
    compare(source, &of, output, scratch, &|backend, y, scratch| {
        backend.conv2d_max_pool(&g, &pool, batch, x.get(), kernel.get(), Some(bias.get()), relu, y, scratch);
    });
}

fn pooling(source: &mut Source<'_>) {
    let Some(of) = source.window(None, None) else { return };
    let channels = (!source.one_in(16)).then_some(of.input().channels);
    let Some(g) = source.window(Some(of.input()), channels) else { return };
    let (batch, seed) = (source.batch(), source.number());
    if batch > 0 && taps(&g).saturating_mul(g.output().len()) > 1 << 20 {
        return;
    }
    source.wrong |= g.input().channels != g.output().channels;
    let [inputs, outputs] = [g.input(), g.output()].map(|shape| len(batch, shape.len()));
    let what = || format!("batch {batch}, {g}");
    let x = source.slice(inputs, values(seed));
    let of = |name, magnitude| Call { name, what: &what, magnitude };
    match source.between(0, 3) {
        0 => compare(source, &of("max_pool", 0.0), outputs, 0, &|backend, y, _| {
            backend.max_pool(&g, batch, x.get(), y);
        }),
        1 => {
            let mut y = source.slice(outputs, |_| 0.0);
            let dy = source.slice(outputs, values(!seed));
            if !source.wrong {
                Backend::SCALAR.max_pool(&g, batch, x.get(), y.get_mut());
            }
            compare(source, &of("max_pool_gradient", 0.0), inputs, 0, &|backend, dx, _| {
                backend.max_pool_gradient(&g, batch, x.get(), y.get(), dy.get(), dx);
            });
        }
        2 => compare(source, &of("average_pool", 3.0), outputs, 0, &|backend, y, _| {
            backend.average_pool(&g, batch, x.get(), y);
        }),
        _ => {
            // What is shared is not read.
            source.wrong = g.input().channels != g.output().channels;
            let dy = source.slice(outputs, values(seed));
            compare(source, &of("average_pool_gradient", 3.0 * taps(&g) as f32), inputs, 0, &|backend, dx, _| {
                backend.average_pool_gradient(&g, batch, dy.get(), dx);
            });
        }
    }
}

fn dense(source: &mut Source<'_>) {
    let (inputs, units) = (source.size(700), if source.one_in(16) { source.size(2500) } else { source.size(300) });
    let batch = if source.one_in(2) { source.batch() } else { source.size(40) };
    if units > 1 << 16 || inputs.saturating_mul(units).saturating_mul(batch) > 1 << 22 && inputs.max(batch) < 1 << 20 {
        return;
    }
    let seed = source.number();
    source.wrong |= inputs == 0 || units == 0;
    let scratch = Backend::dense_scratch_len(inputs, units, batch);
    let what = || format!("{inputs} x {units}, batch {batch}");
    let call = |name, terms: usize| Call { name, what: &what, magnitude: 1.0 + 9.0 * terms as f32 };
    let (pass, relu, with_bias) = (source.between(0, 3), source.one_in(2), source.one_in(2));
    let (of_input, of_output) = (len(batch, inputs), len(batch, units));
    match pass {
        0 => {
            let (x, kernel) = (source.slice(of_input, values(seed)), source.slice(len(inputs, units), values(!seed)));
            let bias = with_bias.then(|| source.slice(Some(units), values(seed)));
            let bias = bias.as_ref().map(Guarded::get);
            compare(source, &call("dense", inputs), of_output, scratch, &|backend, y, scratch| {
                backend.dense(inputs, units, batch, x.get(), kernel.get(), bias, relu, y, scratch);
            });
        }
        1 => {
            let (dy, kernel) = (source.slice(of_output, values(seed)), source.slice(len(inputs, units), values(!seed)));
            compare(source, &call("dense_input_gradient", units), of_input, scratch, &|backend, dx, scratch| {
                backend.dense_input_gradient(inputs, units, batch, dy.get(), kernel.get(), dx, scratch);
            });
        }
        2 => {
            let (x, dy) = (source.slice(of_input, values(seed)), source.slice(of_output, values(!seed)));
            compare(source, &call("dense_kernel_gradient", batch), len(inputs, units), scratch, &|backend, y, s| {
                // The gradient is what the weights become.
                let parameters = Trainable { weights: y, state: [&mut [], &mut []] };
                let update = |_, block: Trainable<'_>, gradient: &[f32]| block.weights.copy_from_slice(gradient);
                backend.dense_kernel_gradient(inputs, units, batch, x.get(), dy.get(), parameters, &update, s);
            });
        }
        _ => {
            source.wrong = units == 0;
            let dy = source.slice(of_output, values(seed));
            compare(source, &call("bias_gradient", batch), Some(units), 0, &|backend, db, _| {
                backend.bias_gradient(units, batch, dy.get(), db);
            });
        }
    }
}

fn elementwise(source: &mut Source<'_>) {
    let (seed, count, which) = (source.number(), source.between(0, 5000), source.between(0, 12));
    let classes = if source.one_in(8) { source.between(0, 6000) } else { source.between(1, 60) };
    let count = if which == 0 && !source.one_in(8) { count / classes.max(1) * classes } else { count };
    let x = source.slice(Some(count), values(seed));
    let (seed, rate) = (source.number(), source.between(0, 100) as f32 / 100.0);
    // What the slices hold is the first argument, or for a gradient both of them.
    source.wrong = match which {
        0 => classes == 0 || !x.get().len().is_multiple_of(classes),
        1 => rate >= 1.0,
        _ => false,
    };
    let what = || format!("{} values, {classes} classes, rate {rate}, activation {which}", x.get().len());
    let of = Call { name: "elementwise", what: &what, magnitude: 0.1 };
    let mut y = source.slice(Some(x.get().len()), |_| 0.0);
    if y.get().len() == x.get().len() {
        y.get_mut().copy_from_slice(x.get());
    }
    let gradient = which >= 7;
    source.wrong |= gradient && y.get().len() != x.get().len();
    if !gradient {
        source.wrong = match which {
            0 => classes == 0 || !y.get().len().is_multiple_of(classes),
            1 => rate >= 1.0,
            _ => false,
        };
    }
    compare_changes(source, &of, &y, &|backend, out| match which {
        0 => backend.softmax(classes, out),
        1 => backend.dropout(seed, rate, out),
        2 => backend.relu(out),
        3 => backend.relu6(out),
        4 => backend.sigmoid(out),
        5 => backend.tanh(out),
        6 => backend.leaky_relu(rate, out),
        7 => backend.relu_gradient(x.get(), out),
        8 => backend.relu6_gradient(x.get(), out),
        9 => backend.sigmoid_gradient(x.get(), out),
        10 => backend.tanh_gradient(x.get(), out),
        11 => backend.leaky_relu_gradient(rate, x.get(), out),
        _ => backend.add(x.get(), out),
    });
}

fn optimizers(source: &mut Source<'_>) {
    let (seed, count, which) = (source.number(), source.between(0, 2000), source.between(0, 3));
    let gradient = source.slice(Some(count), values(seed));
    let states = [2, 2, 1, 0][which];
    let state: [_; 2] = std::array::from_fn(|i| {
        let len = if i < states { count } else { 0 };
        Mutex::new(source.slice(Some(len), |_| 1.0))
    });
    // A state that is not asked for may be as long as the weights, and nothing else.
    let what = || format!("{count} weights, rule {which}");
    let of = Call { name: "optimizer", what: &what, magnitude: 0.0 };
    let mut weights = source.slice(Some(count), |_| 1.0);
    let len_of = |i: usize| state[i].lock().map_or(0, |state| state.get().len());
    let needed = weights.get().len();
    source.wrong =
        gradient.get().len() != needed || (0..2).any(|i| len_of(i) != needed && (i < states || len_of(i) != 0));
    let mut none = Guarded::new(&[0.0f32; 0], true);
    run(source, &of, backends(), &mut weights, &mut none, &|backend, weights, _| {
        weights.fill(1.0);
        let [mut first, mut second] =
            state.each_ref().map(|state| state.lock().unwrap_or_else(|broken| broken.into_inner()));
        first.get_mut().fill(1.0);
        second.get_mut().fill(2.0);
        let parameters = Trainable { weights, state: [first.get_mut(), second.get_mut()] };
        match which {
            0 => backend.adam(0.01, 0.9, 0.99, 1e-7, 3, parameters, gradient.get()),
            1 => backend.adadelta(0.01, 0.9, 1e-7, parameters, gradient.get()),
            2 => backend.sgd(0.01, 0.9, true, parameters, gradient.get()),
            _ => backend.sgd(0.01, 0.0, false, parameters, gradient.get()),
        }
    });
}

fn depthwise(source: &mut Source<'_>) {
    let Some(of) = source.window(None, None) else { return };
    let multiplier = source.between(0, 9).max(1);
    let channels = (!source.one_in(16)).then_some(of.input().channels.saturating_mul(multiplier));
    let Some(g) = source.window(Some(of.input()), channels) else { return };
    let (batch, seed, filters) = (source.batch(), source.number(), g.output().channels);
    if filters > 1 << 16 || batch > 0 && taps(&g).saturating_mul(g.output().len()) > 1 << 20 {
        return;
    }
    source.wrong |= !filters.is_multiple_of(g.input().channels);
    let [inputs, outputs] = [g.input(), g.output()].map(|shape| len(batch, shape.len()));
    let weights = len(taps(&g), filters);
    let what = || format!("batch {batch}, {g}");
    let call = |name, terms: usize| Call { name, what: &what, magnitude: 1.0 + 9.0 * terms as f32 };
    let (pass, relu, with_bias) = (source.between(0, 2), source.one_in(2), source.one_in(2));
    match pass {
        0 => {
            let (x, kernel) = (source.slice(inputs, values(seed)), source.slice(weights, values(!seed)));
            let bias = with_bias.then(|| source.slice(Some(filters), values(seed)));
            let bias = bias.as_ref().map(Guarded::get);
            compare(source, &call("depthwise_conv2d", taps(&g)), outputs, 0, &|backend, y, _| {
                backend.depthwise_conv2d(&g, batch, x.get(), kernel.get(), bias, relu, y);
            });
        }
        1 => {
            let (dy, kernel) = (source.slice(outputs, values(seed)), source.slice(weights, values(!seed)));
            let of = call("depthwise_conv2d_input_gradient", taps(&g).saturating_mul(multiplier));
            compare(source, &of, inputs, 0, &|backend, dx, _| {
                backend.depthwise_conv2d_input_gradient(&g, batch, dy.get(), kernel.get(), dx);
            });
        }
        _ => {
            let (x, dy) = (source.slice(inputs, values(seed)), source.slice(outputs, values(!seed)));
            let of = call("depthwise_conv2d_kernel_gradient", outputs.unwrap_or(0) / filters);
            let dbias = with_bias.then(|| Mutex::new(source.slice(Some(filters), |_| f32::NAN)));
            compare(source, &of, weights, 0, &|backend, dkernel, _| {
                let mut dbias = dbias.as_ref().map(|dbias| dbias.lock().unwrap_or_else(|broken| broken.into_inner()));
                let dbias = dbias.as_mut().map(|dbias| dbias.get_mut());
                backend.depthwise_conv2d_kernel_gradient(&g, batch, x.get(), dy.get(), dkernel, dbias);
            });
        }
    }
}

fn normalization(source: &mut Source<'_>) {
    let channels = if source.one_in(8) { source.size(700) } else { source.size(70) };
    let shape = Shape::new(source.size(9), source.size(9), channels);
    let (batch, seed, epsilon) = (source.batch(), source.number(), 0.25);
    let (all, both) = (shape.checked_len().and_then(|each| len(batch, each)), len(2, channels));
    source.wrong |= channels == 0;
    let (pass, relu, with_dx) = (source.between(0, 3), source.one_in(2), source.one_in(2));
    let x = source.slice(all, values(seed));
    let mut value = values(!seed);
    let gamma = source.slice(Some(channels), values(seed));
    let beta = source.slice(Some(channels), values(!seed));
    let moments = source.slice(both, |i| value(i).abs() + 0.25);
    let dy = source.slice(all, values(!seed));
    // What a call does not take is not wrong.
    source.wrong = channels == 0 || Some(x.get().len()) != all;
    if pass > 0 {
        source.wrong |= Some(moments.get().len()) != both || gamma.get().len() != channels;
        source.wrong |= if pass == 1 { beta.get().len() != channels } else { Some(dy.get().len()) != all };
    }
    let what = || format!("batch {batch}, {shape}");
    let call = |name, magnitude| Call { name, what: &what, magnitude };
    let count = (x.get().len() / channels.max(1)) as f32;
    let needed = |source: &Source<'_>| match source.wrong || both.is_none() || all.is_none() {
        true => 0,
        false => Backend::batch_normalization_scratch_len(shape, batch),
    };
    match pass {
        0 => {
            let scratch = needed(source);
            compare(source, &call("moments", 9.0), both, scratch, &|backend, moments, scratch| {
                backend.moments(shape, batch, x.get(), moments, scratch);
            });
        }
        1 => {
            let (parameters, scratch) = ([gamma.get(), beta.get()], needed(source));
            compare(source, &call("batch_normalization", 30.0), all, scratch, &|backend, y, scratch| {
                let moments = moments.get();
                backend.batch_normalization(shape, batch, x.get(), parameters, epsilon, moments, relu, y, scratch);
            });
        }
        2 => {
            let dparameters = Mutex::new(source.slice(both, |_| f32::NAN));
            let (read, scratch) = ([x.get(), dy.get()], needed(source));
            let of = call("batch_normalization_gradient for x", 1000.0);
            compare(source, &of, all, scratch, &|backend, dx, scratch| {
                let mut dparameters = dparameters.lock().unwrap_or_else(|broken| broken.into_inner());
                let (gamma, moments, dparameters) = (gamma.get(), moments.get(), dparameters.get_mut());
                backend.batch_normalization_gradient(
                    shape,
                    batch,
                    read,
                    gamma,
                    epsilon,
                    moments,
                    dparameters,
                    Some(dx),
                    scratch,
                );
            });
        }
        _ => {
            let dx = with_dx.then(|| Mutex::new(source.slice(all, |_| f32::NAN)));
            let (read, scratch) = ([x.get(), dy.get()], needed(source));
            let of = call("batch_normalization_gradient", 1.0 + 30.0 * count);
            compare(source, &of, both, scratch, &|backend, dparameters, scratch| {
                let mut dx = dx.as_ref().map(|dx| dx.lock().unwrap_or_else(|broken| broken.into_inner()));
                let dx = dx.as_mut().map(|dx| dx.get_mut());
                let (gamma, moments) = (gamma.get(), moments.get());
                backend.batch_normalization_gradient(
                    shape,
                    batch,
                    read,
                    gamma,
                    epsilon,
                    moments,
                    dparameters,
                    dx,
                    scratch,
                );
            });
        }
    }
}

/// Calls that change `y`, on every back end from the same values on.
fn compare_changes(source: &Source<'_>, of: &Call<'_>, y: &Guarded<f32>, call: &dyn Fn(Backend, &mut [f32])) {
    let mut none = Guarded::new(&[0.0f32; 0], true);
    let mut values = Guarded::new(y.get(), true);
    run(source, of, backends(), &mut values, &mut none, &|backend, out, _| {
        out.copy_from_slice(y.get());
        call(backend, out);
    });
}

fn merge(source: &mut Source<'_>) {
    let seed = source.number();
    if source.one_in(2) {
        let (batch, short, times) = (source.batch(), source.size(40), source.between(1, 20));
        let is_sum = source.one_in(2);
        let [short, long] = [Some(short), len(short, times)].map(|each| each.and_then(|each| len(batch, each)));
        let [x_len, y_len] = if is_sum && source.one_in(2) { [long, short] } else { [short, long] };
        let (dy, x) = (source.slice(long, values(seed)), source.slice(x_len, values(!seed)));
        let y = source.slice(y_len, values(seed));
        let what = || format!("batch {batch}, {} by {} values", y.get().len(), x.get().len());
        let of = |name, terms: usize| Call { name, what: &what, magnitude: 1.0 + 9.0 * terms as f32 };
        // Values of a sample, which has some.
        let each = |tensor: &Guarded<f32>| {
            let len = tensor.get().len();
            (batch > 0 && len >= batch && len.is_multiple_of(batch)).then(|| len / batch)
        };
        if is_sum {
            source.wrong = match (each(&dy), each(&x), each(&y)) {
                (Some(dy), Some(x), Some(y)) => x.max(y) != dy || !dy.is_multiple_of(x.min(y)),
                _ => true,
            };
            return compare_changes(source, &of("multiply_gradient", times + 1), &y, &|backend, dx| {
                backend.multiply_gradient(batch, dy.get(), x.get(), dx);
            });
        }
        source.wrong = match (each(&x), each(&y)) {
            (Some(x), Some(y)) => !y.is_multiple_of(x),
            _ => true,
        };
        return compare_changes(source, &of("multiply", 1), &y, &|backend, y| backend.multiply(batch, x.get(), y));
    }
    let (positions, width) = (if source.one_in(16) { source.size(60) } else { source.between(0, 60) }, source.size(40));
    let first = if source.one_in(16) { source.size(40) } else { source.between(0, 40) };
    let of_all = match source.one_in(16) {
        true => source.size(80),
        false => first.saturating_add(width).saturating_add(source.between(0, 20)),
    };
    let part = source.slice(len(positions, width), values(seed));
    let whole = source.slice(len(positions, of_all), values(!seed));
    let what = || format!("{positions} positions, {first}..{first} + {width} of {of_all}");
    let of = |name| Call { name, what: &what, magnitude: 0.0 };
    source.wrong = width == 0 || first.checked_add(width).is_none_or(|end| end > of_all) || {
        let [part, whole] = [part.get().len(), whole.get().len()];
        !part.is_multiple_of(width) || !whole.is_multiple_of(of_all) || part / width != whole / of_all
    };
    if source.one_in(2) {
        compare_changes(source, &of("concatenate"), &whole, &|backend, y| {
            backend.concatenate(width, part.get(), [first, of_all], y);
        });
    } else {
        compare_changes(source, &of("concatenate_gradient"), &part, &|backend, dx| {
            backend.concatenate_gradient(width, whole.get(), [first, of_all], dx);
        });
    }
}

fn zero_padding(source: &mut Source<'_>) {
    let shape = Shape::new(source.size(12), source.size(12), source.size(20));
    let padding = [0; 2].map(|_: i32| [0; 2].map(|_: i32| source.size(4).wrapping_sub(1)));
    let (batch, seed) = (source.batch(), source.number());
    let [of_x, of_y] =
        [shape, padded(shape, padding)].map(|shape| shape.checked_len().and_then(|each| len(batch, each)));
    let what = || format!("batch {batch}, {shape}, {padding:?}");
    let of = |name| Call { name, what: &what, magnitude: 0.0 };
    if source.one_in(2) {
        let x = source.slice(of_x, values(seed));
        compare(source, &of("zero_padding"), of_y, 0, &|backend, y, _| {
            backend.zero_padding(shape, padding, batch, x.get(), y);
        });
    } else {
        let dy = source.slice(of_y, values(seed));
        compare(source, &of("zero_padding_gradient"), of_x, 0, &|backend, dx, _| {
            backend.zero_padding_gradient(shape, padding, batch, dy.get(), dx);
        });
    }
}
