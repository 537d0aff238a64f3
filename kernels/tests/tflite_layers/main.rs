//! Single int8 layers against TFLite's reference kernels, byte for byte, on extreme and random values: scales that differ
//! much, zero points at both ends, fused activations. `data/tflite_layers.py` made the file and describes it.

mod add;
mod record;
