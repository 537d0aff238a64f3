//! MnistSmall as TFLite quantised it, with the outputs of TFLite's reference kernels.
//! `kernels/tests/data/make_golden.py` made the file. The tests of the blob and those that run on devices share this.

use safetensors::SafeTensors;
use thumbnet::int8::{Affine, QuantizedMultiplier, SoftmaxS8, fold_zero_point, quantize_multiplier};
use thumbnet::quantize::{OwnedAfter, QuantizedNetwork, QuantizedStep};

const FILE: &[u8] = include_bytes!("../../../kernels/tests/data/small_int8.safetensors");

/// One step of the network that TFLite quantised.
fn step(name: &str, relu: bool, softmax: bool) -> (Affine, QuantizedStep) {
    let file = SafeTensors::deserialize(FILE).unwrap();
    let bytes = |field: &str| file.tensor(&format!("{name}.{field}")).unwrap().data().to_vec();
    let words = |field: &str| bytes(field).as_chunks().0.iter().map(|&b| i32::from_le_bytes(b)).collect::<Vec<_>>();
    let scales = |field: &str| words(field).iter().map(|&bits| f32::from_bits(bits as u32)).collect::<Vec<_>>();
    let affine = |tensor: &str| Affine {
        scale: scales(&format!("{tensor}.scale"))[0],
        zero_point: words(&format!("{tensor}.zero_point"))[0] as i8,
    };
    let (input, linear) = (affine("input"), affine("output"));
    let weights: Vec<i8> = bytes("weight").iter().map(|&b| b as i8).collect();
    let biases = words("bias");
    let rows = weights.chunks_exact(weights.len() / biases.len());
    let bias = biases.iter().zip(rows).map(|(&bias, row)| fold_zero_point(bias, input.zero_point, row)).collect();
    let real = |scale: f32| f64::from(input.scale) * f64::from(scale) / f64::from(linear.scale);
    let fixed: Vec<_> = scales("weight.scale").iter().map(|&scale| quantize_multiplier(real(scale))).collect();
    let step = QuantizedStep {
        factors: [QuantizedMultiplier::ZERO; 3],
        bias,
        multiplier: fixed.iter().map(|m| m.multiplier).collect(),
        shift: fixed.iter().map(|m| m.shift).collect(),
        weights,
        zero_point: linear.zero_point,
        activation: [if relu { linear.zero_point } else { -128 }, 127],
        after: match softmax {
            true => OwnedAfter::Softmax(SoftmaxS8::new(f64::from(linear.scale))),
            false => OwnedAfter::Nothing,
        },
        output: if softmax { Affine::PROBABILITY } else { linear },
    };
    (input, step)
}

/// The network.
pub(crate) fn network() -> QuantizedNetwork {
    let (input, conv1) = step("op0_conv_2d", true, false);
    let (_, conv2) = step("op2_conv_2d", true, false);
    let (_, dense1) = step("op5_fully_connected", true, false);
    let (_, dense2) = step("op6_fully_connected", false, true);
    QuantizedNetwork { input, steps: vec![conv1, conv2, dense1, dense2] }
}

/// The int8 values of one tensor of the file: `input`, or `<operator>.activation`.
pub(crate) fn bytes(name: &str) -> Vec<i8> {
    SafeTensors::deserialize(FILE).unwrap().tensor(name).unwrap().data().iter().map(|&byte| byte as i8).collect()
}
