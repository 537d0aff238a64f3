//! Convolution: 16 filters by 4 pixels at a time.

crate::arch::generic::conv_s8_tile::define_conv_s8!(
    crate::arch::x86_64::Avx2, "avx2,fma", pixels: [4, 1, 2]
);
