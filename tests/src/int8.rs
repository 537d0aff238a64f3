//! A whole quantised network: the blob, the plan of the memory, and every int8 kernel that MnistSmall has.

use thumbnet::arch::Backend;
use thumbnet::blob::{Aligned, BlobError};
use thumbnet::int8::Packing;
use thumbnet::network::{SharedMemory, WorkingMemory};
use thumbnet::{Int8, Network};
use thumbnet_models::MnistSmall;

use crate::{bytes, cases};

// 256 KB of flash do not hold the images and both blobs.
#[cfg(feature = "microbit")]
cases![
    tflites_bytes_from_plain_weights,
    slices_and_shared_memory,
    predict_keeps_to_its_memory,
    a_damaged_blob_is_an_error
];
#[cfg(not(feature = "microbit"))]
cases![
    tflites_bytes_from_plain_weights,
    tflites_bytes_from_packed_weights,
    slices_and_shared_memory,
    predict_keeps_to_its_memory,
    some_order_is_read,
    a_damaged_blob_is_an_error
];

/// MnistSmall as TFLite quantised it.
pub(crate) fn plain() -> &'static [u8] {
    bytes!("plain.tnb")
}

/// The same with its weights in the order of DSP cores.
#[cfg(not(feature = "microbit"))]
fn packed() -> &'static [u8] {
    bytes!("dsp.tnb")
}

/// The first 200 test images of MNIST, as int8; 130 for the smallest board.
static IMAGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/images.i8"));
/// The outputs of TFLite's reference kernels for them.
static OUTPUTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/outputs.i8"));

fn tflites_bytes_from_plain_weights() {
    expect_tflites_bytes(plain(), Packing::Plain, Packing::Plain);
}

#[cfg(not(feature = "microbit"))]
fn tflites_bytes_from_packed_weights() {
    expect_tflites_bytes(packed(), Packing::Pairs, Packing::Quads);
}

/// Every back end gives TFLite's bytes; or, where the core's kernels do not read the order that convolutions or dense
/// layers have in the blob, the first layer of that kind is an error.
fn expect_tflites_bytes(blob: &[u8], conv: Packing, dense: Packing) {
    let needed = [(conv, Backend::CONV_S8_PACKING), (dense, Backend::DENSE_S8_PACKING)];
    let error = needed.into_iter().find_map(|(found, needed)| {
        let needed = needed.filter(|&needed| needed != found)?;
        Some(BlobError::Packing { found, needed })
    });
    // Not `expect`: it would link the formatting of every error, for which the smallest board has no flash.
    match (MnistSmall::from_blob(blob), error) {
        (Ok(network), None) => {
            expect_outputs(&network);
            for backend in Backend::available() {
                expect_outputs(&network.with_backend(backend));
            }
        }
        (Err(found), Some(expected)) if found == expected => {}
        (Ok(_), Some(_)) => panic!("the blob was read, in spite of its order"),
        (Err(_), _) => panic!("the blob cannot be read"),
    }
}

/// Of the two orders that blobs have, each core reads its own, and those without kernels of their own read both.
#[cfg(not(feature = "microbit"))]
fn some_order_is_read() {
    let read = [plain(), packed()].map(|blob| MnistSmall::from_blob(blob).is_ok());
    match Backend::CONV_S8_PACKING {
        Some(packing) => assert_eq!(read, [packing == Packing::Plain, packing != Packing::Plain]),
        None => assert_eq!(read, [true, true]),
    }
}

fn expect_outputs<B: Into<Backend> + Copy>(network: &Int8<'_, MnistSmall, B>) {
    let mut memory = MnistSmall::ZERO_MEMORY;
    let images = bytemuck::cast_slice::<u8, i8>(IMAGES).as_chunks::<784>().0;
    let outputs = bytemuck::cast_slice::<u8, i8>(OUTPUTS).as_chunks::<10>().0;
    let all = if cfg!(feature = "microbit") { 130 } else { 200 };
    assert_eq!((images.len(), outputs.len()), (all, all));
    for (i, (image, expected)) in images.iter().zip(outputs).enumerate() {
        let scores = network.predict(image, &mut memory);
        assert_eq!(scores, *expected, "image {i} on {}", network.backend().name());
    }
}

