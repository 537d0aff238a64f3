use crate::support::{Exact, Random, add, assert_close, backends, poison};
use thumbnet::{
    arch::Backend,
    geometry::{Geometry, Padding, Shape},
};

/// Calls `visit(b, x index, kernel index, y index)` for every product of a convolution, by its definition.
pub(crate) fn for_each_product(g: &Geometry, batch: usize, mut visit: impl FnMut(usize, usize, usize)) {
    for b in 0..batch {
        for y in 0..g.output().height {
            for x in 0..g.output().width {
                for ky in 0..g.kernel()[0] {
                    for kx in 0..g.kernel()[1] {
                        let iy = (y * g.strides()[0] + ky) as isize - g.padding()[0] as isize;
                        let ix = (x * g.strides()[1] + kx) as isize - g.padding()[1] as isize;
                        let inside =
                            (0..g.input().height as isize).contains(&iy) && (0..g.input().width as isize).contains(&ix);
                        if !inside {
                            continue;
                        }
                        for c in 0..g.input().channels {
                            let from = ((b * g.input().height + iy as usize) * g.input().width + ix as usize)
                                * g.input().channels
                                + c;
                            for f in 0..g.output().channels {
                                let weight =
                                    ((ky * g.kernel()[1] + kx) * g.input().channels + c) * g.output().channels + f;
                                let to = ((b * g.output().height + y) * g.output().width + x) * g.output().channels + f;
                                visit(from, weight, to);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn check(g: &Geometry, batch: usize, random: &mut Random) {
    let (x, kernel) = (random.values(batch * g.input().len()), random.values(g.patch() * g.output().channels));
    let (bias, dy) = (random.values(g.output().channels), random.values(batch * g.output().len()));
    let positions = batch * g.output().height * g.output().width;
    let mut y: Vec<Exact> = bias.iter().map(|&b| (f64::from(b), f64::from(b).abs())).cycle().take(dy.len()).collect();
    let mut dx = vec![(0.0, 0.0); x.len()];
    let mut dkernel = vec![(0.0, 0.0); kernel.len()];
    for_each_product(g, batch, |from, weight, to| {
        add(&mut y[to], x[from], kernel[weight]);
        add(&mut dx[from], dy[to], kernel[weight]);
        add(&mut dkernel[weight], x[from], dy[to]);
    });
    let mut dbias = vec![(0.0, 0.0); bias.len()];
    dy.iter().enumerate().for_each(|(i, &dy)| add(&mut dbias[i % bias.len()], dy, 1.0));
    for backend in backends() {
        let what = |part| format!("{} {part} batch {batch} {g:?}", backend.name());
        let mut scratch = poison(Backend::conv2d_scratch_len(g, batch));
        let mut got = poison(y.len());
        backend.conv2d(g, batch, &x, &kernel, Some(&bias), false, &mut got, &mut scratch);
        assert_close(&what("conv2d"), &got, &y, g.patch() + 1);
        let linear = got.clone();
        backend.conv2d(g, batch, &x, &kernel, Some(&bias), true, &mut got, &mut scratch);
        assert!(got.iter().zip(&linear).all(|(relu, linear)| *relu == linear.max(0.0)), "{}", what("relu"));
        let mut without = poison(y.len());
        backend.conv2d(g, batch, &x, &kernel, None, false, &mut without, &mut scratch);
        let zero = vec![0.0; bias.len()];
        backend.conv2d(g, batch, &x, &kernel, Some(&zero), false, &mut got, &mut scratch);
        assert_eq!(without, got, "{}", what("no bias"));

        let mut got = poison(x.len());
        backend.conv2d_input_gradient(g, batch, &dy, &kernel, &mut got, &mut scratch);
        assert_close(&what("input gradient"), &got, &dx, g.kernel()[0] * g.kernel()[1] * g.output().channels);

        let (mut got, mut got_bias) = (poison(kernel.len()), poison(bias.len()));
        backend.conv2d_kernel_gradient(g, batch, &x, &dy, &mut got, Some(&mut got_bias), &mut scratch);
        assert_close(&what("kernel gradient"), &got, &dkernel, positions);
        assert_close(&what("bias gradient"), &got_bias, &dbias, positions);
    }
}

#[test]
pub(crate) fn equals_the_formula_for_any_geometry() {
    let mut random = Random(1);
    for case in 0..400 {
        let most = if case % 4 == 0 { 70 } else { 17 };
        let (channels, filters) = (random.between(1, most), random.between(1, most));
        let g = random.geometry(channels, filters);
        let batch = if case % 8 == 0 { random.between(1, 30) } else { random.between(1, 11) };
        if batch * g.patch() * g.output().len() < 4_000_000 {
            check(&g, batch, &mut random);
        }
    }
}

#[test]
fn equals_the_formula_for_the_tutorial_network() {
    for (size, channels, filters, batch) in [(28, 1, 32, 3), (14, 32, 64, 2), (14, 32, 64, 1), (28, 1, 32, 15)] {
        let g = Geometry::new(Shape::new(size, size, channels), filters, [5, 5], [1, 1], Padding::Same).unwrap();
        check(&g, batch, &mut Random(2));
    }
}

/// Windows wider than their input, and windows that miss some inputs altogether.
#[test]
fn equals_the_formula_at_the_extremes() {
    for (height, width, kernel, strides, padding) in [
        (1, 1, [5, 5], [1, 1], Padding::Same),
        (2, 3, [5, 4], [1, 1], Padding::Same),
        (2, 3, [5, 4], [2, 3], Padding::Same),
        (9, 9, [2, 2], [3, 3], Padding::Valid),
        (9, 7, [1, 1], [4, 2], Padding::Same),
        (5, 5, [5, 5], [1, 1], Padding::Valid),
        (16, 1, [3, 1], [1, 1], Padding::Same),
        (1, 16, [1, 4], [1, 1], Padding::Same),
    ] {
        for (channels, filters) in [(1, 1), (3, 33), (9, 16)] {
            let g = Geometry::new(Shape::new(height, width, channels), filters, kernel, strides, padding).unwrap();
            check(&g, 1, &mut Random(3));
            check(&g, 20, &mut Random(4));
        }
    }
}

/// Windows of one pixel, side by side and apart: more pixels than a block of them, few channels and many.
#[test]
pub(crate) fn equals_the_formula_of_single_pixels() {
    for (channels, filters, stride, batch) in
        [(64, 64, 1, 7), (1, 5, 1, 60), (7, 16, 1, 9), (9, 70, 2, 9), (130, 3, 1, 8)]
    {
        let g = Geometry::new(Shape::new(13, 12, channels), filters, [1, 1], [stride; 2], Padding::Same).unwrap();
        check(&g, 1, &mut Random(5));
        check(&g, batch, &mut Random(6));
    }
}
