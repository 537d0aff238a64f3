use crate::support::{Random, backends, bits};
use thumbnet::arch::Backend;

/// The largest error of `got` in units in the last place of the f64 result rounded to f32.
fn worst_ulp(got: &[f32], want: impl Iterator<Item = f64>) -> f64 {
    let ulp = |want: f64| f64::from(f32::MIN_POSITIVE.max((want as f32).abs())) * f64::from(f32::EPSILON) / 2.0;
    got.iter().zip(want).map(|(&got, want)| (f64::from(got) - want).abs() / ulp(want)).fold(0.0, f64::max)
}

/// From far below to far above, and close to zero.
fn arguments() -> Vec<f32> {
    let wide = (-80_000..=80_000).map(|i| i as f32 * 1e-3);
    let near = (-2_000..=2_000).map(|i| i as f32 * 1e-6);
    wide.chain(near).collect()
}

/// One addition rounds once, in any order.
#[test]
pub(crate) fn sums_are_exact() {
    let mut random = Random(3);
    for len in (0..70).chain([1 << 15]) {
        let (x, y) = (random.values(len), random.values(len));
        let want: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
        for backend in backends() {
            let mut sum = y.clone();
            backend.add(&x, &mut sum);
            assert_eq!(bits(&sum), bits(&want), "{} {len}", backend.name());
        }
    }
}

/// Allowed are 4 ulp: 2 of the exponential function or its polynomial, and the roundings of what follows. (An ulp here
/// is 2^-24 of the value, which is half of one to one ulp.)
#[test]
pub(crate) fn sigmoid_and_tanh_are_close() {
    for backend in backends() {
        let mut y = arguments();
        backend.sigmoid(&mut y);
        let worst = worst_ulp(&y, arguments().iter().map(|&x| 1.0 / (1.0 + (-f64::from(x)).exp())));
        assert!(worst <= 8.0, "{} sigmoid is off by {worst}", backend.name());
        let mut y = arguments();
        backend.tanh(&mut y);
        let worst = worst_ulp(&y, arguments().iter().map(|&x| f64::from(x).tanh()));
        assert!(worst <= 8.0, "{} tanh is off by {worst}", backend.name());
    }
}

#[test]
fn ends_of_sigmoid_tanh_and_softmax() {
    for backend in backends() {
        let ends = [f32::NEG_INFINITY, -1e30, -200.0, 0.0, 200.0, 1e30, f32::INFINITY, f32::NAN];
        let mut y = ends;
        backend.sigmoid(&mut y);
        assert_eq!(y[..7], [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0], "{}", backend.name());
        assert!(y[7].is_nan());
        let mut y = ends;
        backend.tanh(&mut y);
        assert_eq!(y[..7], [-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0], "{}", backend.name());
        assert!(y[7].is_nan());
        let mut y = [1000.0, -1000.0, 1000.0, f32::NEG_INFINITY];
        backend.softmax(4, &mut y);
        assert_eq!(y, [0.5, 0.0, 0.5, 0.0], "{}", backend.name());
        let mut y = [1.0, f32::NAN, 2.0, 3.0];
        backend.softmax(2, &mut y);
        assert!(y[0].is_nan() && y[1].is_nan() && !y[2].is_nan(), "{}", backend.name());
    }
}

#[test]
pub(crate) fn softmax_is_close() {
    let mut random = Random(8);
    for classes in [1, 2, 10, 16, 17, 100, 1000] {
        let x: Vec<f32> = random.values(classes * 7).iter().map(|x| x * 20.0).collect();
        for backend in backends() {
            let mut y = x.clone();
            backend.softmax(classes, &mut y);
            for (y, x) in y.chunks_exact(classes).zip(x.chunks_exact(classes)) {
                let sum: f64 = x.iter().map(|&x| f64::from(x).exp()).sum();
                // exp's argument carries the rounding of its subtraction: up to 40 * 2^-24 relative, and the sum's.
                for (y, x) in y.iter().zip(x) {
                    let (y, want) = (f64::from(*y), f64::from(*x).exp() / sum);
                    let bound = (60.0 + classes as f64) * f64::from(f32::EPSILON) / 2.0 * want + 1e-37;
                    assert!((y - want).abs() <= bound, "{}: {y}, should be {want}", backend.name());
                }
            }
        }
    }
}