/// One step at a time, and in memory that is larger than it need be, the bytes are the same.
fn slices_and_shared_memory() {
    #[cfg(feature = "microbit")]
    let blobs = [plain()];
    #[cfg(not(feature = "microbit"))]
    let blobs = [plain(), packed()];
    let images = bytemuck::cast_slice::<u8, i8>(IMAGES).as_chunks::<784>().0;
    let outputs = bytemuck::cast_slice::<u8, i8>(OUTPUTS).as_chunks::<10>().0;
    let mut memory = SharedMemory::<{ MnistSmall::MEMORY_BYTES + 24 }>::ZERO;
    for network in blobs.into_iter().filter_map(|blob| MnistSmall::from_blob(blob).ok()) {
        for (image, expected) in images.iter().zip(outputs).take(5) {
            assert!(network.predict_in(image, &mut memory) == *expected);
            let mut run = network.start_in(image, &mut memory);
            while run.step() {}
            assert!(run.steps() == MnistSmall::STEPS_S8.len() && run.scores() == *expected);
        }
    }
}

/// The network's memory between canaries.
#[repr(C)]
struct Fenced {
    before: [u8; 64],
    memory: <MnistSmall as Network>::Memory,
    behind: [u8; 64],
}

/// It writes nowhere else, and what was there before does not matter.
fn predict_keeps_to_its_memory() {
    const CANARY: u8 = 0xa5;
    #[cfg(feature = "microbit")]
    let blobs = [plain()];
    #[cfg(not(feature = "microbit"))]
    let blobs = [plain(), packed()];
    let (images, outputs) = (bytemuck::cast_slice::<u8, i8>(IMAGES), bytemuck::cast_slice::<u8, i8>(OUTPUTS));
    let (Some(image), Some(expected)) = (images.first_chunk::<784>(), outputs.first_chunk::<10>()) else {
        panic!("there is an image");
    };
    let mut fenced = Fenced { before: [CANARY; 64], memory: MnistSmall::ZERO_MEMORY, behind: [CANARY; 64] };
    let mut tried = 0;
    // A core need not read every order of weights.
    for network in blobs.into_iter().filter_map(|blob| MnistSmall::from_blob(blob).ok()) {
        for backend in Backend::available() {
            for (activation, word) in [(0, 0), (0x5a, i32::MAX), (-1, -1), (-128, 0x1234_5678)] {
                let (activations, scratch) = fenced.memory.parts();
                assert!(activations.len() == MnistSmall::ACTIVATION_BYTES);
                assert!(4 * scratch.len() == MnistSmall::SCRATCH_BYTES);
                activations.fill(activation);
                scratch.fill(word);
                let scores = network.with_backend(backend).predict(image, &mut fenced.memory);
                assert!(scores == *expected, "memory of {activation} and {word}");
                let fences = core::hint::black_box(&fenced);
                assert!(fences.before.iter().chain(&fences.behind).all(|&byte| byte == CANARY), "beyond the memory");
                tried += 1;
            }
        }
    }
    assert!(tried >= 4);
}

fn a_damaged_blob_is_an_error() {
    fn error(blob: &[u8]) -> Option<BlobError> {
        MnistSmall::from_blob(blob).err()
    }
    let blob = plain();
    let cut = blob.len() - 1;
    assert!(error(&blob[..cut]) == Some(BlobError::Truncated { len: cut, needed: blob.len() }));
    assert!(error(&blob[16..]) == Some(BlobError::NotABlob));
    assert!(error(&blob[1..]) == Some(BlobError::NotABlob));
    // What begins as a blob does, a byte too far.
    let mut moved = Aligned([0; 64]);
    moved.0[1..].copy_from_slice(&blob[..63]);
    assert!(error(&moved.0[1..]) == Some(BlobError::Alignment { offset: 1 }));
}
