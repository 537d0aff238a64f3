//! Dense layer and activation, straight from the definition. The oracle of every other back end.
use super::conv_s8::dot;
use crate::int8::{DenseS8, Packing};

/// Runs `layer` over one sample.
#[inline(never)]
pub(crate) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8]) {
    for (unit, output) in output.chunks_exact_mut(1).enumerate() {
        layer.requantize.dense(unit, &[accumulator(layer, input, unit)], output);
    }
}

/// The sum of `unit`.
fn accumulator(layer: &DenseS8<'_>, input: &[i8], unit: usize) -> i32 {
    let bias = layer.bias[unit];
    if layer.packing == Packing::Plain {
        return bias.wrapping_add(dot(&layer.weights[unit * layer.inputs..], input));
    }
    let weight = |k| i32::from(layer.packing.weight(layer.weights, layer.units, layer.inputs, unit, k));
    let products = input.iter().enumerate().map(|(k, &value)| weight(k) * i32::from(value));
    products.fold(bias, i32::wrapping_add)
}
