//! Every gradient against central differences of the loss, through whole small networks, on every back end of this
//! machine.

#[cfg(feature = "alloc")]
mod alone;
#[cfg(feature = "alloc")]
mod kinds;

use rand_core::RngCore;
use rand_pcg::Pcg64Mcg;
use std::ops::Range;
use thumbnet::arch::{Backend, Trainable};
use thumbnet::graph::Node;
use thumbnet::train::{Buffers, Loss, Optimizer, SettingError, Settings, Trainer};
use thumbnet::{Network, sequential};

sequential! {
    /// Same padding, an even kernel, relu, overlapping pooling, dropout.
    struct SameRelu: [6, 5, 2] {
        conv: Conv2D { filters: 3, kernel_size: (2, 3), padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 3, strides: 2, padding: Same },
        drop: Dropout { rate: 0.3 },
        flatten: Flatten,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// Strides, valid padding, no biases, tanh and sigmoid, two convolutions in a row.
    struct StridedTanh: [7, 6, 1] {
        conv1: Conv2D { filters: 4, kernel_size: 3, strides: (2, 1), activation: Tanh, use_bias: false },
        conv2: Conv2D { filters: 2, kernel_size: 2, padding: Same, activation: Sigmoid },
        flatten: Flatten,
        hidden: Dense { units: 5, activation: Sigmoid, use_bias: false },
        out: Dense { units: 3, activation: Tanh },
    }
}

sequential! {
    /// Relu6, softmax over channels in the middle, a linear output.
    struct Relu6Softmax: [4, 4, 3] {
        conv: Conv2D { filters: 5, kernel_size: 3, activation: Softmax },
        conv2: Conv2D { filters: 6, kernel_size: 1, activation: Relu6 },
        pool: MaxPooling2D { pool_size: 2 },
        flatten: Flatten,
        drop: Dropout { rate: 0.5 },
        out: Dense { units: 4 },
    }
}

sequential! {
    /// Begins with a pooling and a flatten.
    struct PoolFirst: [6, 6, 2] {
        pool: MaxPooling2D { pool_size: 2, padding: Same },
        flatten: Flatten,
        hidden: Dense { units: 7, activation: Relu },
        out: Dense { units: 3, activation: Softmax },
    }
}

sequential! {
    /// Tensors with two readers: a sum of a layer with what it reads, a shortcut with weights, a sum of a tensor with
    /// itself.
    struct Residual: [6, 5, 2] {
        stem: Conv2D { filters: 3, kernel_size: 3, padding: Same, activation: Relu },
        a1: Conv2D { filters: 4, kernel_size: 3, padding: Same, activation: Tanh },
        a2: Conv2D { filters: 3, kernel_size: 3, padding: Same },
        a: Add(stem, a2) { activation: Relu },
        b1: Conv2D { filters: 4, kernel_size: 3, strides: 2, padding: Same, activation: Relu },
        drop: Dropout { rate: 0.3 },
        short: Conv2D(a) { filters: 4, kernel_size: 1, strides: 2, padding: Same },
        b: Add(short, drop),
        twice: Add(b, b) { activation: Relu6 },
        pool: MaxPooling2D(twice),
        flatten: Flatten,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// Means of windows that overlap and that a border cuts, and of a whole channel.
    struct Averages: [6, 5, 2] {
        first: AveragePooling2D { pool_size: 3, strides: 2, padding: Same },
        conv: Conv2D { filters: 5, kernel_size: 2, padding: Same, activation: Tanh },
        second: AveragePooling2D { pool_size: 2, strides: 1 },
        mean: GlobalAveragePooling2D,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// Each channel by itself: strides, several outputs a channel, no bias, an activation.
    struct Depthwise: [7, 6, 3] {
        first: DepthwiseConv2D { kernel_size: 3, strides: 2, padding: Same, depth_multiplier: 2, activation: Relu },
        mix: Conv2D { filters: 5, kernel_size: 1, activation: Tanh },
        second: DepthwiseConv2D { kernel_size: (1, 2), padding: Same, use_bias: false },
        mean: GlobalAveragePooling2D,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// Batch normalisation behind a convolution, with the activation of the layer behind it, of a tensor with two
    /// readers, and at the end.
    struct Normalized: [5, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 3, padding: Same, use_bias: false },
        norm: BatchNormalization,
        relu: Activation { activation: Tanh },
        depthwise: DepthwiseConv2D { kernel_size: 3, padding: Same, use_bias: false },
        norm2: BatchNormalization { momentum: 0.9, epsilon: 0.01 },
        sum: Add(relu, norm2),
        relu2: LeakyReLU { negative_slope: 0.3 },
        norm3: BatchNormalization(sum),
        both: Add(relu2, norm3),
        flatten: Flatten,
        out: Dense { units: 3, use_bias: false },
        norm4: BatchNormalization,
        scores: Activation { activation: Softmax },
    }
}

sequential! {
    /// Zeros around, tensors side by side, products with a tensor and with a vector of its channels, maxima of whole
    /// channels, activations by themselves.
    struct Merged: [4, 3, 2] {
        zeros: ZeroPadding2D { padding: ((1, 0), (2, 1)) },
        conv: Conv2D { filters: 3, kernel_size: 2, strides: 2, activation: Tanh },
        side: Conv2D(zeros) { filters: 2, kernel_size: 2, strides: 2 },
        leaky: Activation { activation: LeakyRelu },
        beside: Concatenate(conv, leaky, conv),
        tanh: Activation { activation: Tanh },
        product: Multiply(tanh, beside) { activation: Relu6 },
        squeeze: GlobalAveragePooling2D,
        excite: Dense { units: 8, activation: Sigmoid },
        scaled: Multiply(product, excite),
        square: Multiply(scaled, scaled),
        more: Add(square, scaled, product),
        deep: Reshape { target_shape: (2, 1, 24) },
        padded: ZeroPadding2D { padding: 1 },
        max: GlobalMaxPooling2D,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// Windows along one dimension, and a separable convolution.
    struct OneDimension: [9, 2] {
        conv: Conv1D { filters: 3, kernel_size: 3, padding: Same, activation: Tanh },
        pool: MaxPooling1D,
        separable: SeparableConv1D { filters: 4, kernel_size: 2, depth_multiplier: 2, activation: Tanh },
        average: AveragePooling1D { pool_size: 2, strides: 1 },
        zeros: ZeroPadding1D { padding: (1, 0) },
        mean: GlobalAveragePooling1D,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// The input has two readers, and a sum is the last layer.
    struct SumOfInput: [4, 4, 2] {
        conv: Conv2D { filters: 2, kernel_size: 3, padding: Same },
        sum: Add(input, conv) { activation: Relu },
        conv2: Conv2D { filters: 2, kernel_size: 1, activation: Sigmoid },
        last: Add(conv2, sum),
    }
}

/// Keeps the gradient in the slot and leaves the weights alone, whatever the learning rate.
struct KeepGradient(f32);

impl Optimizer for KeepGradient {
    const SLOTS: usize = 1;

    fn learning_rate(&mut self) -> &mut f32 {
        &mut self.0
    }

    fn update(&self, _backend: Backend, parameters: Trainable<'_>, gradient: &[f32]) {
        parameters.state.into_iter().next().unwrap().copy_from_slice(gradient);
    }

    fn check(&self) -> Result<(), SettingError> {
        Ok(())
    }
}

/// The mean loss, with the gradient left in `gradient`.
fn loss_of<N: Network>(
    backend: Backend,
    loss: Loss,
    weights: &mut [f32],
    x: &[f32],
    targets: &[f32],
    gradient: &mut [f32],
) -> f64 {
    let mut memory = vec![f32::NAN; N::training_len(BATCH)];
    let settings = Settings { backend, optimizer: KeepGradient(1.0), loss, seed: 5 };
    let buffers = Buffers { weights, slots: gradient, memory: &mut memory };
    let mut trainer = Trainer::of::<N>(settings, buffers).unwrap();
    f64::from(trainer.step(x, targets).unwrap().loss) / BATCH as f64
}

const BATCH: usize = 3;

/// Where a node's moving averages lie.
fn moving_averages(node: &Node<'_>) -> Range<usize> {
    let end = node.weights + node.parameters();
    end - node.statistics_len()..end
}

fn check<N: Network>(loss: Loss) {
    for backend in Backend::available() {
        let mut random = Pcg64Mcg::new(0x1234_5678_9abc_def1_1234_5678_9abc_def1);
        let mut uniform = || (random.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0;
        let mut weights: Vec<f32> = (0..N::PARAMETERS).map(|_| 0.6 * uniform()).collect();
        let x: Vec<f32> = (0..BATCH * N::INPUT.len()).map(|_| uniform()).collect();
        let classes = N::OUTPUT.len();
        let targets: Vec<f32> = (0..BATCH * classes).map(|i| f32::from(i % classes == i / classes)).collect();
        let mut gradient = vec![f32::NAN; N::PARAMETERS];
        loss_of::<N>(backend, loss, &mut weights, &x, &targets, &mut gradient);

        // A difference is off by h^2 times the curvature, by the kinks of relu and pooling that lie within h, and by
        // 2^-24 of the loss over h: no one h suits every weight, so the best of three counts.
        let mut unused = vec![0.0; N::PARAMETERS];
        let moving: Vec<_> = N::GRAPH.nodes.iter().flat_map(moving_averages).collect();
        for i in 0..N::PARAMETERS {
            if moving.contains(&i) {
                assert!(gradient[i].is_nan(), "{}: weight {i} is a moving average, and was trained", N::NAME);
                continue;
            }
            let difference = |h: f32, weights: &mut [f32], unused: &mut [f32]| {
                let at = weights[i];
                weights[i] = at + h;
                let above = loss_of::<N>(backend, loss, weights, &x, &targets, unused);
                weights[i] = at - h;
                let below = loss_of::<N>(backend, loss, weights, &x, &targets, unused);
                weights[i] = at;
                ((above - below) / (2.0 * f64::from(h))) as f32
            };
            let near = |numeric: f32| (numeric - gradient[i]).abs() < 6e-4 + 4e-3 * gradient[i].abs();
            let differences = [4e-3, 1e-3, 2.5e-4].map(|h| difference(h, &mut weights, &mut unused));
            assert!(
                differences.into_iter().any(near),
                "{} on {}: weight {i}: backward {}, differences {differences:?}",
                N::NAME,
                backend.name(),
                gradient[i]
            );
        }
        let large = gradient.iter().filter(|g| g.abs() > 1e-3).count();
        assert!(large * 4 > N::PARAMETERS, "{}: only {large} gradients are not about 0", N::NAME);
    }
}

#[test]
fn convolution_pooling_dropout_and_cross_entropy() {
    check::<SameRelu>(Loss::CategoricalCrossentropy);
}

#[test]
fn softmax_under_squared_error() {
    check::<SameRelu>(Loss::MeanSquaredError);
}

#[test]
fn strides_tanh_and_sigmoid() {
    check::<StridedTanh>(Loss::MeanSquaredError);
}

sequential! {
    /// Three sigmoids, each the probability of a class of its own.
    struct Sigmoids: [3, 2, 2] {
        flatten: Flatten,
        hidden: Dense { units: 5, activation: Tanh },
        out: Dense { units: 3, activation: Sigmoid },
    }
}

#[test]
fn sigmoids_under_binary_cross_entropy() {
    check::<Sigmoids>(Loss::BinaryCrossentropy);
}

#[test]
fn absolute_error() {
    check::<StridedTanh>(Loss::MeanAbsoluteError);
    check::<Sigmoids>(Loss::MeanAbsoluteError);
    let mut gradient = [f32::NAN; 4];
    Loss::MeanAbsoluteError.gradient(2, &[1.0, 3.0, -1.0, f32::NAN], &[1.0, 2.0, 2.0, 0.0], &mut gradient);
    assert_eq!(gradient[..3], [0.0, 0.25, -0.25]);
    assert!(gradient[3].is_nan(), "a NaN must show");
}

#[test]
fn relu6_softmax_between_and_linear() {
    check::<Relu6Softmax>(Loss::MeanSquaredError);
}

#[test]
fn branches() {
    check::<Residual>(Loss::CategoricalCrossentropy);
    check::<SumOfInput>(Loss::MeanSquaredError);
}

#[test]
fn depthwise() {
    check::<Depthwise>(Loss::CategoricalCrossentropy);
}

#[test]
fn batch_normalization() {
    check::<Normalized>(Loss::CategoricalCrossentropy);
}

#[test]
fn merged_tensors() {
    check::<Merged>(Loss::CategoricalCrossentropy);
}

#[test]
fn one_dimension() {
    check::<OneDimension>(Loss::CategoricalCrossentropy);
}

#[test]
fn averages() {
    check::<Averages>(Loss::CategoricalCrossentropy);
}

#[test]
fn pooling_before_any_weights() {
    check::<PoolFirst>(Loss::CategoricalCrossentropy);
}

sequential! {
    /// The gradient of its kernel shows the masks: it is 0 where the input was dropped.
    struct DropsInput: [1, 1, 4096] {
        drop: Dropout { rate: 0.5 },
        out: Dense { units: 1 },
    }
}

sequential! {
    /// The same, dropped twice.
    struct DropsInputTwice: [1, 1, 4096] {
        drop1: Dropout { rate: 0.5 },
        drop2: Dropout { rate: 0.5 },
        out: Dense { units: 1 },
    }
}

/// Which inputs were kept in each of three steps of one trainer.
fn masks<N: Network>() -> [Vec<bool>; 3] {
    let (mut weights, mut slots) = (vec![0.0; N::PARAMETERS], vec![0.0; N::PARAMETERS]);
    let mut memory = vec![0.0; N::training_len(1)];
    let mut gradients = Vec::new();
    // A trainer borrows its slots; each begins where the one before would go on, having repeated its steps.
    for steps in 1..=3 {
        let loss = Loss::MeanSquaredError;
        let settings = Settings { backend: Backend::SCALAR, optimizer: KeepGradient(1.0), loss, seed: 7 };
        let buffers = Buffers { weights: &mut weights, slots: &mut slots, memory: &mut memory };
        let mut trainer = Trainer::of::<N>(settings, buffers).unwrap();
        for _ in 0..steps {
            trainer.step(&vec![1.0; N::INPUT.len()], &[1.0]).unwrap();
        }
        gradients.push(slots[..N::INPUT.len()].iter().map(|gradient| *gradient != 0.0).collect());
    }
    gradients.try_into().unwrap()
}

/// The share of `true`; of 4096 fair draws its deviation is 0.008.
fn share(values: impl Iterator<Item = bool>) -> f64 {
    let values: Vec<bool> = values.collect();
    values.iter().filter(|value| **value).count() as f64 / values.len() as f64
}

/// Adding to a seed of SplitMix64 may only shift its sequence: steps would share their masks.
#[test]
fn dropout_masks_of_successive_steps_are_independent() {
    let masks = masks::<DropsInput>();
    for (i, j) in [(0, 1), (1, 2), (0, 2)] {
        for shift in 0..8 {
            let (a, b) = (&masks[i], &masks[j]);
            for (a, b) in [(&a[shift..], &b[..]), (&a[..], &b[shift..])] {
                let equal = share(a.iter().zip(b).map(|(a, b)| a == b));
                assert!((equal - 0.5).abs() < 0.04, "steps {i} and {j}: {equal} at shift {shift}");
            }
        }
    }
}

#[test]
fn dropout_masks_of_two_layers_are_independent() {
    for mask in masks::<DropsInputTwice>() {
        let kept = share(mask.into_iter());
        assert!((kept - 0.25).abs() < 0.03, "{kept}");
    }
}
