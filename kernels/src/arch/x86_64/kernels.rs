//! The kernels of both instruction sets.

use crate::arch::f32::{BLOCK_ROWS, bands};
use crate::arch::generic::conv_f32;
use crate::arch::generic::depthwise_f32::{self, Depthwise};
use crate::arch::generic::gemm_f32::Gemm;
use crate::arch::generic::spans::Window;
use crate::arch::generic::winograd_f32::{self, Winograd};
use crate::arch::generic::{dense_f32, exp_f32};
use crate::arch::scalar::{
    activation_f32, concatenate_s8, dense_f32 as scalar_dense, depthwise_f32 as scalar_depthwise, depthwise_s8,
    dropout_f32, merge_f32, multiply_s8, normalization_f32, optimizer_f32, pool_f32, pool_s8,
};
use crate::arch::{Kernels, Weights};
use crate::geometry::Geometry;
use crate::int8::{ConvS8, DenseS8, DepthwiseConvS8, MulS8, RescaleS8};

/// An instruction set, by the token that proves it.
pub(super) trait Isa: Gemm + Winograd + Depthwise {
    /// The proof of instructions for products of dense layers in bf16.
    type Bf16: Gemm;

    /// The proof, where these are wanted.
    fn bf16(self) -> Option<Self::Bf16>;

    /// Compiles a portable function, which must be `#[inline(always)]`, once more with these instructions: loops
    /// without branches need no more than that.
    fn recompile<R>(self, work: impl FnOnce() -> R) -> R;

    fn multiply_adds(self, rounds: usize) -> usize;
    fn max_pool(self, g: &Geometry, x: &[f32], y: &mut [f32]);
    fn max_pool_gradient(self, g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]);
    fn conv_s8(self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]);
    fn dense_s8(self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8]);
}

impl<I: Isa> Kernels for I {
    fn add(&self, x: &[f32], y: &mut [f32]) {
        self.recompile(|| activation_f32::add(x, y));
    }
    fn relu(&self, y: &mut [f32]) {
        self.recompile(|| activation_f32::relu(y));
    }
    fn relu_gradient(&self, y: &[f32], dy: &mut [f32]) {
        self.recompile(|| activation_f32::relu_gradient(y, dy));
    }
    fn relu6(&self, y: &mut [f32]) {
        self.recompile(|| activation_f32::relu6(y));
    }
    fn relu6_gradient(&self, y: &[f32], dy: &mut [f32]) {
        self.recompile(|| activation_f32::relu6_gradient(y, dy));
    }
    fn leaky_relu(&self, slope: f32, y: &mut [f32]) {
        self.recompile(|| activation_f32::leaky_relu(slope, y));
    }
    fn leaky_relu_gradient(&self, slope: f32, y: &[f32], dy: &mut [f32]) {
        self.recompile(|| activation_f32::leaky_relu_gradient(slope, y, dy));
    }
    fn sigmoid(&self, y: &mut [f32]) {
        self.recompile(|| exp_f32::sigmoid(y));
    }
    fn sigmoid_gradient(&self, y: &[f32], dy: &mut [f32]) {
        self.recompile(|| activation_f32::sigmoid_gradient(y, dy));
    }
    fn tanh(&self, y: &mut [f32]) {
        self.recompile(|| exp_f32::tanh(y));
    }
    fn tanh_gradient(&self, y: &[f32], dy: &mut [f32]) {
        self.recompile(|| activation_f32::tanh_gradient(y, dy));
    }
    fn softmax(&self, classes: usize, y: &mut [f32]) {
        self.recompile(|| exp_f32::softmax(classes, y));
    }
    fn dropout(&self, seed: u64, rate: f32, first: usize, values: &mut [f32]) {
        self.recompile(|| dropout_f32::dropout(seed, rate, first, values));
    }

