use crate::conv2d::for_each_product;
use crate::support::{Exact, Random, add, assert_close, backends, poison, refusal};
use thumbnet::geometry::{Geometry, Padding, Shape};

/// A convolution whose kernel is zero between other channels.
fn check(g: &Geometry, batch: usize, random: &mut Random) {
    let (channels, outputs) = (g.input().channels, g.output().channels);
    let taps = g.kernel()[0] * g.kernel()[1];
    let (x, kernel) = (random.values(batch * g.input().len()), random.values(taps * outputs));
    let (bias, dy) = (random.values(outputs), random.values(batch * g.output().len()));
    let mut y: Vec<Exact> = bias.iter().map(|&b| (f64::from(b), f64::from(b).abs())).cycle().take(dy.len()).collect();
    let (mut dx, mut dkernel) = (vec![(0.0, 0.0); x.len()], vec![(0.0, 0.0); kernel.len()]);
    for_each_product(g, batch, |from, weight, to| {
        let output = to % outputs;
        if from % channels == output / (outputs / channels) {
            let weight = weight / (channels * outputs) * outputs + output;
            add(&mut y[to], x[from], kernel[weight]);
            add(&mut dx[from], dy[to], kernel[weight]);
            add(&mut dkernel[weight], x[from], dy[to]);
        }
    });
    let mut dbias = vec![(0.0, 0.0); bias.len()];
    dy.iter().enumerate().for_each(|(i, &dy)| add(&mut dbias[i % outputs], dy, 1.0));
    for backend in backends() {
        let what = |part| format!("{} {part} batch {batch} {g:?}", backend.name());
        let mut got = poison(y.len());
        backend.depthwise_conv2d(g, batch, &x, &kernel, Some(&bias), false, &mut got);
        assert_close(&what("depthwise"), &got, &y, taps + 1);
        let linear = got.clone();
        backend.depthwise_conv2d(g, batch, &x, &kernel, Some(&bias), true, &mut got);
        assert!(got.iter().zip(&linear).all(|(relu, linear)| *relu == linear.max(0.0)), "{}", what("relu"));
        let mut without = poison(y.len());
        backend.depthwise_conv2d(g, batch, &x, &kernel, None, false, &mut without);
        backend.depthwise_conv2d(g, batch, &x, &kernel, Some(&vec![0.0; outputs]), false, &mut got);
        assert_eq!(without, got, "{}", what("no bias"));

        let mut got = poison(x.len());
        backend.depthwise_conv2d_input_gradient(g, batch, &dy, &kernel, &mut got);
        assert_close(&what("input gradient"), &got, &dx, taps * (outputs / channels));
        let (mut got, mut got_bias) = (poison(kernel.len()), poison(bias.len()));
        backend.depthwise_conv2d_kernel_gradient(g, batch, &x, &dy, &mut got, Some(&mut got_bias));
        let positions = batch * g.output().height * g.output().width;
        assert_close(&what("kernel gradient"), &got, &dkernel, positions);
        assert_close(&what("bias gradient"), &got_bias, &dbias, positions);
    }
}

#[test]
pub(crate) fn equals_the_formula_for_any_geometry() {
    let mut random = Random(21);
    for _ in 0..200 {
        let (multiplier, batch) = (random.between(1, 9), random.between(1, 4));
        let channels = random.between(1, 60 / multiplier);
        let g = random.geometry(channels, channels * multiplier);
        check(&g, batch, &mut random);
    }
}

/// All widths of strips, with windows that are more than a vector back end's tile high, miss inputs, or hang over both
/// sides.
#[test]
pub(crate) fn equals_the_formula_at_the_edges_of_strips() {
    let mut random = Random(22);
    for channels in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 65, 80] {
        for (height, width, kernel, strides, padding) in [
            (6, 11, [3, 3], [1, 1], Padding::Same),
            (11, 6, [3, 3], [2, 2], Padding::Same),
            (2, 3, [5, 4], [1, 1], Padding::Same),
            (8, 9, [7, 4], [1, 2], Padding::Valid),
            (9, 9, [2, 2], [3, 3], Padding::Valid),
            (5, 4, [1, 1], [3, 2], Padding::Same),
        ] {
            let g = Geometry::new(Shape::new(height, width, channels), channels, kernel, strides, padding).unwrap();
            check(&g, random.between(1, 3), &mut random);
        }
    }
}

/// As many outputs of a channel as a vector back end takes, and one more; whole vectors of them, and parts of one.
#[test]
pub(crate) fn equals_the_formula_of_several_outputs_a_channel() {
    let mut random = Random(23);
    for (multiplier, channels) in (2..=9).flat_map(|multiplier| [1, 2, 4, 5, 17].map(|channels| (multiplier, channels)))
    {
        for (height, width, kernel, strides, padding) in
            [(5, 7, [3, 3], [1, 1], Padding::Same), (7, 4, [3, 2], [2, 1], Padding::Valid)]
        {
            let outputs = multiplier * channels;
            let g = Geometry::new(Shape::new(height, width, channels), outputs, kernel, strides, padding).unwrap();
            check(&g, random.between(1, 2), &mut random);
        }
    }
}

#[test]
fn refuses_channels_that_share_nothing() {
    let g = Geometry::new(Shape::new(2, 2, 2), 3, [1, 1], [1, 1], Padding::Valid).unwrap();
    for backend in backends() {
        let said = refusal(|| backend.depthwise_conv2d(&g, 1, &[0.0; 8], &[0.0; 3], None, false, &mut [0.0; 12]));
        assert!(said.contains("no multiple of the channels") && said.contains(&g.to_string()), "{said}");
    }
}
