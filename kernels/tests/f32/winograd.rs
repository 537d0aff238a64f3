//! Convolutions of whole blocks of 16 channels, which vector back ends do with Winograd's minimal filtering.
//!
//! Its rounding errors follow the values of a whole tile, not those of one output, so they are held against the root
//! mean square of all outputs. Values of -1..1 without order make the errors of a sum grow with the square root of its
//! length, as the sum itself does, so their quotient hardly depends on sizes. Simulated in NumPy (float32 against
//! float64, 32 channels, 100 tiles, 32 filters, uniform values), it is 2.6e-6 for 5 x 5 taps and 2.7e-6 for 3 x 3, at
//! worst 2.4e-5 and 3.4e-5; the textbook's sum has 0.5e-6 and 0.3e-6, at worst 4.5e-6 and 3.0e-6. The limits leave room
//! for smaller samples and for gradients of kernels.

use crate::{
    conv2d::for_each_product,
    support::{Random, backends, poison},
};
use thumbnet::{
    arch::Backend,
    geometry::{Geometry, Padding, Shape},
};

/// The root mean square of errors, and the largest, by the root mean square of the exact values.
const LIMITS: [f64; 2] = [6e-6, 8e-5];

fn assert_near(what: &str, got: &[f32], exact: &[f64]) {
    assert_eq!(got.len(), exact.len(), "{what}");
    let mean = |sum: f64| (sum / exact.len() as f64).sqrt();
    let scale = mean(exact.iter().map(|x| x * x).sum());
    let (mut squares, mut most) = (0.0, 0.0);
    for (i, (&got, &want)) in got.iter().zip(exact).enumerate() {
        assert!(got.is_finite(), "{what}: value {i} is {got}");
        let error = (f64::from(got) - want).abs() / scale;
        squares += error * error;
        most = error.max(most);
    }
    let usual = mean(squares);
    assert!(
        usual <= LIMITS[0] && most <= LIMITS[1],
        "{what}: off by {usual:e}, at most {most:e}, of the root mean square"
    );
}

fn check(g: &Geometry, batch: usize, random: &mut Random) {
    let (x, kernel) = (random.values(batch * g.input().len()), random.values(g.patch() * g.output().channels));
    let (bias, dy) = (random.values(g.output().channels), random.values(batch * g.output().len()));
    let mut y: Vec<f64> = bias.iter().map(|&b| f64::from(b)).cycle().take(dy.len()).collect();
    let (mut dx, mut dkernel) = (vec![0.0; x.len()], vec![0.0; kernel.len()]);
    for_each_product(g, batch, |from, weight, to| {
        y[to] += f64::from(x[from]) * f64::from(kernel[weight]);
        dx[from] += f64::from(dy[to]) * f64::from(kernel[weight]);
        dkernel[weight] += f64::from(x[from]) * f64::from(dy[to]);
    });
    for backend in backends() {
        let what = |part| format!("{} {part} batch {batch} {g:?}", backend.name());
        let mut scratch = poison(Backend::conv2d_scratch_len(g, batch));
        let mut got = poison(y.len());
        backend.conv2d(g, batch, &x, &kernel, Some(&bias), false, &mut got, &mut scratch);
        assert_near(&what("conv2d"), &got, &y);
        let linear = got.clone();
        backend.conv2d(g, batch, &x, &kernel, Some(&bias), true, &mut got, &mut scratch);
        assert!(got.iter().zip(&linear).all(|(relu, linear)| *relu == linear.max(0.0)), "{}", what("relu"));

        let mut got = poison(x.len());
        backend.conv2d_input_gradient(g, batch, &dy, &kernel, &mut got, &mut scratch);
        assert_near(&what("input gradient"), &got, &dx);

        let mut got = poison(kernel.len());
        backend.conv2d_kernel_gradient(g, batch, &x, &dy, &mut got, None, &mut scratch);
        assert_near(&what("kernel gradient"), &got, &dkernel);
    }
}

/// Sizes at which the last tile hangs over and rows are longer than what is transformed at once, more filters than
/// channels and fewer, odd numbers of blocks.
#[test]
pub(crate) fn equals_the_formula() {
    let mut random = Random(21);
    for (height, width, channels, filters, taps, padding, batch) in [
        (14, 14, 32, 64, 5, Padding::Same, 2),
        (13, 15, 16, 48, 5, Padding::Same, 3),
        (9, 24, 48, 16, 5, Padding::Valid, 1),
        (12, 10, 64, 32, 5, Padding::Valid, 2),
        (7, 35, 16, 16, 5, Padding::Same, 1),
        (8, 8, 16, 32, 5, Padding::Same, 11),
        (14, 14, 32, 16, 3, Padding::Same, 2),
        (17, 13, 16, 48, 3, Padding::Same, 3),
        (10, 38, 48, 16, 3, Padding::Valid, 1),
        (19, 18, 16, 64, 3, Padding::Valid, 1),
        (8, 12, 32, 16, 3, Padding::Same, 11),
    ] {
        let g = Geometry::new(Shape::new(height, width, channels), filters, [taps; 2], [1, 1], padding).unwrap();
        check(&g, batch, &mut random);
    }
}

/// Any size, padding and batch.
#[test]
pub(crate) fn equals_the_formula_for_any_geometry() {
    let mut random = Random(22);
    let mut cases = 0;
    while cases < 60 {
        let shape = Shape::new(random.between(5, 20), random.between(5, 20), 16 * random.between(1, 4));
        let (filters, taps) = (16 * random.between(1, 4), if random.next().is_multiple_of(2) { 3 } else { 5 });
        let padding = if random.next().is_multiple_of(2) { Padding::Same } else { Padding::Valid };
        let batch = random.between(1, 11);
        let g = Geometry::new(shape, filters, [taps; 2], [1, 1], padding).unwrap();
        if batch * g.patch() * g.output().len() < 8_000_000 {
            check(&g, batch, &mut random);
            cases += 1;
        }
    }
}