    fn multiply(&self, x: &[f32], y: &mut [f32]) {
        self.recompile(|| merge_f32::multiply(x, y));
    }
    fn multiply_gradient(&self, dy: &[f32], other: &[f32], dx: &mut [f32]) {
        self.recompile(|| merge_f32::multiply_gradient(dy, other, dx));
    }
    fn concatenate(&self, width: usize, x: &[f32], columns: [usize; 2], y: &mut [f32]) {
        self.recompile(|| merge_f32::concatenate(width, x, columns, y));
    }
    fn concatenate_gradient(&self, width: usize, dy: &[f32], columns: [usize; 2], dx: &mut [f32]) {
        self.recompile(|| merge_f32::concatenate_gradient(width, dy, columns, dx));
    }
    fn moment_sums(&self, x: &[f32], origin: &[f32], sums: &mut [f32]) {
        self.recompile(|| normalization_f32::moment_sums(x, origin, sums));
    }
    fn normalize(&self, x: &[f32], rule: &[f32], relu: bool, y: &mut [f32]) {
        self.recompile(|| normalization_f32::normalize(x, rule, relu, y));
    }
    fn normalization_sums(&self, x: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
        self.recompile(|| normalization_f32::normalization_sums(x, dy, mean, sums));
    }
    fn normalization_gradient(&self, x: &[f32], dy: &[f32], rule: &[f32], dx: &mut [f32]) {
        self.recompile(|| normalization_f32::normalization_gradient(x, dy, rule, dx));
    }

    fn adadelta(&self, rule: [f32; 3], weights: &mut [f32], state: [&mut [f32]; 2], gradient: &[f32]) {
        self.recompile(|| optimizer_f32::adadelta(rule, weights, state, gradient));
    }
    fn sgd(&self, learning_rate: f32, weights: &mut [f32], gradient: &[f32]) {
        self.recompile(|| optimizer_f32::sgd(learning_rate, weights, gradient));
    }
    fn sgd_momentum(
        &self,
        rule: [f32; 2],
        nesterov: bool,
        weights: &mut [f32],
        velocity: &mut [f32],
        gradient: &[f32],
    ) {
        self.recompile(|| optimizer_f32::sgd_momentum(rule, nesterov, weights, velocity, gradient));
    }
    fn adam(&self, rule: [f32; 4], weights: &mut [f32], state: [&mut [f32]; 2], gradient: &[f32]) {
        self.recompile(|| optimizer_f32::adam(rule, weights, state, gradient));
    }

    fn multiply_adds(&self, rounds: usize) -> usize {
        Isa::multiply_adds(*self, rounds)
    }

    fn max_pool(&self, g: &Geometry, x: &[f32], y: &mut [f32]) {
        Isa::max_pool(*self, g, x, y);
    }
    fn max_pool_gradient(&self, g: &Geometry, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        Isa::max_pool_gradient(*self, g, x, y, dy, dx);
    }

    fn average_pool(&self, g: &Geometry, x: &[f32], y: &mut [f32]) {
        self.recompile(|| pool_f32::average_pool(g, x, y));
    }
    fn average_pool_gradient(&self, g: &Geometry, dy: &[f32], dx: &mut [f32]) {
        self.recompile(|| pool_f32::average_pool_gradient(g, dy, dx));
    }

