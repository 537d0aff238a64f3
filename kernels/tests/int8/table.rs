//! Every int8 kernel, where it is, and the tests that hold it against the scalar one.

use crate::coverage::{Kernel, check, is_int8, table};

const KERNELS: &[Kernel] = table! { "int8";
    conv_s8::conv_s8 [scalar generic] by conv_s8 in conv {random_convolutions many_channels high_images};
    conv_s8::dot [scalar] by conv_s8 in conv {many_channels};
    conv_s8::define_conv_s8 [avx2 avx512 neon] by conv_s8 in conv {random_convolutions many_channels high_images};
    conv_s8_tile::define_conv_s8 [generic] by conv_s8 in conv {random_convolutions many_channels high_images};
    vector_s8::_ [avx2 avx512 neon] by conv_s8 in conv {random_convolutions};

    dense_s8::dense_s8 [scalar] by dense_s8 in dense {random_layers sums_wrap};
    dense_s8::define_dense_s8 [generic avx2 avx512 neon] by dense_s8 in dense {random_layers sums_wrap};
    rows_s8::_ [x86_64 avx2 avx512 neon] by dense_s8 in dense {random_layers};

    requantize::_ [scalar avx2 avx512 neon] by conv_s8 in requantize {every_shift};
    requantize::lanes [generic] by dense_s8 in requantize {every_shift};
    depthwise_s8::depthwise_conv_s8 [scalar] by depthwise_conv_s8 in depthwise {random_depthwise_convolutions};
    depthwise_s8::depthwise_channels [scalar] by depthwise_conv_s8 in depthwise {random_depthwise_convolutions};
    pool_s8::max_pool_s8 [scalar] by max_pool_s8 in pool {random_windows};
    pool_s8::average_pool_s8 [scalar] by average_pool_s8 in pool {random_averages};
    pool_s8::mean_s8 [scalar] by mean_s8 in pool {random_averages};
    add_s8::add_s8 [scalar] by add_s8 in add {random_sums};
    multiply_s8::multiply_s8 [scalar] by multiply_s8 in merge {random_products};
    concatenate_s8::concatenate_s8 [scalar] by concatenate_s8 in merge {random_concatenations};
    softmax_s8::softmax_s8 [scalar] by softmax_s8 in softmax {random_rows};
    table_s8::table_s8 [scalar] by table_s8 in softmax {tables};

    conv_s8::conv_s8 [pairs] by conv_s8 on devices;
    conv_s8::thumbnet_gather [dsp thumb] by conv_s8 on devices;
    conv_s8::thumbnet_gather_inside [dsp thumb] by conv_s8 on devices;
    conv_s8::thumbnet_raise [dsp] by conv_s8 on devices;
    column::_ [pairs] by conv_s8 on devices;
    run::_ [pairs] by conv_s8 on devices;
    conv_tile::thumbnet_conv [pairs] by conv_s8 on devices;
    dense_s8::dense_s8 [pairs] by dense_s8 on devices;
    dense_s8::thumbnet_dense [dsp thumb] by dense_s8 on devices;
    dense_s8::thumbnet_dense_pair [dsp thumb] by dense_s8 on devices;
    dense_s8::thumbnet_dense_one [dsp thumb] by dense_s8 on devices;
    dense_s8::thumbnet_dense_outputs [pairs] by dense_s8 on devices;
    dense_s8::thumbnet_expand [dsp thumb] by dense_s8 on devices;
    depthwise_s8::depthwise_conv_s8 [arm] by depthwise_conv_s8 on devices;
    depthwise_s8::thumbnet_depthwise [dsp thumb] by depthwise_conv_s8 on devices;
    depthwise_taps::thumbnet_spread [arm] by depthwise_conv_s8 on devices;
    depthwise_taps::thumbnet_depthwise_taps [arm] by depthwise_conv_s8 on devices;
    pool_s8::max_pool_s8 [arm] by max_pool_s8 on devices;
    pool_s8::average_pool_s8 [arm] by average_pool_s8 on devices;
    pool_s8::mean_s8 [arm] by mean_s8 on devices;
    pool_s8::thumbnet_max_pool [dsp thumb] by max_pool_s8 on devices;
    pool_s8::thumbnet_average_pool [dsp thumb] by average_pool_s8 on devices;
    pool_s8::thumbnet_window_sums [dsp thumb] by average_pool_s8 on devices;
    add_s8::add_s8 [arm] by add_s8 on devices;
    add_s8::thumbnet_add [arm] by add_s8 on devices;
    multiply_s8::multiply_s8 [arm] by multiply_s8 on devices;
    multiply_s8::thumbnet_multiply [arm] by multiply_s8 on devices;
    concatenate_s8::concatenate_s8 [arm] by concatenate_s8 on devices;
    concatenate_s8::thumbnet_rescale [arm] by concatenate_s8 on devices;
    softmax_s8::softmax_s8 [arm] by softmax_s8 on devices;
    table_s8::table_s8 [arm] by table_s8 on devices;
    table_s8::thumbnet_table [arm] by table_s8 on devices;

    conv_s8::conv_s8 [thumb1] by conv_s8 on devices;
    samples_s8::scale_samples [thumb1] by fill on inputs;
    samples_s8::thumbnet_scale_samples [thumb1] by fill on inputs;
    smlaw::_ [arm] by fill on inputs;
    column::thumbnet_gather [thumb1] by conv_s8 on devices;
    sums_s8::thumbnet_conv_sums [thumb1] by conv_s8 on devices;
    outputs_s8::thumbnet_conv_outputs [thumb1] by conv_s8 on devices;
    dense_s8::dense_s8 [thumb1] by dense_s8 on devices;
    dense_s8::thumbnet_dense [thumb1] by dense_s8 on devices;
    dense_s8::thumbnet_dense_outputs [thumb1] by dense_s8 on devices;
    depthwise_s8::depthwise_conv_s8 [thumb1] by depthwise_conv_s8 on devices;
    depthwise_s8::thumbnet_depthwise [thumb1] by depthwise_conv_s8 on devices;
    depthwise_s8::thumbnet_depthwise_spread [thumb1] by depthwise_conv_s8 on devices;

    conv_s8::conv_s8 [helium] by conv_s8 on devices;
    groups::thumbnet_conv_groups [helium] by conv_s8 on devices;
    conv_sums::thumbnet_conv_four [helium] by conv_s8 on devices;
    conv_sums::thumbnet_conv_two [helium] by conv_s8 on devices;
    conv_sums::thumbnet_conv_64 [helium] by conv_s8 on devices;
    conv_sums::thumbnet_conv_rows [helium] by conv_s8 on devices;
    conv_sums::thumbnet_conv_sums [helium] by conv_s8 on devices;
    copy::thumbnet_window [helium] by conv_s8 on devices;
    copy::thumbnet_weave [helium] by conv_s8 on devices;
    copy::thumbnet_columns [helium] by conv_s8 on devices;
    copy::thumbnet_fill [helium] by conv_s8 on devices;
    requantize::thumbnet_conv_outputs [helium] by conv_s8 on devices;
    requantize::thumbnet_conv_largest [helium] by conv_s8 on devices;
    run::_ [helium] by conv_s8 on devices;
    dense_s8::dense_s8 [helium] by dense_s8 on devices;
    dense_s8::thumbnet_dense [helium] by dense_s8 on devices;
    depthwise_s8::depthwise_conv_s8 [helium] by depthwise_conv_s8 on devices;
    depthwise_tiles::thumbnet_depthwise_spread [helium] by depthwise_conv_s8 on devices;
    depthwise_tiles::thumbnet_depthwise_tiles [helium] by depthwise_conv_s8 on devices;
    depthwise_sums::thumbnet_depthwise [helium] by depthwise_conv_s8 on devices;
    depthwise_sums::thumbnet_depthwise_any [helium] by depthwise_conv_s8 on devices;
    windows::_ [helium] by depthwise_conv_s8 on devices;
    pool_s8::max_pool_s8 [helium] by max_pool_s8 on devices;
    pool_s8::average_pool_s8 [helium] by average_pool_s8 on devices;
    pool_s8::mean_s8 [helium] by mean_s8 on devices;
    pool_s8::thumbnet_max_pool [helium] by max_pool_s8 on devices;
    pool_s8::thumbnet_average_pool [helium] by average_pool_s8 on devices;
    pool_s8::thumbnet_column_sums [helium] by mean_s8 on devices;
    add_s8::add_s8 [helium] by add_s8 on devices;
    add_s8::thumbnet_add [helium] by add_s8 on devices;
    scale::_ [helium] by multiply_s8 on devices;
    multiply_s8::multiply_s8 [helium] by multiply_s8 on devices;
    multiply_s8::thumbnet_multiply [helium] by multiply_s8 on devices;
    concatenate_s8::concatenate_s8 [helium] by concatenate_s8 on devices;
    concatenate_s8::thumbnet_rescale [helium] by concatenate_s8 on devices;
    softmax_s8::softmax_s8 [helium] by softmax_s8 on devices;
    softmax_s8::thumbnet_softmax_sum [helium] by softmax_s8 on devices;
    softmax_s8::thumbnet_softmax_outputs [helium] by softmax_s8 on devices;
    table_s8::table_s8 [helium] by table_s8 on devices;
    table_s8::thumbnet_table [helium] by table_s8 on devices;
};

#[test]
fn every_kernel_has_a_test() {
    check(KERNELS, is_int8);
}
