//! The number of threads must not change a bit.
#![cfg(feature = "std")]

use crate::support::{Random, backends, bits, poison};
use thumbnet::{
    arch::{Backend, Precision, Trainable},
    geometry::{Geometry, Padding, Shape},
};

/// How many threads there are, beside one alone.
pub(crate) const THREADS: [usize; 3] = [2, 3, 7];

/// Runs `work` in pools of 1, 2, 3 and 7 threads, and fails unless the results are the same bits.
pub(crate) fn same_for_any_number(what: &str, work: impl Fn() -> Vec<f32> + Sync) {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        bits(&pool.install(&work))
    };
    let alone = run(1);
    for threads in THREADS {
        assert!(run(threads) == alone, "{what} depends on the number of threads: {threads}");
    }
}

#[test]
fn conv2d() {
    let mut random = Random(11);
    for (shape, filters, kernel, stride, batch) in [
        (Shape::new(14, 14, 32), 64, [5, 5], 1, 10),
        (Shape::new(28, 28, 1), 32, [5, 5], 1, 17),
        (Shape::new(28, 28, 3), 20, [3, 3], 2, 1),
        (Shape::new(30, 30, 16), 20, [3, 3], 1, 1),
        (Shape::new(17, 30, 16), 32, [3, 3], 1, 9),
        (Shape::new(31, 29, 32), 16, [5, 5], 1, 1),
        // So few tiles that threads share them by filters.
        (Shape::new(14, 14, 32), 64, [5, 5], 1, 1),
        (Shape::new(14, 14, 48), 80, [5, 5], 1, 1),
        (Shape::new(8, 8, 16), 96, [3, 3], 1, 3),
        // Two sums of a kernel's gradient, which threads share by channels.
        (Shape::new(14, 14, 48), 16, [5, 5], 1, 27),
        // Pixels by themselves, of many channels and of few.
        (Shape::new(25, 5, 64), 64, [1, 1], 1, 9),
        (Shape::new(25, 5, 3), 40, [1, 1], 1, 9),
        (Shape::new(32, 32, 16), 32, [1, 1], 2, 5),
    ] {
        let g = Geometry::new(shape, filters, kernel, [stride; 2], Padding::Same).unwrap();
        let (x, weights) = (random.values(batch * g.input().len()), random.values(g.patch() * filters));
        let (bias, dy) = (random.values(filters), random.values(batch * g.output().len()));
        for backend in backends() {
            same_for_any_number("conv2d", || {
                let mut scratch = poison(Backend::conv2d_scratch_len(&g, batch));
                let mut y = poison(dy.len());
                backend.conv2d(&g, batch, &x, &weights, Some(&bias), false, &mut y, &mut scratch);
                let mut dx = poison(x.len());
                backend.conv2d_input_gradient(&g, batch, &dy, &weights, &mut dx, &mut scratch);
                let (mut dkernel, mut dbias) = (poison(weights.len()), poison(filters));
                backend.conv2d_kernel_gradient(&g, batch, &x, &dy, &mut dkernel, Some(&mut dbias), &mut scratch);
                [y, dx, dkernel, dbias].concat()
            });
        }
    }
}

/// A sample alone, whose few tiles threads share by filters, is the same bits as in a batch.
#[test]
fn conv2d_of_few_tiles() {
    let mut random = Random(16);
    let g = Geometry::new(Shape::new(14, 14, 48), 80, [5, 5], [1, 1], Padding::Same).unwrap();
    let (x, weights) = (random.values(4 * g.input().len()), random.values(g.patch() * 80));
    for backend in backends() {
        let run = |batch: usize, x: &[f32]| {
            let mut scratch = poison(Backend::conv2d_scratch_len(&g, batch));
            let mut y = poison(batch * g.output().len());
            backend.conv2d(&g, batch, x, &weights, None, false, &mut y, &mut scratch);
            bits(&y)
        };
        let alone: Vec<_> = x.chunks_exact(g.input().len()).flat_map(|x| run(1, x)).collect();
        assert!(alone == run(4, &x), "{}", backend.name());
    }
}

