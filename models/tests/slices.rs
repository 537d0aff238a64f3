//! Inference in slices, and of several networks in one memory.

use thumbnet::arch::Backend;
use thumbnet::network::{SharedMemory, WorkingMemory, largest};
use thumbnet::{Network, include_blob, sequential};
use thumbnet_models::{MnistResNet, MnistSmall};

const BYTES: usize = largest(&[MnistSmall::MEMORY_BYTES, MnistResNet::MEMORY_BYTES]);

#[test]
fn slices_and_shared_memory_give_the_bytes_of_predict() {
    assert_eq!(BYTES, MnistSmall::MEMORY_BYTES.max(MnistResNet::MEMORY_BYTES));
    let network = MnistSmall::from_blob(include_blob!("../blobs/mnist_small.plain.tnb")).unwrap();
    let (mut memory, mut shared) = (<MnistSmall as Network>::Memory::boxed(), SharedMemory::<BYTES>::boxed());
    let images: [[i8; 784]; 20] =
        std::array::from_fn(|i| std::array::from_fn(|at| ((at * at + 31 * i * at) % 255) as u8 as i8));
    for backend in Backend::available() {
        let network = network.with_backend(backend);
        for (i, image) in images.iter().enumerate() {
            let expected = network.predict(image, &mut memory);
            assert_eq!(network.predict_in(image, &mut shared), expected, "image {i} on {}", backend.name());

            // Asked for early or late, the scores are those of the whole network.
            for asked in [0, 1, i % 7, MnistSmall::STEPS_S8.len(), 100] {
                let mut run = network.start(image, &mut memory);
                let steps = (0..asked).take_while(|_| run.step()).count();
                assert_eq!(steps, asked.min(MnistSmall::STEPS_S8.len() - 1));
                assert_eq!(run.scores(), expected, "image {i} after {asked} steps on {}", backend.name());
            }
            let mut run = network.start_in(image, &mut shared);
            while run.step() {}
            assert!(!run.step() && run.steps() == MnistSmall::STEPS_S8.len(), "nothing runs twice");
            assert_eq!(run.scores(), expected);
        }
    }
}

sequential! {
    /// A network of a single step.
    struct Single: [1, 1, 4] {
        out: Dense { units: 2 },
    }
}

#[test]
fn the_last_step_is_known() {
    assert_eq!(Single::STEPS_S8.len(), 1);
    let bytes = single();
    let mut aligned = vec![0u128; bytes.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut aligned)[..bytes.len()].copy_from_slice(&bytes);
    let network = Single::from_blob(bytemuck::cast_slice(&aligned)).unwrap();
    let mut memory = Single::ZERO_MEMORY;
    let mut run = network.start(&[1, 2, 3, 4], &mut memory);
    assert!(!run.step() && !run.step());
    let scores = run.scores();
    assert_eq!(scores, network.predict(&[1, 2, 3, 4], &mut memory));
}

/// A blob of [`Single`].
fn single() -> Vec<u8> {
    use thumbnet::blob::{About, Family, write};
    use thumbnet::quantize::{Calibrator, Range, quantize};

    let weights = [0.5; Single::PARAMETERS];
    let mut calibrator = Calibrator::new(Single::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(1)];
    calibrator.observe(Backend::SCALAR, &weights, &[0.1, 0.5, 0.3, 0.9], &mut memory).unwrap();
    let network = quantize(&Single::GRAPH, &weights, &calibrator.finish()).unwrap();
    write(&Single::GRAPH, &network, Family::Plain, &About::default()).unwrap()
}
