//! Every kind of layer in int8: close to the f32 network, the same bytes on every back end and in both orders of
//! weights.

use thumbnet::arch::Backend;
use thumbnet::blob::{About, Family, Loaded, write};
use thumbnet::graph::AllOps;
use thumbnet::network::{WorkingMemory, forward};
use thumbnet::quantize::{Calibrator, Range, quantize};
use thumbnet::train::{Initializer, initialize};
use thumbnet::{Network, infer, sequential};

sequential! {
    /// Batch normalisation folded into a convolution with a pooling behind it, a depthwise one and a dense layer; by
    /// itself behind a sum; activations that are applied by others.
    struct Normalized: [9, 8, 2] {
        conv: Conv2D { filters: 6, kernel_size: 3, padding: Same, use_bias: false },
        norm: BatchNormalization,
        relu: Activation { activation: Relu },
        pool: MaxPooling2D { pool_size: 2, padding: Same },
        depthwise: DepthwiseConv2D { kernel_size: 3, padding: Same },
        norm2: BatchNormalization { epsilon: 0.1 },
        relu6: Activation { activation: Relu6 },
        sum: Add(pool, relu6),
        norm3: BatchNormalization,
        leaky: LeakyReLU { negative_slope: 0.2 },
        flatten: Flatten,
        hidden: Dense { units: 9 },
        norm4: BatchNormalization,
        tanh: Activation { activation: Tanh },
        out: Dense { units: 4 },
        scores: Activation { activation: Sigmoid },
    }
}

sequential! {
    /// Zeros around what a convolution, a depthwise one and a pooling read; tensors side by side; products; maxima of
    /// channels.
    struct Merged: [7, 6, 3] {
        zeros: ZeroPadding2D { padding: ((1, 0), (2, 1)) },
        conv: Conv2D { filters: 5, kernel_size: 3, strides: 2, activation: Relu },
        zeros2: ZeroPadding2D,
        depthwise: DepthwiseConv2D { kernel_size: 3, activation: LeakyRelu },
        beside: Concatenate(conv, depthwise, conv),
        squeeze: GlobalAveragePooling2D,
        excite: Dense { units: 15, activation: Sigmoid },
        scaled: Multiply(beside, excite),
        square: Multiply(scaled, beside) { activation: Relu6 },
        both: Add(square, beside),
        soft: Activation(both) { activation: Softmax },
        relu: Activation(both) { activation: Relu },
        more: Concatenate(soft, relu),
        deep: Reshape { target_shape: (3, 3, 40) },
        wide: ZeroPadding2D { padding: (0, 1) },
        max: MaxPooling2D { pool_size: 2, strides: 1 },
        top: GlobalMaxPooling2D,
        out: Dense { units: 4, activation: Softmax },
    }
}

sequential! {
    /// Samples of one dimension, as accelerometers give them.
    struct Steps: [40, 3] {
        conv: Conv1D { filters: 8, kernel_size: 5, padding: Same, activation: Relu },
        pool: MaxPooling1D,
        separable: SeparableConv1D { filters: 12, kernel_size: 3, activation: Relu },
        average: AveragePooling1D,
        zeros: ZeroPadding1D { padding: (1, 2) },
        deep: DepthwiseConv1D { kernel_size: 3, activation: Relu },
        max: GlobalMaxPooling1D,
        out: Dense { units: 5, activation: Softmax },
    }
}

sequential! {
    /// Batch normalisations that the layers behind take: a convolution whose outputs are normalised too, a depthwise
    /// one, and a dense layer past what only reshapes. Not taken where zeros lie beside, where an activation comes
    /// between, or where two read.
    struct NormalizedInputs: [9, 8, 2] {
        norm: BatchNormalization,
        conv: Conv2D { filters: 5, kernel_size: 3 },
        norm2: BatchNormalization,
        norm3: BatchNormalization,
        depthwise: DepthwiseConv2D { kernel_size: 2, depth_multiplier: 3, use_bias: false },
        pool: MaxPooling2D { pool_size: 2, strides: 1 },
        norm4: BatchNormalization,
        same: Conv2D { filters: 6, kernel_size: 3, padding: Same, activation: Relu },
        norm5: BatchNormalization,
        relu: Activation { activation: Relu },
        pointwise: Conv2D { filters: 6, kernel_size: 1, activation: Relu },
        norm6: BatchNormalization,
        sum: Add(norm6, pointwise) { activation: Relu },
        norm7: BatchNormalization,
        drop: Dropout { rate: 0.5 },
        flatten: Flatten,
        out: Dense { units: 4 },
        norm8: BatchNormalization,
    }
}

sequential! {
    /// A batch normalisation whose channels are no longer those of what the convolution reads.
    struct Reshaped: [4, 4, 2] {
        norm: BatchNormalization,
        wide: Reshape { target_shape: (4, 2, 4) },
        conv: Conv2D { filters: 3, kernel_size: 2 },
    }
}

