//! Accumulators to outputs: layers without weights to speak of, whose sums are their biases.

use crate::support::{Random, backends, refusal};
use crate::values::{Tensors, cases, word};
use thumbnet::arch::Backend;
use thumbnet::geometry::{Geometry, Padding, Shape};
use thumbnet::int8::{ConvS8, DenseS8, Packing, Requantize};

const CHANNELS: usize = 61;

/// Every shift many times over, with sums around the halves that the rounding is about.
#[test]
pub(crate) fn every_shift() {
    let mut random = Random(1);
    let geometry = Geometry::new(Shape::new(1, 1, 1), CHANNELS, [1, 1], [1, 1], Padding::Valid).unwrap();
    let mut scratch = vec![0; Backend::conv_s8_scratch_len(&geometry, None)];
    for round in 0..cases(20_000) {
        let mut tensors = Tensors::random(&mut random, CHANNELS, 1);
        tensors.weights.fill(0);
        for (i, (bias, shift)) in tensors.bias.iter_mut().zip(&mut tensors.shift).enumerate() {
            *bias = word(&mut random);
            *shift = ((round + i) % 62) as i8 - 31;
            if round % 3 == 0 && *shift < 0 {
                // An exact half after the multiplication by 1/2, or next to one.
                tensors.multiplier[i] = 1 << 30;
                let half = 1i32 << (-i32::from(*shift)).min(30);
                *bias =
                    half.wrapping_mul((random.next() % 512) as i32 - 256).wrapping_add((random.next() % 3) as i32 - 1);
            }
        }
        let conv = ConvS8 {
            geometry: &geometry,
            pool: None,
            input_zero_point: 0,
            weights: &tensors.weights,
            packing: Packing::Plain,
            bias: &tensors.bias,
            requantize: tensors.requantize(),
        };
        let dense = DenseS8 {
            inputs: 1,
            units: CHANNELS,
            weights: &tensors.weights,
            packing: Packing::Plain,
            bias: &tensors.bias,
            requantize: tensors.requantize(),
        };
        let mut run = |backend: Backend| {
            let mut outputs = [[0x55; CHANNELS]; 2];
            backend.conv_s8(&conv, &[77], &mut outputs[0], &mut scratch);
            backend.dense_s8(&dense, &[77], &mut outputs[1], &mut scratch);
            outputs
        };
        let expected = run(Backend::SCALAR);
        for backend in backends() {
            assert_eq!(run(backend), expected, "{}: {tensors:?}", backend.name());
        }
    }
}

#[test]
fn refuses_what_it_is_not_defined_for() {
    let geometry = Geometry::new(Shape::new(1, 1, 1), 1, [1, 1], [1, 1], Padding::Valid).unwrap();
    let (weights, bias, packing) = (&[1], &[0], Packing::Plain);
    let shifts = [-128, -32, 31, 99].map(|shift| (1, shift, [-128, 127]));
    for (multiplier, shift, activation) in shifts.into_iter().chain([(-1, 0, [-128, 127]), (1, 0, [5, 4])]) {
        let requantize = Requantize { multiplier: &[multiplier], shift: &[shift], zero_point: 0, activation };
        let conv = ConvS8 { geometry: &geometry, pool: None, input_zero_point: 0, weights, packing, bias, requantize };
        let dense = DenseS8 { inputs: 1, units: 1, weights, packing, bias, requantize };
        for backend in backends() {
            let said = [
                refusal(|| backend.conv_s8(&conv, &[0], &mut [0], &mut [0; 1024])),
                refusal(|| backend.dense_s8(&dense, &[0], &mut [0], &mut [0; 1024])),
            ];
            assert!(said.iter().all(|text| text.contains("do not fit")), "{}: {said:?}", backend.name());
        }
    }
}
