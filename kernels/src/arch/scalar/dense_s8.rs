//! Dense layer and activation, straight from the definition. The oracle of every other back end.
use crate::quant::DenseS8;

/// Runs `layer` over one sample.
pub(crate) fn dense_s8(layer: &DenseS8<'_>, input: &[i8], output: &mut [i8]) {
    for (unit, output) in output.iter_mut().enumerate() {
        let mut sum = layer.bias[unit];
        for (k, &value) in input.iter().enumerate() {
            let weight = layer.packing.weight(layer.weights, layer.units, layer.inputs, unit, k);
            sum = sum.wrapping_add(i32::from(weight) * i32::from(value));
        }
        *output = layer.requantize.dense(unit, sum);
    }
}
