//! The RAM of a quantised network is what its constants say: `predict` writes nowhere else, and reads nothing that it
//! has not written.

use thumbnet::arch::Backend;
use thumbnet::blob::{About, Family, write};
use thumbnet::network::WorkingMemory;
use thumbnet::quantize::{Calibrator, Range, quantize};
use thumbnet::train::{Initializer, initialize};
use thumbnet::{Network, sequential};
use thumbnet_models::{MnistConvNet, MnistSmall};

sequential! {
    /// What the other two have not: strides, windows that overlap, odd sizes, tables, a pooling of its own.
    struct Odd: [13, 11, 3] {
        pool0: MaxPooling2D { pool_size: 2, strides: 1 },
        conv1: Conv2D { filters: 7, kernel_size: 3, strides: 2, padding: Same, activation: Tanh },
        conv2: Conv2D { filters: 5, kernel_size: 2, activation: Relu6 },
        pool2: MaxPooling2D { pool_size: 3, strides: 1, padding: Same },
        flatten: Flatten,
        dense1: Dense { units: 9, activation: Sigmoid },
        dense2: Dense { units: 3 },
    }
}

/// Memory between canaries.
#[repr(C)]
struct Fenced<M> {
    before: [u8; FENCE],
    memory: M,
    behind: [u8; FENCE],
}

const FENCE: usize = 256;
const CANARY: u8 = 0xa5;

fn check<N: Network>() {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 5);
    let image: Vec<f32> = (0..N::INPUT.len()).map(|i| (i * i % 251) as f32 / 251.0).collect();
    let mut calibrator = Calibrator::new(N::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(1)];
    calibrator.observe(Backend::detect(), &weights, &image, &mut memory).unwrap();
    let quantized = quantize(&N::GRAPH, &weights, &calibrator.finish()).unwrap();

    for family in [Family::Plain, Family::Dsp] {
        let blob = write(&N::GRAPH, &quantized, family, &About::default()).unwrap();
        let mut aligned = vec![0u128; blob.len().div_ceil(16)];
        bytemuck::cast_slice_mut(&mut aligned)[..blob.len()].copy_from_slice(&blob);
        let network = N::from_blob(&bytemuck::cast_slice(&aligned)[..blob.len()]).unwrap();
        let values: Vec<i8> = image.iter().map(|&value| network.input().quantize(value)).collect();
        let values = N::Image::try_from(values.as_slice()).unwrap_or_else(|_| panic!("the image is the network's"));

        let mut memory = Box::new(Fenced { before: [CANARY; FENCE], memory: N::ZERO_MEMORY, behind: [CANARY; FENCE] });
        let (activations, scratch) = memory.memory.parts();
        assert_eq!((activations.len(), 4 * scratch.len()), (N::ACTIVATION_BYTES, N::SCRATCH_BYTES));
        let all = N::ACTIVATION_BYTES + N::SCRATCH_BYTES;
        assert_eq!(size_of::<N::Memory>(), all.next_multiple_of(16), "{}: memory besides", N::NAME);

        let expected = network.with_backend(Backend::SCALAR).predict(&values, &mut memory.memory);
        for backend in Backend::available() {
            let network = network.with_backend(backend);
            for (activation, word) in [(0, 0), (0x5a, 0x7fff_ffff), (-1, -1), (-128, 0x55aa_1234_u32.cast_signed())] {
                let (activations, scratch) = memory.memory.parts();
                activations.fill(activation);
                scratch.fill(word);
                let scores = network.predict(&values, &mut memory.memory);
                let what = format!("{} on {}, memory of {activation} and {word}", N::NAME, backend.name());
                assert_eq!(scores.as_ref(), expected.as_ref(), "{what}");
                let fences = memory.before.iter().chain(&memory.behind);
                assert!(fences.copied().all(|byte| byte == CANARY), "{what}: written beyond the memory");
            }
        }
    }
}

#[test]
fn small() {
    check::<MnistSmall>();
}

#[test]
fn convnet() {
    check::<MnistConvNet>();
}

#[test]
fn odd_sizes() {
    check::<Odd>();
}
