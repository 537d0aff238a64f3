use crate::arch::{
    Backend, Kernels,
    parallel::{Rows, pieces},
};

/// Values at a time: enough work to be worth a thread.
const GRAIN: usize = 1 << 14;

/// Declares activations in place: one kernel a back end, of the same name.
macro_rules! in_place {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(self, y: &mut [f32]) {
            pieces(y, GRAIN, &|_, y| self.kernels().$name(y));
        }
    )*};
}

/// Declares gradients in place, from the activation's output: one kernel a back end, of the same name.
macro_rules! gradient_in_place {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        pub fn $name(self, y: &[f32], dy: &mut [f32]) {
            assert_eq!(y.len(), dy.len(), "outputs and gradients differ in number");
            pieces((y, dy), GRAIN, &|_, (y, dy)| self.kernels().$name(y, dy));
        }
    )*};
}

impl Backend {
    in_place! {
        /// `y = max(y, 0)` in place.
        relu;
        /// `y = min(max(y, 0), 6)` in place.
        relu6;
        /// `y = 1 / (1 + exp(-y))` in place.
        sigmoid;
        /// `y = tanh(y)` in place.
        tanh;
    }

    gradient_in_place! {
        /// `dy = dy + y` in place.
        add;
        /// The gradient of [`Self::relu`] from its output `y`: `dy = 0` where `y <= 0`.
        relu_gradient;
        /// The gradient of [`Self::relu6`] from its output `y`: `dy = 0` where `y <= 0` or `y >= 6`.
        relu6_gradient;
        /// The gradient of [`Self::sigmoid`] from its output `y`: `dy = dy * y * (1 - y)`.
        sigmoid_gradient;
        /// The gradient of [`Self::tanh`] from its output `y`: `dy = dy * (1 - y^2)`.
        tanh_gradient;
    }

    /// `y = slope * y` in place where `y < 0`.
    pub fn leaky_relu(self, slope: f32, y: &mut [f32]) {
        pieces(y, GRAIN, &|_, y| self.kernels().leaky_relu(slope, y));
    }

    /// The gradient of [`Self::leaky_relu`], of a slope of at least 0, from its output `y`: `dy = slope * dy` where
    /// `y <= 0`.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn leaky_relu_gradient(self, slope: f32, y: &[f32], dy: &mut [f32]) {
        assert_eq!(y.len(), dy.len(), "outputs and gradients differ in number");
        pieces((y, dy), GRAIN, &|_, (y, dy)| self.kernels().leaky_relu_gradient(slope, y, dy));
    }

    /// Softmax in place of each row of `classes` values: `y[i] = exp(y[i] - m) / sum over j of exp(y[j] - m)`, `m` the
    /// row's maximum, so that nothing overflows.
    ///
    /// # Panics
    ///
    /// If `classes` is 0, or `y` does not consist of whole rows.
    pub fn softmax(self, classes: usize, y: &mut [f32]) {
        assert!(classes > 0 && y.len().is_multiple_of(classes), "{} values in rows of {classes} classes", y.len());
        pieces(Rows { items: y, width: classes }, GRAIN.div_ceil(classes), &|_, y| {
            self.kernels().softmax(classes, y.items);
        });
    }

    /// Inverted dropout in place: value `i` becomes 0 with probability `rate`, and `values[i] / (1 - rate)` otherwise.
    ///
    /// Whether value `i` is kept follows from `seed` and `i` alone, by the SplitMix64 generator: the same on every
    /// back end, device and thread, so that nothing has to be stored. The gradient is the same call on `dy`.
    ///
    /// # Panics
    ///
    /// If `rate` is not in `0.0..1.0`.
    pub fn dropout(self, seed: u64, rate: f32, values: &mut [f32]) {
        assert!((0.0..1.0).contains(&rate), "dropout rate {rate}: 0.0 <= rate < 1.0");
        pieces(values, GRAIN, &|first, values| {
            self.kernels().dropout(seed, rate, first, values);
        });
    }
}
