//! What a back end computes with: one method a kernel, each of which is the scalar one unless the back end has a
//! faster.

use super::f32::bands;
use super::parallel::{Rows, pieces};
use super::scalar::{
    activation_f32, add_s8, concatenate_s8, conv_f32, conv_s8, dense_f32, dense_s8, depthwise_f32, depthwise_s8,
    dropout_f32, merge_f32, multiply_s8, normalization_f32, optimizer_f32, peak_f32, pool_f32, pool_s8, softmax_f32,
    softmax_s8, table_s8,
};
use crate::geometry::Geometry;
use crate::int8::{AddS8, ConvS8, DenseS8, DepthwiseConvS8, MeanS8, MulS8, RescaleS8, SoftmaxS8};

/// What a layer computes its outputs with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights<'a> {
    pub(crate) kernel: &'a [f32],
    pub(crate) bias: Option<&'a [f32]>,
    /// Whether `max(y, 0)` follows.
    pub(crate) relu: bool,
}

/// The kernels of a back end.
///
/// A method computes what the method of that name of [`Backend`](super::Backend) says, of one sample in int8 and of a
/// piece where that one spreads pieces over threads. It may rely on what that one checks, but not for safety: from
/// other arguments no more follows than a panic or wrong outputs.
#[expect(clippy::too_many_arguments, reason = "one name a tensor, as in the formulas")]
pub(crate) trait Kernels: Sync {
    fn add(&self, x: &[f32], y: &mut [f32]) {
        activation_f32::add(x, y);
    }
    fn relu(&self, y: &mut [f32]) {
        activation_f32::relu(y);
    }
    fn relu_gradient(&self, y: &[f32], dy: &mut [f32]) {
        activation_f32::relu_gradient(y, dy);
    }
    fn relu6(&self, y: &mut [f32]) {
        activation_f32::relu6(y);
    }
    fn relu6_gradient(&self, y: &[f32], dy: &mut [f32]) {
        activation_f32::relu6_gradient(y, dy);
    }
    fn leaky_relu(&self, slope: f32, y: &mut [f32]) {
        activation_f32::leaky_relu(slope, y);
    }
    fn leaky_relu_gradient(&self, slope: f32, y: &[f32], dy: &mut [f32]) {
        activation_f32::leaky_relu_gradient(slope, y, dy);
    }
    fn sigmoid(&self, y: &mut [f32]) {
        activation_f32::sigmoid(y);
    }
    fn sigmoid_gradient(&self, y: &[f32], dy: &mut [f32]) {
        activation_f32::sigmoid_gradient(y, dy);
    }
    fn tanh(&self, y: &mut [f32]) {
        activation_f32::tanh(y);
    }
    fn tanh_gradient(&self, y: &[f32], dy: &mut [f32]) {
        activation_f32::tanh_gradient(y, dy);
    }
    fn softmax(&self, classes: usize, y: &mut [f32]) {
        softmax_f32::softmax(classes, y);
    }
    /// Values `first..` of all.
    fn dropout(&self, seed: u64, rate: f32, first: usize, values: &mut [f32]) {
        dropout_f32::dropout(seed, rate, first, values);
    }

    /// One sample.
    fn multiply(&self, x: &[f32], y: &mut [f32]) {
        merge_f32::multiply(x, y);
    }
    /// One sample.
    fn multiply_gradient(&self, dy: &[f32], other: &[f32], dx: &mut [f32]) {
        merge_f32::multiply_gradient(dy, other, dx);
    }
    fn concatenate(&self, width: usize, x: &[f32], columns: [usize; 2], y: &mut [f32]) {
        merge_f32::concatenate(width, x, columns, y);
    }
    fn concatenate_gradient(&self, width: usize, dy: &[f32], columns: [usize; 2], dx: &mut [f32]) {
        merge_f32::concatenate_gradient(width, dy, columns, dx);
    }
    /// Adds to `sums` those of `x - origin`, then those of their squares.
    fn moment_sums(&self, x: &[f32], origin: &[f32], sums: &mut [f32]) {
        normalization_f32::moment_sums(x, origin, sums);
    }
    /// `rule` is a row of each: mean, scale, shift.
    fn normalize(&self, x: &[f32], rule: &[f32], relu: bool, y: &mut [f32]) {
        normalization_f32::normalize(x, rule, relu, y);
    }
    /// Adds to `sums` those of `dy`, then those of `dy * (x - mean)`.
    fn normalization_sums(&self, x: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
        normalization_f32::normalization_sums(x, dy, mean, sums);
    }
    /// `rule` is a row of each: mean, and the factors of `dy` and of `x - mean`, and what else is taken off.
    fn normalization_gradient(&self, x: &[f32], dy: &[f32], rule: &[f32], dx: &mut [f32]) {
        normalization_f32::normalization_gradient(x, dy, rule, dx);
    }

