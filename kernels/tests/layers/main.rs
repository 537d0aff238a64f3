//! Single layers against the libraries that they follow, on vectors that programs in `data/` made and describe.

mod f32_layers;
mod int8_layers;
mod int8_values;
mod networks;
mod record;
