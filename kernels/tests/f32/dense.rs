use crate::support::{Exact, Random, add, assert_close, backends, bits, poison};
use std::sync::Mutex;
use thumbnet::arch::{BLOCK_ROWS, Backend, Trainable};

fn check(inputs: usize, units: usize, batch: usize, random: &mut Random) {
    let (x, kernel) = (random.values(batch * inputs), random.values(inputs * units));
    let (bias, dy) = (random.values(units), random.values(batch * units));
    let mut y: Vec<Exact> = bias.iter().map(|&b| (f64::from(b), f64::from(b).abs())).cycle().take(dy.len()).collect();
    let mut dx = vec![(0.0, 0.0); x.len()];
    let mut dkernel = vec![(0.0, 0.0); kernel.len()];
    for b in 0..batch {
        for i in 0..inputs {
            for u in 0..units {
                add(&mut y[b * units + u], x[b * inputs + i], kernel[i * units + u]);
                add(&mut dx[b * inputs + i], dy[b * units + u], kernel[i * units + u]);
                add(&mut dkernel[i * units + u], x[b * inputs + i], dy[b * units + u]);
            }
        }
    }
    let mut dbias = vec![(0.0, 0.0); units];
    dy.iter().enumerate().for_each(|(i, &dy)| add(&mut dbias[i % units], dy, 1.0));
    for backend in backends() {
        let what = |part| format!("{} {part}, {inputs} inputs, {units} units, batch {batch}", backend.name());
        let mut scratch = poison(Backend::dense_scratch_len(inputs, units, batch));
        let mut got = poison(y.len());
        backend.dense(inputs, units, batch, &x, &kernel, Some(&bias), false, &mut got, &mut scratch);
        assert_close(&what("dense"), &got, &y, inputs + 1);
        let linear = got.clone();
        backend.dense(inputs, units, batch, &x, &kernel, Some(&bias), true, &mut got, &mut scratch);
        assert!(got.iter().zip(&linear).all(|(relu, linear)| *relu == linear.max(0.0)), "{}", what("relu"));

        let mut got = poison(x.len());
        backend.dense_input_gradient(inputs, units, batch, &dy, &kernel, &mut got, &mut scratch);
        assert_close(&what("input gradient"), &got, &dx, units);

        // The weights' place holds each weight's index, so that the update can tell whether it got its own.
        let mut places: Vec<f32> = (0..kernel.len()).map(|i| i as f32).collect();
        let mut got = poison(kernel.len());
        let blocks = Mutex::new(Vec::new());
        let update = |first: usize, block: Trainable<'_>, gradient: &[f32]| {
            let [state, none] = block.state;
            assert!(none.is_empty());
            assert!(block.weights.iter().enumerate().all(|(i, &place)| place == (first + i) as f32));
            state.copy_from_slice(gradient);
            blocks.lock().unwrap().push((first, gradient.len()));
        };
        let parameters = Trainable { weights: &mut places, state: [&mut got, &mut []] };
        backend.dense_kernel_gradient(inputs, units, batch, &x, &dy, parameters, &update, &mut scratch);
        assert_close(&what("kernel gradient"), &got, &dkernel, batch);
        let mut blocks = blocks.into_inner().unwrap();
        blocks.sort_unstable();
        let expected = (0..inputs).step_by(BLOCK_ROWS).map(|i| (i * units, BLOCK_ROWS.min(inputs - i) * units));
        assert!(blocks.into_iter().eq(expected), "{}", what("blocks"));

        let mut got = poison(units);
        backend.bias_gradient(units, batch, &dy, &mut got);
        assert_close(&what("bias gradient"), &got, &dbias, batch);
    }
}

#[test]
pub(crate) fn equals_the_formula_for_any_size() {
    let mut random = Random(5);
    for case in 0..200 {
        let most = if case % 4 == 0 { 300 } else { 70 };
        let (inputs, units, batch) = (random.between(1, most), random.between(1, most), random.between(1, 33));
        check(inputs, units, batch, &mut random);
    }
}

/// Sizes at which blocks, panels and copies begin and end.
#[test]
pub(crate) fn equals_the_formula_at_the_edges_of_blocks() {
    for (inputs, units, batch) in
        [(256, 128, 14), (257, 129, 15), (512, 256, 50), (300, 1024, 7), (100, 1030, 50), (784, 10, 1), (1, 1, 1)]
            .into_iter()
            .chain([(128, 32, 14), (159, 33, 15), (160, 64, 14), (31, 32, 2), (32, 257, 29)])
    {
        check(inputs, units, batch, &mut Random(6));
    }
}

/// A single sample has a kernel of its own, which keeps the order of the sums, and leaves out inputs of zero.
#[test]
pub(crate) fn a_samples_output_is_the_same_bits_alone_and_in_a_batch() {
    let mut random = Random(8);
    for (inputs, units) in [(3136, 1024), (259, 77), (700, 33), (5, 300), (1, 1)] {
        let (mut x, kernel) = (random.values(3 * inputs), random.values(inputs * units));
        // The second sample has zeros as behind a ReLU, of either sign, the third nothing else.
        for (i, x) in x.iter_mut().enumerate().skip(inputs) {
            *x = if random.next().is_multiple_of(2) && i < 2 * inputs { *x } else { 0.0 * *x };
        }
        let bias = random.values(units);
        for backend in backends() {
            let run = |batch: usize, x: &[f32]| {
                let mut y = poison(batch * units);
                let mut scratch = poison(Backend::dense_scratch_len(inputs, units, batch));
                backend.dense(inputs, units, batch, x, &kernel, Some(&bias), true, &mut y, &mut scratch);
                bits(&y)
            };
            let alone: Vec<_> = x.chunks_exact(inputs).flat_map(|x| run(1, x)).collect();
            assert!(alone == run(3, &x), "{}: {inputs} inputs, {units} units", backend.name());
        }
    }
}