    fn depthwise_conv2d(&self, g: &Geometry, x: &[f32], weights: Weights<'_>, y: &mut [f32]) {
        if depthwise_f32::applies(g) {
            depthwise_f32::convolve(*self, &Window::forward(g), x, weights, y);
        } else {
            self.recompile(|| scalar_depthwise::depthwise_conv2d(g, x, weights, y));
        }
    }
    fn depthwise_conv2d_input_gradient(&self, g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
        if depthwise_f32::applies(g) {
            depthwise_f32::convolve(*self, &Window::backward(g), dy, Weights { kernel, bias: None, relu: false }, dx);
        } else {
            self.recompile(|| scalar_depthwise::depthwise_conv2d_input_gradient(g, dy, kernel, dx));
        }
    }
    fn depthwise_conv2d_kernel_gradient(&self, g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32]) {
        if depthwise_f32::applies(g) {
            depthwise_f32::kernel_gradient(*self, g, x, dy, dkernel);
        } else {
            scalar_depthwise::in_pieces(g, dy.len(), dkernel, &|first, taps| {
                self.recompile(|| scalar_depthwise::depthwise_conv2d_kernel_gradient(g, x, dy, first, taps));
            });
        }
    }

    fn conv2d(&self, g: &Geometry, x: &[f32], weights: Weights<'_>, y: &mut [f32], scratch: &mut [f32]) {
        if winograd_f32::applies(g) {
            winograd_f32::conv2d(*self, g, None, x, weights, y, scratch);
        } else {
            conv_f32::convolve(*self, &Window::forward(&g.by_pixels()), x, weights, y);
        }
    }
    fn convolve_rows(&self, g: &Geometry, x: &[f32], weights: Weights<'_>, y: &mut [f32]) {
        let g = &g.by_pixels();
        let rows = 0..g.output().height;
        conv_f32::convolve_rows(*self, &Window::forward(g), rows, x, weights, y);
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
        if winograd_f32::applies(g) {
            winograd_f32::conv2d(*self, g, Some(pool), x, weights, y, scratch);
        } else {
            bands::conv2d_max_pool(self, g, pool, x, weights, y, scratch);
        }
    }
    fn conv2d_input_gradient(&self, g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        if winograd_f32::applies(g) {
            return winograd_f32::conv2d_input_gradient(*self, g, dy, kernel, dx, scratch);
        }
        let turned = &mut scratch[..kernel.len()];
        conv_f32::turn_kernel(*self, g, kernel, turned);
        let weights = Weights { kernel: turned, bias: None, relu: false };
        conv_f32::convolve(*self, &Window::backward(&g.by_pixels()), dy, weights, dx);
    }
    fn conv2d_kernel_gradient(&self, g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32], scratch: &mut [f32]) {
        if winograd_f32::applies(g) {
            winograd_f32::conv2d_kernel_gradient(*self, g, x, dy, dkernel, scratch);
        } else {
            conv_f32::kernel_gradient(*self, g, x, dy, dkernel, scratch);
        }
    }

    fn dense(&self, sizes: [usize; 2], x: &[f32], weights: Weights<'_>, y: &mut [f32], scratch: &mut [f32]) {
        match self.bf16() {
            Some(isa) => dense_f32::dense(isa, sizes, x, weights, y, scratch),
            None => dense_f32::dense(*self, sizes, x, weights, y, scratch),
        }
    }
    fn dense_input_gradient(&self, sizes: [usize; 2], dy: &[f32], kernel: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        match self.bf16() {
            Some(isa) => dense_f32::dense_input_gradient(isa, sizes, dy, kernel, dx, scratch),
            None => dense_f32::dense_input_gradient(*self, sizes, dy, kernel, dx, scratch),
        }
    }
    fn pack_panels<'a>(
        &self,
        units: usize,
        dy: &'a [f32],
        scratch: &'a mut [f32],
    ) -> (&'a [f32], &'a mut [f32], usize) {
        let batch = dy.len() / units;
        let (panels, scratch) = dense_f32::at_line(scratch).split_at_mut(dense_f32::panels_len(batch, units));
        match self.bf16() {
            Some(isa) => dense_f32::pack_panels(isa, units, dy, panels),
            None => dense_f32::pack_panels(*self, units, dy, panels),
        }
        (panels, scratch, batch * BLOCK_ROWS)
    }
    fn dense_kernel_gradient(
        &self,
        sizes: [usize; 3],
        x: &[f32],
        panels: &[f32],
        first: usize,
        dkernel: &mut [f32],
        columns: &mut [f32],
        next: [&[f32]; 3],
    ) {
        match self.bf16() {
            Some(isa) => dense_f32::kernel_gradient_block(isa, sizes, x, panels, first, dkernel, columns, next),
            None => dense_f32::kernel_gradient_block(*self, sizes, x, panels, first, dkernel, columns, next),
        }
    }
    fn column_sums(&self, units: usize, group: usize, dy: &[f32], first: usize, sums: &mut [f32]) {
        self.recompile(|| scalar_dense::column_sums(units, group, dy, first, sums));
    }

    fn conv_s8(&self, layer: &ConvS8<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i32]) {
        Isa::conv_s8(*self, layer, input, output, scratch);
    }
    fn dense_s8(&self, layer: &DenseS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
        Isa::dense_s8(*self, layer, input, output);
    }
    fn depthwise_conv_s8(&self, layer: &DepthwiseConvS8<'_>, input: &[i8], output: &mut [i8], _scratch: &mut [i32]) {
        self.recompile(|| depthwise_s8::depthwise_conv_s8(layer, input, output));
    }
    fn max_pool_s8(&self, geometry: &Geometry, input: &[i8], output: &mut [i8]) {
        self.recompile(|| pool_s8::max_pool_s8(geometry, input, output));
    }
    fn multiply_s8(&self, layer: &MulS8, x: &[i8], y: &mut [i8]) {
        self.recompile(|| multiply_s8::multiply_s8(layer, x, y));
    }
    fn concatenate_s8(&self, layer: &RescaleS8, width: usize, x: &[i8], columns: [usize; 2], y: &mut [i8]) {
        self.recompile(|| concatenate_s8::concatenate_s8(layer, width, x, columns, y));
    }
}