    fn adadelta(&self, rule: [f32; 3], weights: &mut [f32], state: [&mut [f32]; 2], gradient: &[f32]) {
        optimizer_f32::adadelta(rule, weights, state, gradient);
    }
    fn sgd(&self, learning_rate: f32, weights: &mut [f32], gradient: &[f32]) {
        optimizer_f32::sgd(learning_rate, weights, gradient);
    }
    fn sgd_momentum(
        &self,
        rule: [f32; 2],
        nesterov: bool,
        weights: &mut [f32],
        velocity: &mut [f32],
        gradient: &[f32],
    ) {
        optimizer_f32::sgd_momentum(rule, nesterov, weights, velocity, gradient);
    }
    fn adam(&self, rule: [f32; 4], weights: &mut [f32], state: [&mut [f32]; 2], gradient: &[f32]) {
        optimizer_f32::adam(rule, weights, state, gradient);
    }

    fn multiply_adds(&self, rounds: usize) -> usize {
        peak_f32::multiply_adds(rounds)
    }

    /// One sample.
    fn max_pool(&self, g: &Geometry, x: &[f32], y: &mut [f32]) {
        pool_f32::max_pool(g, x, y);
    }
    /// One sample.
    fn max_pool_gradient(&self, g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        pool_f32::max_pool_gradient(g, x, y, dy, dx);
    }

    /// One sample.
    fn average_pool(&self, g: &Geometry, x: &[f32], y: &mut [f32]) {
        pool_f32::average_pool(g, x, y);
    }
    /// One sample.
    fn average_pool_gradient(&self, g: &Geometry, dy: &[f32], dx: &mut [f32]) {
        pool_f32::average_pool_gradient(g, dy, dx);
    }