#[test]
fn conv2d_max_pool() {
    let mut random = Random(15);
    for (shape, filters, kernel, batch) in [
        (Shape::new(14, 14, 32), 64, [5, 5], 9),
        (Shape::new(28, 28, 1), 32, [5, 5], 11),
        (Shape::new(70, 70, 3), 20, [3, 3], 1),
        (Shape::new(31, 29, 32), 16, [5, 5], 1),
        (Shape::new(14, 14, 32), 64, [5, 5], 1),
        (Shape::new(14, 14, 48), 80, [5, 5], 1),
    ] {
        let g = Geometry::new(shape, filters, kernel, [1, 1], Padding::Same).unwrap();
        let pool = Geometry::new(g.output(), filters, [2, 2], [2, 2], Padding::Same).unwrap();
        let (x, weights) = (random.values(batch * g.input().len()), random.values(g.patch() * filters));
        for backend in backends() {
            same_for_any_number("conv2d_max_pool", || {
                let mut scratch = poison(Backend::conv2d_max_pool_scratch_len(&g, &pool));
                let mut y = poison(batch * pool.output().len());
                backend.conv2d_max_pool(&g, &pool, batch, &x, &weights, None, true, &mut y, &mut scratch);
                y
            });
        }
    }
}

#[test]
fn dense() {
    let mut random = Random(12);
    let (inputs, units, batch) = (700, 512, 50);
    let (x, weights) = (random.values(batch * inputs), random.values(inputs * units));
    let (bias, dy) = (random.values(units), random.values(batch * units));
    let reduced = backends().into_iter().filter_map(|backend| backend.with_precision(Precision::Bf16));
    for backend in backends().into_iter().chain(reduced) {
        same_for_any_number("dense", || {
            let mut scratch = poison(Backend::dense_scratch_len(inputs, units, batch));
            let mut y = poison(dy.len());
            backend.dense(inputs, units, batch, &x, &weights, Some(&bias), true, &mut y, &mut scratch);
            let mut dx = poison(x.len());
            backend.dense_input_gradient(inputs, units, batch, &dy, &weights, &mut dx, &mut scratch);
            let mut trained = weights.clone();
            let mut state = [vec![0.0; trained.len()], vec![0.0; trained.len()]];
            let [first, second] = &mut state;
            let parameters = Trainable { weights: &mut trained, state: [first, second] };
            let update = |_: usize, block: Trainable<'_>, gradient: &[f32]| {
                backend.adadelta(1.0, 0.95, 1e-7, block, gradient);
            };
            backend.dense_kernel_gradient(inputs, units, batch, &x, &dy, parameters, &update, &mut scratch);
            let mut dbias = poison(units);
            backend.bias_gradient(units, batch, &dy, &mut dbias);
            let [first, second] = state;
            [y, dx, trained, first, second, dbias].concat()
        });
    }
}

#[test]
fn pooling_and_elementwise() {
    let mut random = Random(13);
    let g = Geometry::new(Shape::new(15, 15, 24), 24, [3, 3], [2, 2], Padding::Same).unwrap();
    let batch = 20;
    let (x, dy) = (random.values(batch * g.input().len()), random.values(batch * g.output().len()));
    for backend in backends() {
        same_for_any_number("pooling or an elementwise kernel", || {
            let (mut y, mut dx) = (poison(dy.len()), poison(x.len()));
            backend.max_pool(&g, batch, &x, &mut y);
            backend.max_pool_gradient(&g, batch, &x, &y, &dy, &mut dx);
            let mut z = x.clone();
            backend.tanh(&mut z);
            backend.dropout(3, 0.3, &mut z);
            backend.softmax(24, &mut z);
            backend.sigmoid(&mut dx);
            [y, dx, z].concat()
        });
    }
}

/// Back ends with fused multiply-add share their order of sums, so they agree on every bit too.
#[test]
fn vector_back_ends_agree() {
    let (Some(avx2), Some(avx512)) = (Backend::with_name("avx2"), Backend::with_name("avx512")) else { return };
    let mut random = Random(14);
    for (channels, filters, kernel, strides) in
        [(20, 40, [5, 5], [1, 1]), (32, 64, [5, 5], [1, 1]), (20, 40, [1, 1], [1, 1]), (32, 64, [3, 3], [2, 2])]
    {
        let g = Geometry::new(Shape::new(14, 14, channels), filters, kernel, strides, Padding::Same).unwrap();
        let (x, weights) = (random.values(3 * g.input().len()), random.values(g.patch() * filters));
        let run = |backend: Backend| {
            let (mut y, mut dx) = (poison(3 * g.output().len()), poison(x.len()));
            let mut scratch = poison(Backend::conv2d_scratch_len(&g, 3));
            backend.conv2d(&g, 3, &x, &weights, None, false, &mut y, &mut scratch);
            backend.conv2d_input_gradient(&g, 3, &y, &weights, &mut dx, &mut scratch);
            let mut dkernel = poison(weights.len());
            backend.conv2d_kernel_gradient(&g, 3, &x, &y, &mut dkernel, None, &mut scratch);
            [bits(&y), bits(&dx), bits(&dkernel)].concat()
        };
        assert!(run(avx2) == run(avx512), "{channels} channels, {filters} filters");
        let run = |backend: Backend, multiplier: usize| {
            let outputs = multiplier * channels;
            let g = Geometry::new(g.input(), outputs, kernel, strides, Padding::Same).unwrap();
            let (mut y, mut dx) = (poison(3 * g.output().len()), poison(x.len()));
            let weights = &weights[..g.kernel()[0] * g.kernel()[1] * outputs];
            backend.depthwise_conv2d(&g, 3, &x, weights, None, true, &mut y);
            backend.depthwise_conv2d_input_gradient(&g, 3, &y, weights, &mut dx);
            let mut dkernel = poison(weights.len());
            backend.depthwise_conv2d_kernel_gradient(&g, 3, &x, &y, &mut dkernel, None);
            [bits(&y), bits(&dx), bits(&dkernel)].concat()
        };
        for multiplier in [1, 2, 3, 8] {
            assert!(run(avx2, multiplier) == run(avx512, multiplier), "depthwise, {channels} channels by {multiplier}");
        }
    }
}

