use crate::support::{Random, assert_close, backends, bits, poison, refusal};
use thumbnet::{arch::Backend, geometry::Shape};

/// Channels of some batches: few and many, odd, of one position, batches that are summed in several parts, and
/// more channels than a part has values.
fn shapes(random: &mut Random) -> Vec<(Shape, usize)> {
    let any = |random: &mut Random| {
        let shape = Shape::new(random.between(1, 9), random.between(1, 9), random.between(1, 150));
        (shape, random.between(1, 5))
    };
    let mut shapes: Vec<_> = (0..60).map(|_| any(random)).collect();
    shapes.extend([(Shape::new(40, 41, 16), 9), (Shape::new(33, 30, 3), 70), (Shape::vector(200), 1000)]);
    shapes.push((Shape::vector((1 << 16) + 1), 2));
    shapes
}

/// The mean of each channel is that of f64 within the error of a sum, though it lies far from 0; so is the variance,
/// whose differences are from some value of the channel, within a few deviations of the mean.
#[test]
pub(crate) fn moments_equal_the_formula() {
    let mut random = Random(41);
    for (shape, batch) in shapes(&mut random) {
        let channels = shape.channels;
        let (spread, offset) = (random.values(channels), random.values(channels));
        let mut x = random.values(batch * shape.len());
        x.iter_mut().enumerate().for_each(|(i, x)| *x = *x * spread[i % channels] + 100.0 * offset[i % channels]);
        let count = (batch * shape.height * shape.width) as f64;
        let values = |c: usize| x.iter().skip(c).step_by(channels).map(|&x| f64::from(x));
        let mean = |c: usize| values(c).sum::<f64>() / count;
        let moment = |c: usize, about: f64| values(c).map(|x| (x - about).powi(2)).sum::<f64>() / count;
        let mut exact: Vec<_> =
            (0..channels).map(|c| (mean(c), values(c).map(f64::abs).sum::<f64>() / count)).collect();
        exact.extend((0..channels).map(|c| (moment(c, mean(c)), 2.0 * moment(c, f64::from(x[c])))));
        let mut of_scalar = None;
        for backend in backends() {
            let mut moments = poison(2 * channels);
            let mut scratch = poison(Backend::batch_normalization_scratch_len(shape, batch));
            backend.moments(shape, batch, &x, &mut moments, &mut scratch);
            assert_close(&format!("{} {shape} {batch}", backend.name()), &moments, &exact, count as usize + 4);
            let expected = of_scalar.get_or_insert_with(|| bits(&moments));
            assert_eq!(&bits(&moments), expected, "{} {shape} {batch}", backend.name());
        }
    }
}

