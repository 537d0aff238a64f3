//! The f32 forward pass, which pools together with convolutions, against the same pass layer by layer: bit for bit.

use thumbnet::arch::Backend;
use thumbnet::network::forward;
use thumbnet::plan::{Fusion, PlanBuf};
use thumbnet::train::{Initializer, initialize};
use thumbnet::{Network, sequential};
use thumbnet_models::{MnistConvNet, MnistSmall};

sequential! {
    /// Poolings at every place: first, behind activations that keep the order of values to the bit and that may not,
    /// behind each other, last.
    struct Pools: [19, 17, 2] {
        first: MaxPooling2D { pool_size: 2, strides: 1 },
        conv1: Conv2D { filters: 5, kernel_size: 3, activation: Relu },
        pool1: MaxPooling2D { pool_size: 3, strides: 2, padding: Same },
        pool2: MaxPooling2D { pool_size: 2, strides: 1 },
        conv2: Conv2D { filters: 16, kernel_size: 3, padding: Same, activation: Tanh },
        pool3: MaxPooling2D { pool_size: 2, strides: 1 },
        dropout: Dropout { rate: 0.5 },
        conv3: Conv2D { filters: 6, kernel_size: 2, padding: Same, activation: Relu6 },
        pool4: MaxPooling2D { pool_size: 2, padding: Same },
        conv4: Conv2D { filters: 3, kernel_size: 2, use_bias: false },
        pool5: MaxPooling2D { pool_size: 2, padding: Same },
    }
}

sequential! {
    /// Windows that share rows.
    struct Overlapping: [20, 20, 16] {
        conv: Conv2D { filters: 16, kernel_size: 5, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 3, strides: 2 },
        flatten: Flatten,
        dense: Dense { units: 3 },
    }
}

sequential! {
    /// On a PC the convolution is Winograd's, whose tiles do not hold such windows.
    struct Threes: [20, 20, 16] {
        conv: Conv2D { filters: 16, kernel_size: 5, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 3 },
    }
}

sequential! {
    /// The layer that passes values on has more of them than any other has input and output.
    struct Flat: [12, 12, 1] {
        conv: Conv2D { filters: 8, kernel_size: 3, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2 },
        flatten: Flatten,
        dense: Dense { units: 3 },
    }
}

sequential! {
    /// The first layer only passes values on.
    struct Vectors: [2, 3, 2] {
        flatten: Flatten,
        dropout: Dropout { rate: 0.5 },
        dense: Dense { units: 5, activation: Relu },
    }
}

fn check<N: Network>() {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 1);
    for (i, weight) in weights.iter_mut().enumerate() {
        // Biases that are not zero.
        *weight += (i % 7) as f32 * 0.003;
    }
    for backend in Backend::available() {
        for batch in [1, 2, 7] {
            let x: Vec<f32> = (0..batch * N::INPUT.len()).map(|i| (i * 7919 % 256) as f32 / 255.0).collect();
            let observed = PlanBuf::new(&N::GRAPH, Fusion::Nothing);
            let observed = observed.plan();
            let mut memory = vec![f32::NAN; N::inference_len(batch)];
            let mut whole = vec![f32::NAN; observed.memory_len(&N::GRAPH, batch)];
            let mut seen = Vec::new();
            let mut see = |node: usize, y: &[f32]| seen.push((node, y.len()));
            let all = Some(&mut see as &mut thumbnet::forward::Observer<'_>);
            let want =
                thumbnet::forward::forward(&N::GRAPH, &observed, backend, &weights, &x, &mut whole, all).unwrap();
            let got = forward::<N>(backend, &weights, &x, &mut memory).unwrap();
            let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
            assert!(got.iter().all(|y| y.is_finite()));
            assert_eq!(bits(got), bits(want), "{} {} batch {batch}", N::NAME, backend.name());
            // Every layer that computes something was shown, whole.
            let layers = (1..N::GRAPH.nodes.len()).filter(|&node| !N::GRAPH.is_alias(node, false));
            let whole: Vec<_> = layers.map(|i| (i, batch * N::GRAPH.nodes[i].output.len())).collect();
            assert_eq!(seen, whole, "{}", N::NAME);
        }
    }
}

#[test]
fn pools_with_convolutions_to_the_bit() {
    check::<Pools>();
    check::<Overlapping>();
    check::<Threes>();
    check::<Flat>();
    check::<Vectors>();
    check::<MnistSmall>();
    check::<MnistConvNet>();
}

/// What is pooled at once is never stored, and layers that pass values on take no memory: the largest input and output.
#[test]
fn needs_no_memory_for_what_is_pooled_or_passed_on() {
    fn values<N: Network>() -> usize {
        N::FORWARD.values
    }
    assert_eq!(values::<MnistSmall>(), 14 * 14 * 8 + 7 * 7 * 16);
    assert_eq!(values::<MnistConvNet>(), 14 * 14 * 32 + 7 * 7 * 64);
    assert_eq!(values::<Overlapping>(), 20 * 20 * 16 + 9 * 9 * 16);
    assert_eq!(values::<Flat>(), 6 * 6 * 8 + 3);
}