#[test]
fn depthwise_conv2d() {
    let mut random = Random(14);
    for (shape, multiplier, batch) in [
        (Shape::new(25, 5, 64), 1, 10),
        (Shape::new(9, 7, 100), 1, 60),
        (Shape::new(25, 5, 64), 2, 10),
        (Shape::new(25, 5, 64), 3, 10),
        (Shape::new(25, 5, 17), 8, 20),
        (Shape::new(25, 5, 16), 9, 20),
    ] {
        let outputs = shape.channels * multiplier;
        let g = Geometry::new(shape, outputs, [3, 3], [1, 1], Padding::Same).unwrap();
        let (x, kernel) = (random.values(batch * g.input().len()), random.values(9 * outputs));
        let dy = random.values(batch * g.output().len());
        for backend in backends() {
            same_for_any_number(&format!("depthwise on {}", backend.name()), || {
                let (mut y, mut dx) = (poison(dy.len()), poison(x.len()));
                let (mut dkernel, mut dbias) = (poison(kernel.len()), poison(outputs));
                backend.depthwise_conv2d(&g, batch, &x, &kernel, None, true, &mut y);
                backend.depthwise_conv2d_input_gradient(&g, batch, &dy, &kernel, &mut dx);
                backend.depthwise_conv2d_kernel_gradient(&g, batch, &x, &dy, &mut dkernel, Some(&mut dbias));
                [y, dx, dkernel, dbias].concat()
            });
        }
    }
}

#[test]
fn batch_normalization() {
    let mut random = Random(17);
    for (shape, batch) in [(Shape::new(32, 32, 16), 9), (Shape::new(25, 5, 64), 40), (Shape::vector(3), 50_000)] {
        let [x, dy] = [0; 2].map(|_| random.values(batch * shape.len()));
        let [gamma, beta] = [0; 2].map(|_| random.values(shape.channels));
        for backend in backends() {
            same_for_any_number(&format!("batch normalisation on {}", backend.name()), || {
                let mut scratch = poison(Backend::batch_normalization_scratch_len(shape, batch));
                let (mut moments, mut parameters) = (poison(2 * shape.channels), poison(2 * shape.channels));
                let (mut y, mut dx) = (poison(x.len()), poison(x.len()));
                backend.moments(shape, batch, &x, &mut moments, &mut scratch);
                let both = [&gamma[..], &beta];
                backend.batch_normalization(shape, batch, &x, both, 1e-3, &moments, true, &mut y, &mut scratch);
                let (read, dx_wanted) = ([&x[..], &dy], Some(&mut dx[..]));
                backend.batch_normalization_gradient(
                    shape,
                    batch,
                    read,
                    &gamma,
                    1e-3,
                    &moments,
                    &mut parameters,
                    dx_wanted,
                    &mut scratch,
                );
                [moments, parameters, y, dx].concat()
            });
        }
    }
}

#[test]
fn products() {
    let mut random = Random(18);
    let (a, b, dy) = (random.values(64 * 4000), random.values(64 * 40), random.values(64 * 4000));
    for backend in backends() {
        same_for_any_number(&format!("products on {}", backend.name()), || {
            let (mut y, mut da, mut db) = (a.clone(), vec![0.0; a.len()], vec![0.0; b.len()]);
            backend.multiply(64, &b, &mut y);
            backend.multiply_gradient(64, &dy, &b, &mut da);
            backend.multiply_gradient(64, &dy, &a, &mut db);
            [y, da, db].concat()
        });
    }
}
