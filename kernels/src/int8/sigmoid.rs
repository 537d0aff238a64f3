//! Sigmoid and tanh of one value.
//!
//! TFLite's interpreter, with reference and optimised kernels alike, fills a table of 256 outputs in `f32` when it
//! prepares a network (`LUTPopulate`), with functions of the C library. These round correctly, which not every C
//! library does: with glibc 2.36, two of 768,000 outputs of tanh are one step off, where an output lies at a half, and
//! none of sigmoid. TensorFlow Lite Micro computes each value in fixed point (`reference_integer_ops::Logistic` and
//! `Tanh`), to the same outputs but where one lies within about 1e-4 of a half.

use super::Affine;

/// The sigmoid of a value with this scale and zero point, as [`Affine::PROBABILITY`]. TFLite's `LOGISTIC`.
pub fn logistic(input: Affine, value: i8) -> i8 {
    let exp = libm::exp(f64::from(-input.dequantize(value))) as f32;
    Affine::PROBABILITY.quantize(1.0 / (1.0 + exp))
}

/// The hyperbolic tangent of a value with this scale and zero point, as [`Affine::TANH`]. TFLite's `TANH`.
pub fn tanh(input: Affine, value: i8) -> i8 {
    Affine::TANH.quantize(libm::tanh(f64::from(input.dequantize(value))) as f32)
}
