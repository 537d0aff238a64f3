//! Convolution: 32 filters by 8 pixels at a time.

crate::arch::generic::conv_s8_tile::define_conv_s8!(
    crate::arch::x86_64::Vnni, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma",
    pixels: [8, 1, 4]
);
