//! Every f32 kernel, where it is, and the tests that hold it against the formula.

use crate::coverage::{Kernel, check, is_int8, table};

const KERNELS: &[Kernel] = table! { "f32";
    kernels::_ [x86_64] by relu in elementwise {clamps_and_gradients_are_exact};
    activation_f32::add [scalar] by add in elementwise {sums_are_exact};
    activation_f32::relu [scalar] by relu in elementwise {clamps_and_gradients_are_exact};
    activation_f32::relu_gradient [scalar] by relu_gradient in elementwise {clamps_and_gradients_are_exact};
    activation_f32::relu6 [scalar] by relu6 in elementwise {clamps_and_gradients_are_exact};
    activation_f32::relu6_gradient [scalar] by relu6_gradient in elementwise {clamps_and_gradients_are_exact};
    activation_f32::leaky_relu [scalar] by leaky_relu in elementwise {clamps_and_gradients_are_exact};
    activation_f32::leaky_relu_gradient [scalar] by leaky_relu_gradient
        in elementwise {clamps_and_gradients_are_exact};
    activation_f32::sigmoid [scalar] by sigmoid in elementwise {sigmoid_and_tanh_are_close};
    activation_f32::sigmoid_gradient [scalar] by sigmoid_gradient
        in elementwise {clamps_and_gradients_are_exact};
    activation_f32::tanh [scalar] by tanh in elementwise {sigmoid_and_tanh_are_close};
    activation_f32::tanh_gradient [scalar] by tanh_gradient in elementwise {clamps_and_gradients_are_exact};
    exp_f32::sigmoid [generic] by sigmoid in elementwise {sigmoid_and_tanh_are_close};
    exp_f32::tanh [generic] by tanh in elementwise {sigmoid_and_tanh_are_close};
    exp_f32::softmax [generic] by softmax in elementwise {softmax_is_close};
    softmax_f32::softmax [scalar] by softmax in elementwise {softmax_is_close};
    dropout_f32::dropout [scalar] by dropout in elementwise {dropout_is_the_same_everywhere_and_fair};

    conv_f32::conv2d [scalar] by conv2d in conv2d {equals_the_formula_for_any_geometry};
    conv_f32::conv2d_input_gradient [scalar] by conv2d_input_gradient in conv2d {equals_the_formula_for_any_geometry};
    conv_f32::conv2d_kernel_gradient [scalar] by conv2d_kernel_gradient in conv2d {equals_the_formula_for_any_geometry};
    conv_f32::convolve [generic] by conv2d
        in conv2d {equals_the_formula_for_any_geometry equals_the_formula_of_single_pixels};
    conv_f32::turn_kernel [generic] by conv2d_input_gradient in conv2d {equals_the_formula_for_any_geometry};
    conv_f32::kernel_gradient [generic] by conv2d_kernel_gradient in conv2d {equals_the_formula_for_any_geometry};
    convolve::conv2d [winograd_f32] by conv2d in winograd {equals_the_formula_for_any_geometry};
    convolve::conv2d_input_gradient [winograd_f32] by conv2d_input_gradient
        in winograd {equals_the_formula_for_any_geometry};
    kernel_gradient::conv2d_kernel_gradient [winograd_f32] by conv2d_kernel_gradient
        in winograd {equals_the_formula_for_any_geometry};
    winograd_f32::define_winograd_f32 [x86_64 avx2 avx512] by conv2d in winograd {equals_the_formula};
    product_f32::define_product_f32 [x86_64 avx2 avx512] by conv2d in winograd {equals_the_formula};

    spans::_ [generic] by conv2d_input_gradient in conv2d {equals_the_formula_for_any_geometry};

    dense_f32::dense [scalar generic] by dense in dense {equals_the_formula_for_any_size};
    dense_f32::dense_input_gradient [scalar generic] by dense_input_gradient in dense {equals_the_formula_for_any_size};
    dense_f32::dense_kernel_gradient [scalar] by dense_kernel_gradient in dense {equals_the_formula_for_any_size};
    dense_f32::kernel_gradient_block [generic] by dense_kernel_gradient in dense {equals_the_formula_for_any_size};
    dense_f32::at_line [generic] by dense in dense {equals_the_formula_at_the_edges_of_blocks};
    dense_f32::pack_panels [generic] by dense_kernel_gradient in dense {equals_the_formula_at_the_edges_of_blocks};
    dense_f32::column_sums [scalar] by bias_gradient in dense {equals_the_formula_for_any_size};
    gemm_f32::gemm [generic] by dense in dense {equals_the_formula_at_the_edges_of_blocks};
    gemm_f32::gemm_packing [generic] by dense in dense {equals_the_formula_at_the_edges_of_blocks};
    gemm_f32::define_gemm_f32 [x86_64 avx2 avx512] by dense in dense {equals_the_formula_at_the_edges_of_blocks};
    gemm_bf16::define_gemm_f32 [avx512] by dense
        in bf16 {equals_the_formula_of_rounded_operands_at_the_edges_of_blocks};
    pack_bf16::_ [avx512] by dense in bf16 {equals_the_formula_of_rounded_operands_at_the_edges_of_blocks};
    vector_bf16::_ [avx512] by dense in bf16 {rounds_as_is_said};
    pack_f32::define_pack_f32 [x86_64 avx2 avx512] by dense in dense {equals_the_formula_at_the_edges_of_blocks};
    row_f32::define_row_f32 [x86_64 avx2 avx512] by dense
        in dense {equals_the_formula_at_the_edges_of_blocks a_samples_output_is_the_same_bits_alone_and_in_a_batch};
    vector::_ [avx2 avx512] by dense in dense {equals_the_formula_at_the_edges_of_blocks};

    depthwise_f32::depthwise_conv2d [scalar] by depthwise_conv2d in depthwise {equals_the_formula_for_any_geometry};
    depthwise_f32::depthwise_conv2d_input_gradient [scalar] by depthwise_conv2d_input_gradient
        in depthwise {equals_the_formula_for_any_geometry};
    depthwise_f32::depthwise_conv2d_kernel_gradient [scalar] by depthwise_conv2d_kernel_gradient
        in depthwise {equals_the_formula_for_any_geometry};
    depthwise_f32::in_pieces [scalar] by depthwise_conv2d_kernel_gradient
        in depthwise {equals_the_formula_for_any_geometry};
    depthwise_f32::convolve [generic] by depthwise_conv2d in depthwise {equals_the_formula_at_the_edges_of_strips};
    depthwise_f32::kernel_gradient [generic] by depthwise_conv2d_kernel_gradient
        in depthwise {equals_the_formula_at_the_edges_of_strips};
    depthwise_f32::define_depthwise_f32 [x86_64 avx2 avx512] by depthwise_conv2d in depthwise
        {equals_the_formula_at_the_edges_of_strips equals_the_formula_of_several_outputs_a_channel};
    conv_f32::for_each_tap [scalar] by conv2d in conv2d {equals_the_formula_for_any_geometry};
    pool_f32::max_pool [scalar] by max_pool in pool {equals_the_definition};
    pool_f32::max_pool_gradient [scalar] by max_pool_gradient in pool {equals_the_definition};
    pool_f32::average_pool [scalar] by average_pool in pool {averages_equal_the_definition};
    pool_f32::average_pool_gradient [scalar] by average_pool_gradient in pool {averages_equal_the_definition};
    pool_f32::for_each_window [scalar] by max_pool in pool {equals_the_definition};
    pool_f32::define_pool_f32 [x86_64 avx2 avx512] by max_pool_gradient in pool {equals_the_definition};
    conv_f32::convolve_rows [generic] by conv2d_max_pool
        in conv2d_max_pool {equals_one_after_the_other equals_one_after_the_other_in_several_bands};

    merge_f32::multiply [scalar] by multiply in merge {products_equal_the_formula};
    merge_f32::multiply_gradient [scalar] by multiply_gradient in merge {products_equal_the_formula};
    merge_f32::concatenate [scalar] by concatenate in merge {concatenations_are_copies};
    merge_f32::concatenate_gradient [scalar] by concatenate_gradient in merge {concatenations_are_copies};
    normalization_f32::moment_sums [scalar] by moments in normalization {moments_equal_the_formula};
    normalization_f32::normalize [scalar] by batch_normalization in normalization {equals_the_formula};
    normalization_f32::normalization_sums [scalar] by batch_normalization_gradient
        in normalization {equals_the_formula};
    normalization_f32::normalization_gradient [scalar] by batch_normalization_gradient
        in normalization {equals_the_formula};

    optimizer_f32::adadelta [scalar] by adadelta in optimizer {adadelta};
    optimizer_f32::adam [scalar] by adam in optimizer {adam};
    optimizer_f32::sgd [scalar] by sgd in optimizer {sgd};
    optimizer_f32::sgd_momentum [scalar] by sgd in optimizer {sgd};

    peak_f32::multiply_adds [scalar] by multiply_adds in peak {operations_are_counted_per_round};
    peak_f32::define_peak_f32 [x86_64 avx2 avx512] by multiply_adds in peak {operations_are_counted_per_round};
};

#[test]
fn every_kernel_has_a_test() {
    check(KERNELS, |folder, file| !is_int8(folder, file));
}