    fn depthwise_conv2d(&self, g: &Geometry, x: &[f32], weights: Weights<'_>, y: &mut [f32]) {
        depthwise_f32::depthwise_conv2d(g, x, weights, y);
    }
    fn depthwise_conv2d_input_gradient(&self, g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
        depthwise_f32::depthwise_conv2d_input_gradient(g, dy, kernel, dx);
    }
    fn depthwise_conv2d_kernel_gradient(&self, g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32]) {
        depthwise_f32::in_pieces(g, dy.len(), dkernel, &|first, taps| {
            depthwise_f32::depthwise_conv2d_kernel_gradient(g, x, dy, first, taps);
        });
    }

    fn conv2d(&self, g: &Geometry, x: &[f32], weights: Weights<'_>, y: &mut [f32], _scratch: &mut [f32]) {
        let samples = (Rows { items: x, width: g.input().len() }, Rows { items: y, width: g.output().len() });
        pieces(samples, 1, &|_, (x, y)| self.convolve_rows(g, x.items, weights, y.items));
    }
    /// [`Self::conv2d`] on this thread alone.
    fn convolve_rows(&self, g: &Geometry, x: &[f32], weights: Weights<'_>, y: &mut [f32]) {
        for (x, y) in x.chunks_exact(g.input().len()).zip(y.chunks_exact_mut(g.output().len())) {
            conv_f32::conv2d(g, x, weights, y);
        }
    }
    fn conv2d_max_pool(
        &self,
        g: &Geometry,
        pool: &Geometry,
        x: &[f32],
        weights: Weights<'_>,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        bands::conv2d_max_pool(self, g, pool, x, weights, y, scratch);
    }
    fn conv2d_input_gradient(&self, g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32], _scratch: &mut [f32]) {
        let samples = (Rows { items: dy, width: g.output().len() }, Rows { items: dx, width: g.input().len() });
        pieces(samples, 1, &|_, (dy, dx)| {
            for (dy, dx) in dy.items.chunks_exact(dy.width).zip(dx.items.chunks_exact_mut(dx.width)) {
                conv_f32::conv2d_input_gradient(g, dy, kernel, dx);
            }
        });
    }
    fn conv2d_kernel_gradient(&self, g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32], _scratch: &mut [f32]) {
        dkernel.fill(0.0);
        for (x, dy) in x.chunks_exact(g.input().len()).zip(dy.chunks_exact(g.output().len())) {
            conv_f32::conv2d_kernel_gradient(g, x, dy, dkernel);
        }
    }

    fn dense(&self, [inputs, units]: [usize; 2], x: &[f32], weights: Weights<'_>, y: &mut [f32], _scratch: &mut [f32]) {
        pieces((Rows { items: x, width: inputs }, Rows { items: y, width: units }), 1, &|_, (x, y)| {
            dense_f32::dense(inputs, units, x.items, weights, y.items);
        });
    }
    fn dense_input_gradient(
        &self,
        [inputs, units]: [usize; 2],
        dy: &[f32],
        kernel: &[f32],
        dx: &mut [f32],
        _scratch: &mut [f32],
    ) {
        pieces((Rows { items: dy, width: units }, Rows { items: dx, width: inputs }), 1, &|_, (dy, dx)| {
            dense_f32::dense_input_gradient(inputs, units, dy.items, kernel, dx.items);
        });
    }
    /// `dy` in the order in which [`Self::dense_kernel_gradient`] reads it, what is left of scratch, and how much of
    /// that one call takes.
    fn pack_panels<'a>(
        &self,
        _units: usize,
        dy: &'a [f32],
        scratch: &'a mut [f32],
    ) -> (&'a [f32], &'a mut [f32], usize) {
        (dy, scratch, 0)
    }
    /// Rows `first..` of the gradient, as many as `dkernel` holds. `next` is what will be read next.
    fn dense_kernel_gradient(
        &self,
        [inputs, units, _batch]: [usize; 3],
        x: &[f32],
        dy: &[f32],
        first: usize,
        dkernel: &mut [f32],
        _scratch: &mut [f32],
        _next: [&[f32]; 3],
    ) {
        dense_f32::dense_kernel_gradient(inputs, units, x, dy, first, dkernel);
    }
    /// Adds to `sums` columns `first..` of rows of `units` values, each `group` rows apart from the others.
    fn column_sums(&self, units: usize, group: usize, dy: &[f32], first: usize, sums: &mut [f32]) {
        dense_f32::column_sums(units, group, dy, first, sums);
    }

    fn conv_s8(&self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
        conv_s8::conv_s8(layer, input, output);
    }
    fn dense_s8(&self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
        dense_s8::dense_s8(layer, input, output);
    }
    fn depthwise_conv_s8(&self, layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
        depthwise_s8::depthwise_conv_s8(layer, input, output);
    }
    fn max_pool_s8(&self, geometry: &Geometry, input: &[i8], output: &mut [i8]) {
        pool_s8::max_pool_s8(geometry, input, output);
    }
    fn average_pool_s8(&self, geometry: &Geometry, activation: [i8; 2], input: &[i8], output: &mut [i8]) {
        pool_s8::average_pool_s8(geometry, activation, input, output);
    }
    fn mean_s8(&self, mean: &MeanS8, input: &[i8], output: &mut [i8]) {
        pool_s8::mean_s8(mean, input, output);
    }
    fn softmax_s8(&self, layer: &SoftmaxS8, len: usize, values: &mut [i8]) {
        // No row is empty: the maximum is for the compiler.
        for row in values.chunks_exact_mut(len.max(1)) {
            softmax_s8::softmax_s8(layer, row);
        }
    }
    fn multiply_s8(&self, layer: &MulS8, x: &[i8], y: &mut [i8]) {
        multiply_s8::multiply_s8(layer, x, y);
    }
    fn concatenate_s8(&self, layer: &RescaleS8, width: usize, x: &[i8], columns: [usize; 2], y: &mut [i8]) {
        concatenate_s8::concatenate_s8(layer, width, x, columns, y);
    }
    fn add_s8(&self, layer: &AddS8, x: &[i8], y: &mut [i8]) {
        add_s8::add_s8(layer, x, y);
    }
    fn table_s8(&self, table: &[i8; 256], values: &mut [i8]) {
        table_s8::table_s8(table, values);
    }
}
