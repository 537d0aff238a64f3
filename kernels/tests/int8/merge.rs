use crate::support::{Random, backends, refusal};
use crate::values::{byte, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::int8::{Affine, MulS8, QuantizedMultiplier, RescaleS8};

fn affine(random: &mut Random) -> Affine {
    let scale = 2f32.powi(-(random.between(0, 10) as i32)) * (1.0 + random.between(0, 1000) as f32 / 1000.0);
    Affine { scale, zero_point: byte(random) }
}

/// Every back end gives the oracle's bytes, and these are the real product, rounded twice: to a half of a step or less,
/// and to a step. The shorter factor is repeated.
#[test]
pub(crate) fn random_products() {
    let mut random = Random(61);
    for _ in 0..cases(500) {
        let [a, b, output] = [0; 3].map(|_| affine(&mut random));
        let layer = MulS8 {
            input_zero_points: [a.zero_point, b.zero_point],
            factor: MulS8::factor([a.scale, b.scale], output.scale),
            zero_point: output.zero_point,
            activation: if random.next().is_multiple_of(2) { [output.zero_point, 127] } else { [-128, 127] },
        };
        let (width, times) = (random.between(1, 100), random.between(1, 5));
        let (x, y) = (bytes(&mut random, width), bytes(&mut random, width * times));
        let mut expected = y.clone();
        Backend::SCALAR.multiply_s8(&layer, &x, &mut expected);
        for (i, (&product, &y)) in expected.iter().zip(&y).enumerate() {
            let real = f64::from(a.dequantize(y)) * f64::from(b.dequantize(x[i % width])) / f64::from(output.scale);
            let real = real + f64::from(output.zero_point);
            let real = real.clamp(layer.activation[0].into(), layer.activation[1].into());
            assert!((f64::from(product) - real).abs() < 0.76, "{product}, not {real}: {layer:?}");
        }
        for backend in backends() {
            let mut product = y.clone();
            backend.multiply_s8(&layer, &x, &mut product);
            assert!(product == expected, "{} differs for {layer:?}", backend.name());
        }
    }
}

/// Each value goes to its place in the output's scale, and no other changes.
#[test]
pub(crate) fn random_concatenations() {
    let mut random = Random(62);
    for _ in 0..cases(500) {
        let layer = RescaleS8::quantize(affine(&mut random), affine(&mut random));
        let (positions, width) = (random.between(1, 30), random.between(1, 40));
        let (first, behind) = (random.between(0, 20), random.between(0, 20));
        let all = first + width + behind;
        let x = bytes(&mut random, positions * width);
        for backend in backends() {
            let mut y = vec![99; positions * all];
            backend.concatenate_s8(&layer, width, &x, [first, all], &mut y);
            let place = |i: usize| (i % all).checked_sub(first).filter(|c| *c < width).map(|c| i / all * width + c);
            let right = y.iter().enumerate().all(|(i, &y)| y == place(i).map_or(99, |at| layer.apply(x[at])));
            assert!(right, "{}: {width} values of {all} from {first}, {layer:?}", backend.name());
        }
    }
}

#[test]
fn refuses_what_is_not_defined() {
    let unit = Affine { scale: 1.0, zero_point: 0 };
    let rescale = RescaleS8::quantize(unit, unit);
    let factor = QuantizedMultiplier { multiplier: -1, shift: 0 };
    for backend in backends() {
        let layer = MulS8 { input_zero_points: [0; 2], factor, zero_point: 0, activation: [-128, 127] };
        let said = refusal(|| backend.multiply_s8(&layer, &[0; 2], &mut [0; 2]));
        assert!(said.contains("an int8 product is not defined"), "{said}");
        let layer = MulS8 { factor: MulS8::factor([1.0; 2], 1.0), ..layer };
        let said = refusal(|| backend.multiply_s8(&layer, &[0; 2], &mut [0; 3]));
        assert!(said.contains("3 values by 2"), "{said}");
        let said = refusal(|| backend.concatenate_s8(&rescale, 2, &[0; 2], [1, 2], &mut [0; 2]));
        assert!(said.contains("columns 1..1 + 2 of 2"), "{said}");
        let bad = RescaleS8 { activation: [1, 0], ..rescale };
        let said = refusal(|| backend.concatenate_s8(&bad, 2, &[0; 2], [0, 2], &mut [0; 2]));
        assert!(said.contains("not defined"), "{said}");
    }
}
