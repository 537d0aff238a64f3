//! The int8 kernels of every back end against the scalar ones, byte for byte, over random layers with extreme values.
//! That the scalar ones are right is the matter of `tflite_golden.rs`.

mod add;
mod conv;
#[path = "../f32/coverage.rs"]
mod coverage;
mod dense;
mod depthwise;
mod merge;
mod pool;
mod requantize;
mod softmax;
#[path = "../f32/support.rs"]
#[expect(dead_code, reason = "tolerances are for f32")]
mod support;
mod table;
mod values;
