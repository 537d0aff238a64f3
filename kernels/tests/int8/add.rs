use crate::support::{Random, backends, refusal};
use crate::values::{byte, bytes, cases};
use thumbnet::arch::Backend;
use thumbnet::int8::{AddS8, Affine, QuantizedMultiplier};

/// A sum of tensors with these scales.
fn layer(inputs: [Affine; 2], output: Affine, activation: [i8; 2]) -> AddS8 {
    let [a, b, of_output] = AddS8::factors(inputs.map(|input| input.scale), output.scale);
    let input_zero_points = inputs.map(|input| input.zero_point);
    AddS8 { input_zero_points, inputs: [a, b], output: of_output, zero_point: output.zero_point, activation }
}

/// Any scale between 1/1024 and 1.
fn affine(random: &mut Random) -> Affine {
    let bits = random.between(0, 10) as i32;
    let scale = (1.0 + random.between(0, 1000) as f32 / 1000.0) * 2f32.powi(-bits) / 2.0;
    Affine { scale, zero_point: byte(random) }
}

/// Every back end gives the oracle's bytes, and these are the real sum within a step: the inputs have 20 more bits, so
/// that rounding shows only where the sum lies at a half.
#[test]
pub(crate) fn random_sums() {
    let mut random = Random(1);
    for _ in 0..cases(500) {
        let (inputs, output) = ([affine(&mut random), affine(&mut random)], affine(&mut random));
        let relu = [output.zero_point, 127];
        let activation = if random.next().is_multiple_of(2) { relu } else { [-128, 127] };
        let layer = layer(inputs, output, activation);
        let len = random.between(1, 300);
        let (x, y) = (bytes(&mut random, len), bytes(&mut random, len));
        let mut expected = y.clone();
        Backend::SCALAR.add_s8(&layer, &x, &mut expected);
        for ((sum, x), y) in expected.iter().zip(&x).zip(&y) {
            let real = f64::from(inputs[0].dequantize(*y)) + f64::from(inputs[1].dequantize(*x));
            let real = real / f64::from(output.scale) + f64::from(output.zero_point);
            let real = real.clamp(activation[0].into(), activation[1].into());
            assert!((f64::from(*sum) - real).abs() < 0.5 + 1e-2, "{x} and {y} give {sum}, not {real}: {layer:?}");
        }
        for backend in backends() {
            let mut sum = y.clone();
            backend.add_s8(&layer, &x, &mut sum);
            assert!(sum == expected, "{} differs for {layer:?}", backend.name());
        }
    }
}

/// Scales of 1/16, 1/8 and 1/4: the common scale is 1/4, so the inputs are multiplied by 1/4 and 1/2 and the sum by
/// 2^-20.
#[test]
fn factors_are_tflites() {
    let fixed = |multiplier, shift| QuantizedMultiplier { multiplier, shift };
    let factors = AddS8::factors([0.0625, 0.125], 0.25);
    assert_eq!(factors, [fixed(1 << 30, -1), fixed(1 << 30, 0), fixed(1 << 30, -19)]);
    let of = |scale, zero_point| Affine { scale, zero_point };
    let layer = layer([of(0.0625, -10), of(0.125, 5)], of(0.25, 1), [-128, 127]);
    // (26 + 10) / 16 = 2.25 and (-1 - 5) / 8 = -0.75: 1.5 is 6 steps.
    assert_eq!(layer.apply([26, -1]), 7);
    // 0.0625 and 0.125 are three quarters of a step; -0.0625 and -0.125 the same below 0.
    assert_eq!([layer.apply([-9, 6]), layer.apply([-11, 4])], [2, 0]);
    // Half a step is rounded away from 0.
    assert_eq!([layer.apply([-8, 5]), layer.apply([-12, 5])], [2, 0]);
}

#[test]
fn refuses_what_is_no_sum() {
    let unit = Affine { scale: 1.0, zero_point: 0 };
    let good = layer([unit; 2], unit, [-128, 127]);
    for backend in backends() {
        let said = refusal(|| backend.add_s8(&good, &[0; 3], &mut [0; 2]));
        assert!(said.contains("the terms have 2 and 3 values"), "{said}");
        let negative = AddS8 { output: QuantizedMultiplier { multiplier: -1, shift: 0 }, ..good };
        let far = AddS8 { inputs: [QuantizedMultiplier { multiplier: 1 << 30, shift: 1 }; 2], ..good };
        let swapped = AddS8 { activation: [1, 0], ..good };
        for bad in [negative, far, swapped] {
            let said = refusal(|| backend.add_s8(&bad, &[0; 2], &mut [0; 2]));
            assert!(said.contains("not defined"), "{said}");
        }
    }
}
