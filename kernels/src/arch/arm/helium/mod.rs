//! Cores with Helium, the M-profile vector extension: Cortex-M52, M55, M85.
#![expect(unsafe_code, reason = "the inner loops are assembly")]
mod add_s8;
mod concatenate_s8;
mod conv_s8;
mod conv_sums;
mod copy;
mod dense_s8;
mod depthwise_s8;
mod depthwise_sums;
mod multiply_s8;
mod pool_s8;
mod requantize;
mod run;
mod scale;
mod softmax_s8;
mod table_s8;
mod windows;

use crate::arch::Kernels;
use crate::geometry::Geometry;
use crate::int8::{AddS8, ConvS8, DenseS8, DepthwiseConvS8, MeanS8, MulS8, RescaleS8, SoftmaxS8};

/// The kernels of these cores.
pub(super) struct Family;

impl Kernels for Family {
    #[inline(always)]
    fn conv_s8(&self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        conv_s8::conv_s8(layer, input, output, scratch);
    }
    #[inline(always)]
    fn dense_s8(&self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        dense_s8::dense_s8(layer, input, output, scratch);
    }
    #[inline(always)]
    fn depthwise_conv_s8(&self, layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        depthwise_s8::depthwise_conv_s8(layer, input, output, scratch);
    }
    #[inline(always)]
    fn max_pool_s8(&self, geometry: &Geometry, input: &[i8], output: &mut [i8]) {
        pool_s8::max_pool_s8(geometry, input, output);
    }
    #[inline(always)]
    fn average_pool_s8(&self, geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
        pool_s8::average_pool_s8(geometry, activation, input, output);
    }
    #[inline(always)]
    fn mean_s8(&self, mean: &MeanS8, input: &[i8], output: &mut [i8]) {
        pool_s8::mean_s8(mean, input, output);
    }
    #[inline(always)]
    fn softmax_s8(&self, layer: &SoftmaxS8, len: usize, values: &mut [i8]) {
        softmax_s8::softmax_s8(layer, len, values);
    }
    #[inline(always)]
    fn add_s8(&self, layer: &AddS8, x: &[i8], y: &mut [i8]) {
        add_s8::add_s8(layer, x, y);
    }
    #[inline(always)]
    fn multiply_s8(&self, layer: &MulS8, x: &[i8], y: &mut [i8]) {
        multiply_s8::multiply_s8(layer, x, y);
    }
    #[inline(always)]
    fn concatenate_s8(&self, layer: &RescaleS8, width: usize, x: &[i8], columns: [usize; 2], y: &mut [i8]) {
        concatenate_s8::concatenate_s8(layer, width, x, columns, y);
    }
    #[inline(always)]
    fn table_s8(&self, table: &[i8; 256], values: &mut [i8]) {
        table_s8::table_s8(table, values);
    }
}