sequential! {
    struct Vector: [64] {
        hidden: Dense { units: 12 },
        norm: BatchNormalization,
        relu: Activation { activation: Relu },
        out: Dense { units: 64 },
    }
}

const SAMPLES: usize = 40;

/// Values in -1..1 without a pattern (a Weyl sequence).
fn noise(len: usize, start: u32) -> Vec<f32> {
    (0..len as u32).map(|i| (i ^ start << 20).wrapping_mul(0x9e37_79b9) as f32 / 2_147_483_648.0 - 1.0).collect()
}

/// Weights as a training leaves them: no channel of a batch normalisation is as another.
fn weights<N: Network>() -> Vec<f32> {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::HeNormal, &mut weights, 5);
    weights.iter_mut().zip(noise(N::PARAMETERS, 7)).for_each(|(weight, noise)| *weight += 0.2 * noise);
    weights
}

fn check<N: Network>(allowed: f32) {
    let (weights, x) = (weights::<N>(), noise(SAMPLES * N::INPUT.len(), 1));
    let mut memory = vec![f32::NAN; N::inference_len(SAMPLES)];
    let real = forward::<N>(Backend::detect(), &weights, &x, &mut memory).unwrap().to_vec();
    let mut calibrator = Calibrator::new(N::GRAPH, Range::MinMax);
    let mut memory = vec![f32::NAN; calibrator.memory_len(SAMPLES)];
    calibrator.observe(Backend::detect(), &weights, &x, &mut memory).unwrap();
    let quantized = quantize(&N::GRAPH, &weights, &calibrator.finish()).unwrap();
    let mut expected: Option<Vec<i8>> = None;
    for family in [Family::Plain, Family::Dsp] {
        let blob = write(&N::GRAPH, &quantized, family, &About::default()).unwrap();
        let mut aligned = vec![0u128; blob.len().div_ceil(16)];
        bytemuck::cast_slice_mut(&mut aligned)[..blob.len()].copy_from_slice(&blob);
        let bytes: &[u8] = bytemuck::cast_slice(&aligned);
        let loaded = Loaded::read(bytes).unwrap();
        for backend in Backend::available() {
            let network = N::from_blob(bytes).unwrap().with_backend(backend);
            let mut memory = N::Memory::boxed();
            let mut outputs = Vec::new();
            for sample in x.chunks(N::INPUT.len()) {
                let image: Vec<i8> = sample.iter().map(|&x| network.input().quantize(x)).collect();
                let image = N::Image::try_from(&image).ok().unwrap();
                let scores = network.predict(&image, &mut memory);
                let (activations, scratch) = memory.parts();
                let steps = loaded.steps();
                let same = infer::run::<AllOps>(backend, &loaded.parts(), &steps, image.as_ref(), activations, scratch);
                assert_eq!(same, scores.as_ref(), "{} as the file knows it", N::NAME);
                outputs.extend_from_slice(scores.as_ref());
            }
            let expected = expected.get_or_insert_with(|| outputs.clone());
            assert_eq!(&outputs, expected, "{} on {}, {family:?}", N::NAME, backend.name());
            let spread = real.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            let error = |(real, &int8): (&f32, &i8)| (real - network.output().dequantize(int8)).abs() / spread;
            let mean = real.iter().zip(&outputs).map(error).sum::<f32>() / real.len() as f32;
            assert!(mean < allowed, "{} on {}: int8 is off by {mean} of the largest output", N::NAME, backend.name());
        }
    }
}

/// A step is half a percent of a tensor's range, and several add up.
#[test]
fn int8_is_close_to_f32_on_every_back_end() {
    check::<Normalized>(0.02);
    check::<Merged>(0.02);
    check::<Steps>(0.02);
    // Three tensors more than the others have in a chain: half as much again is off.
    check::<NormalizedInputs>(0.035);
    check::<Reshaped>(0.02);
    check::<Vector>(0.02);
}

fn steps<N: Network>() -> Vec<&'static str> {
    N::STEPS_S8.iter().map(|step| step.name()).collect()
}

/// What is folded or applied by another layer costs nothing on a device.
#[test]
fn what_others_compute_has_no_step() {
    let normalized = ["conv", "depthwise", "sum", "norm3", "hidden", "out"];
    assert_eq!(steps::<Normalized>(), normalized);
    let normalized = ["conv", "depthwise", "pool", "norm4", "same", "norm5", "pointwise", "norm6", "sum", "out"];
    assert_eq!(steps::<NormalizedInputs>(), normalized);
    assert_eq!(steps::<Reshaped>(), ["norm", "conv"]);
    let merged = [
        "conv",
        "depthwise",
        "beside_1",
        "beside",
        "squeeze",
        "excite",
        "scaled",
        "square",
        "both",
        "soft",
        "relu",
        "more",
        "wide",
        "max",
        "top",
        "out",
    ];
    assert_eq!(steps::<Merged>(), merged);
    assert_eq!(steps::<Steps>(), ["conv", "separable_depthwise", "separable", "average", "deep", "max", "out"]);
}