/// One rounding at most: every back end must give the very bits of the definition.
#[test]
pub(crate) fn clamps_and_gradients_are_exact() {
    type Gradient = (fn(Backend, &[f32], &mut [f32]), fn(f32) -> f32);
    let mut random = Random(9);
    let x: Vec<f32> = random.values(1000).iter().map(|x| x * 9.0).chain([0.0, -0.0, 6.0, f32::INFINITY]).collect();
    let dy = random.values(x.len());
    let gradients: [Gradient; 4] = [
        (Backend::relu_gradient, |y| if y > 0.0 { 1.0 } else { 0.0 }),
        (Backend::relu6_gradient, |y| if y > 0.0 && y < 6.0 { 1.0 } else { 0.0 }),
        (Backend::sigmoid_gradient, |y| y * (1.0 - y)),
        (Backend::tanh_gradient, |y| 1.0 - y * y),
    ];
    for backend in backends() {
        let mut y = x.clone();
        backend.relu(&mut y);
        assert!(y.iter().zip(&x).all(|(y, x)| *y == x.max(0.0)), "{}", backend.name());
        let mut y = x.clone();
        backend.relu6(&mut y);
        assert!(y.iter().zip(&x).all(|(y, x)| *y == x.clamp(0.0, 6.0)), "{}", backend.name());
        let mut nan = [f32::NAN];
        backend.relu(&mut nan);
        assert!(nan[0].is_nan());
        for negative_slope in [0.0, 0.3, 1.5] {
            let (mut y, mut got) = (x.clone(), dy.clone());
            backend.leaky_relu(negative_slope, &mut y);
            assert!(y.iter().zip(&x).all(|(y, x)| *y == if *x < 0.0 { negative_slope * x } else { *x }));
            backend.leaky_relu_gradient(negative_slope, &y, &mut got);
            let slope = |y: f32| if y > 0.0 { 1.0 } else { negative_slope };
            assert!(got.iter().zip(&dy).zip(&y).all(|((got, dy), y)| *got == dy * slope(*y)), "{}", backend.name());
        }
        for (gradient, slope) in gradients {
            let mut got = dy.clone();
            gradient(backend, &x, &mut got);
            assert!(got.iter().zip(&dy).zip(&x).all(|((got, dy), y)| *got == dy * slope(*y)), "{}", backend.name());
        }
    }
}

#[test]
pub(crate) fn dropout_is_the_same_everywhere_and_fair() {
    for rate in [0.0, 0.25, 0.5, 0.9] {
        let mut want = vec![1.0; 100_003];
        Backend::SCALAR.dropout(42, rate, &mut want);
        for backend in backends() {
            let mut got = vec![1.0; want.len()];
            backend.dropout(42, rate, &mut got);
            assert_eq!(bits(&got), bits(&want), "{} rate {rate}", backend.name());
        }
        assert!(want.iter().all(|&v| v == 0.0 || v == 1.0 / (1.0 - rate)));
        // Five standard deviations of a binomial distribution.
        let dropped = want.iter().filter(|&&v| v == 0.0).count() as f64 / want.len() as f64;
        let deviation = (f64::from(rate) * f64::from(1.0 - rate) / want.len() as f64).sqrt();
        assert!((dropped - f64::from(rate)).abs() <= 5.0 * deviation, "dropped {dropped} at rate {rate}");
        let mut other = vec![1.0; want.len()];
        Backend::SCALAR.dropout(43, rate, &mut other);
        assert!(rate == 0.0 || other != want, "another seed must give another mask");
    }
}
