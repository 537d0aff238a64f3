//! Neither training nor inference depends on the number of threads, whatever layers a network has.
#![cfg(feature = "std")]

use crate::kinds::{ACTIVATIONS, OPS, activation_kind, op_kind};
use crate::support::{Random, backends, poison};
use crate::threads::{THREADS, same_for_any_number};
use thumbnet::graph::{Node, Op};
use thumbnet::network::forward;
use thumbnet::train::{Adadelta, Buffers, Loss, Optimizer, Settings, Trainer};
use thumbnet::{Network, sequential};

sequential! {
    /// Every kind of layer and of activation, each at least once with enough values for all threads.
    struct Everything: [32, 32, 4] {
        conv: Conv2D { filters: 16, kernel_size: 3, padding: Same },
        norm: BatchNormalization,
        leaky: LeakyReLU,
        depthwise: DepthwiseConv2D { kernel_size: 3, padding: Same, activation: Relu6 },
        average: AveragePooling2D { pool_size: 3, strides: 1, padding: Same },
        tanh: Activation { activation: Tanh },
        beside: Concatenate(leaky, tanh),
        largest: MaxPooling2D { pool_size: 3, strides: 2, padding: Same },
        drop: Dropout { rate: 0.2 },
        point: Conv2D { filters: 32, kernel_size: 1, activation: Sigmoid },
        product: Multiply(drop, point),
        sum: Add(product, drop) { activation: Relu },
        means: GlobalAveragePooling2D,
        scaled: Multiply(sum, means),
        twice: DepthwiseConv2D { kernel_size: 3, padding: Same, depth_multiplier: 2, activation: Softmax },
        padded: ZeroPadding2D { padding: 1 },
        deep: Reshape { target_shape: (18, 36, 32) },
        flat: Flatten,
        dense: Dense { units: 16, activation: Relu },
        most: GlobalMaxPooling2D(deep),
        out: Concatenate(dense, most),
    }
}

/// As many samples as fill the sums of a batch normalisation's parts, of which each thread has one.
const BATCH: usize = 28;

/// In how many pieces threads share a batch of the node's work at most, by the rules of `src/arch`.
fn pieces(node: &Node<'_>, input: usize) -> usize {
    /// Multiplications, values, and values of a batch normalisation that are worth a thread.
    const GRAINS: [usize; 3] = [1 << 18, 1 << 14, 1 << 16];
    let samples = |grain: usize, each: usize| BATCH.div_ceil(grain.div_ceil(each));
    match node.op {
        Op::Conv2D { .. } | Op::DepthwiseConv2D { .. } | Op::Dense { .. } => samples(GRAINS[0], node.macs()),
        Op::BatchNormalization { .. } => BATCH * input / GRAINS[2],
        Op::MaxPooling2D { .. }
        | Op::AveragePooling2D { .. }
        | Op::GlobalAveragePooling2D { .. }
        | Op::GlobalMaxPooling2D { .. }
        | Op::Dropout { .. }
        | Op::Activation { .. }
        | Op::Add { .. }
        | Op::Concatenate
        | Op::Multiply { .. } => samples(GRAINS[1], input),
        // Nothing is computed, or one thread copies.
        Op::Input | Op::Flatten | Op::Reshape | Op::ZeroPadding2D { .. } => usize::MAX,
    }
}

#[test]
fn every_kind_of_layer_is_shared_by_all_threads() {
    let graph = Everything::GRAPH;
    let most = *THREADS.last().unwrap();
    let is_shared = |i: usize| pieces(&graph.nodes[i], graph.input_of(i).len()) >= most;
    let shared: Vec<_> = (0..graph.nodes.len()).filter(|&i| is_shared(i)).collect();
    let layers: Vec<_> = shared.iter().map(|&i| op_kind(&graph.nodes[i].op)).collect();
    let activations: Vec<_> = shared.iter().map(|&i| activation_kind(&graph.nodes[i].op.activation())).collect();
    let missing = OPS.iter().filter(|kind| !layers.contains(kind));
    let missing: Vec<_> = missing.chain(ACTIVATIONS.iter().filter(|kind| !activations.contains(kind))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn training_and_inference() {
    let mut random = Random(19);
    let x = random.values(BATCH * Everything::INPUT.len());
    let targets = random.values(BATCH * Everything::OUTPUT.len());
    let weights: Vec<f32> = random.values(Everything::PARAMETERS).iter().map(|weight| 0.2 * weight.abs()).collect();
    for backend in backends() {
        same_for_any_number(&format!("training on {}", backend.name()), || {
            let mut weights = weights.clone();
            let mut slots = vec![0.0; Adadelta::SLOTS * weights.len()];
            let mut memory = poison(Everything::training_len(BATCH));
            let loss = Loss::MeanSquaredError;
            let settings = Settings { backend, optimizer: Adadelta::default(), loss, seed: 3 };
            let buffers = Buffers { weights: &mut weights, slots: &mut slots, memory: &mut memory };
            let mut trainer = Trainer::of::<Everything>(settings, buffers).unwrap();
            let loss = trainer.step(&x, &targets).unwrap().loss;
            assert!(loss.is_finite());
            let mut memory = poison(Everything::inference_len(BATCH));
            let outputs = forward::<Everything>(backend, &weights, &x, &mut memory).unwrap().to_vec();
            [&[loss][..], &outputs, &weights, &slots].concat()
        });
    }
}