/// Outputs and gradients by the formulas, for any moments.
#[test]
pub(crate) fn equals_the_formula() {
    let mut random = Random(42);
    for (shape, batch) in shapes(&mut random) {
        let channels = shape.channels;
        let [x, dy] = [0; 2].map(|_| random.values(batch * shape.len()));
        let [gamma, beta] = [0; 2].map(|_| random.values(channels));
        let mut moments = random.values(2 * channels);
        moments[channels..].iter_mut().for_each(|variance| *variance = variance.abs() + 0.1);
        let (epsilon, count) = (1e-3, (batch * shape.height * shape.width) as f64);
        let inverse = |c: usize| 1.0 / (f64::from(moments[channels + c]) + f64::from(epsilon)).sqrt();
        let distance = |i: usize| f64::from(x[i]) - f64::from(moments[i % channels]);
        let mut sums = vec![[(0.0, 0.0); 2]; channels];
        for (i, &dy) in dy.iter().enumerate() {
            let [of_dy, of_both] = &mut sums[i % channels];
            let (dy, both) = (f64::from(dy), f64::from(dy) * distance(i) * inverse(i % channels));
            (of_dy.0, of_dy.1) = (of_dy.0 + dy, of_dy.1 + dy.abs());
            (of_both.0, of_both.1) = (of_both.0 + both, of_both.1 + both.abs());
        }
        let y: Vec<_> = (0..x.len())
            .map(|i| {
                let scaled = f64::from(gamma[i % channels]) * inverse(i % channels) * distance(i);
                let beta = f64::from(beta[i % channels]);
                (scaled + beta, scaled.abs() + beta.abs())
            })
            .collect();
        let dx: Vec<_> = (0..x.len())
            .map(|i| {
                let c = i % channels;
                let (factor, [dbeta, dgamma]) = (f64::from(gamma[c]) * inverse(c), sums[c]);
                let (dy, normal) = (f64::from(dy[i]), distance(i) * inverse(c));
                let value = factor * (dy - (dbeta.0 + normal * dgamma.0) / count);
                let size = factor.abs() * (dy.abs() + (dbeta.1 + normal.abs() * dgamma.1) / count);
                (value, size)
            })
            .collect();
        let exact: Vec<_> = [1, 0].into_iter().flat_map(|kind| sums.iter().map(move |sum| sum[kind])).collect();
        let mut of_scalar = None;
        for backend in backends() {
            let what = |part| format!("{} {part} {shape} {batch}", backend.name());
            let mut scratch = poison(Backend::batch_normalization_scratch_len(shape, batch));
            let (mut linear, mut relu) = (poison(x.len()), poison(x.len()));
            for (is_relu, y) in [(false, &mut linear), (true, &mut relu)] {
                let parameters = [&gamma[..], &beta];
                backend.batch_normalization(shape, batch, &x, parameters, epsilon, &moments, is_relu, y, &mut scratch);
            }
            assert_close(&what("outputs"), &linear, &y, 6);
            assert!(relu.iter().zip(&linear).all(|(relu, y)| *relu == y.max(0.0)), "{}", what("relu"));
            let (mut got, mut parameters) = (poison(x.len()), poison(2 * channels));
            for dx in [None, Some(&mut got[..])] {
                let gradients = &mut parameters;
                backend.batch_normalization_gradient(
                    shape,
                    batch,
                    [&x, &dy],
                    &gamma,
                    epsilon,
                    &moments,
                    gradients,
                    dx,
                    &mut scratch,
                );
            }
            assert_close(&what("gradients of gamma and beta"), &parameters, &exact, count as usize + 6);
            assert_close(&what("input gradient"), &got, &dx, count as usize + 12);
            let all = bits(&[linear, got, parameters].concat());
            let expected = of_scalar.get_or_insert_with(|| all.clone());
            assert!(all == *expected, "{}", what("bits"));
        }
    }
}

#[test]
fn refuses_other_lengths() {
    let shape = Shape::new(2, 2, 3);
    for backend in backends() {
        let mut scratch = poison(Backend::batch_normalization_scratch_len(shape, 1));
        let said = refusal(|| backend.moments(shape, 1, &[0.0; 11], &mut [0.0; 6], &mut scratch));
        assert!(said.contains("input of 11 values, not 1 times (2, 2, 3)"), "{said}");
        let said = refusal(|| backend.moments(shape, 1, &[0.0; 12], &mut [0.0; 5], &mut scratch));
        assert!(said.contains("moments of 5 values, not 2 times (3)"), "{said}");
        let said = refusal(|| backend.moments(shape, 1, &[0.0; 12], &mut [0.0; 6], &mut []));
        assert!(said.contains("scratch of 0 values"), "{said}");
    }
}

#[test]
fn batches_may_have_no_values() {
    let (shape, batch) = (Shape::new(1 << (usize::BITS / 2), 0, 1), 1 << (usize::BITS / 2));
    for backend in backends() {
        let (mut moments, mut scratch) = ([7.0; 2], poison(Backend::batch_normalization_scratch_len(shape, batch)));
        backend.moments(shape, batch, &[], &mut moments, &mut scratch);
        assert_eq!(moments, [0.0; 2]);
    }
}
