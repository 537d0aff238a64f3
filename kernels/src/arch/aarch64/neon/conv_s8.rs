//! Convolution: 8 filters by 4 pixels at a time.

crate::arch::generic::conv_s8_tile::define_conv_s8!(crate::arch::aarch64::Neon, "neon", pixels: [4, 1, 2]);
