//! Dense layer and activation, straight from the definition. The oracle of every other back end.
use crate::quant::DenseS8;

/// Runs `layer` over one sample.
#[inline(never)]
pub(crate) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8]) {
    for (unit, output) in output.iter_mut().enumerate() {
        *output = layer.requantize.dense(unit, accumulator(layer, input, unit));
    }
}

/// The sum of `unit`.
pub(in crate::arch) fn accumulator(layer: &DenseS8<'_>, input: &[i8], unit: usize) -> i32 {
    let mut sum = layer.bias[unit];
    for (k, &value) in input.iter().enumerate() {
        let weight = layer.packing.weight(layer.weights, layer.units, layer.inputs, unit, k);
        sum = sum.wrapping_add(i32::from(weight) * i32::from(value));
    }
    sum
}
