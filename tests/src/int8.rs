//! A whole quantised network: the blob, the plan of the memory, and every int8 kernel that MnistSmall has.

use thumbnet::arch::Backend;
use thumbnet::blob::BlobError;
use thumbnet::{Int8, Network, include_blob};
use thumbnet_models::MnistSmall;

use crate::cases;

// 256 KB of flash do not hold the images and both blobs.
#[cfg(feature = "microbit")]
cases![tflites_bytes_from_plain_weights, a_damaged_blob_is_an_error];
#[cfg(not(feature = "microbit"))]
cases![tflites_bytes_from_plain_weights, tflites_bytes_from_packed_weights, a_damaged_blob_is_an_error];

/// MnistSmall as TFLite quantised it.
fn plain() -> &'static [u8] {
    include_blob!(concat!(env!("OUT_DIR"), "/plain.tnb"))
}

/// The same with its weights in the order of DSP cores.
#[cfg(not(feature = "microbit"))]
fn packed() -> &'static [u8] {
    include_blob!(concat!(env!("OUT_DIR"), "/dsp.tnb"))
}

/// The first 200 test images of MNIST, as int8.
static IMAGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/images.i8"));
/// The outputs of TFLite's reference kernels for them.
static OUTPUTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/outputs.i8"));

fn tflites_bytes_from_plain_weights() {
    expect_tflites_bytes(plain());
}

#[cfg(not(feature = "microbit"))]
fn tflites_bytes_from_packed_weights() {
    expect_tflites_bytes(packed());
}

fn expect_tflites_bytes(blob: &[u8]) {
    // Not `expect`: it would link the formatting of every error, for which the smallest board has no flash.
    let Ok(network) = MnistSmall::from_blob(blob) else { panic!("the blob cannot be read") };
    for backend in Backend::available() {
        expect_outputs(&network.with_backend(backend));
    }
}

fn expect_outputs(network: &Int8<'_, MnistSmall>) {
    let mut memory = MnistSmall::ZERO_MEMORY;
    let images = bytemuck::cast_slice::<u8, i8>(IMAGES).as_chunks::<784>().0;
    let outputs = bytemuck::cast_slice::<u8, i8>(OUTPUTS).as_chunks::<10>().0;
    assert_eq!((images.len(), outputs.len()), (200, 200));
    for (i, (image, expected)) in images.iter().zip(outputs).enumerate() {
        let scores = network.predict(image, &mut memory);
        assert_eq!(scores, *expected, "image {i} on {}", network.backend().name());
    }
}

fn a_damaged_blob_is_an_error() {
    let error = |blob: &'static [u8]| MnistSmall::from_blob(blob).err();
    let blob = plain();
    let cut = blob.len() - 1;
    assert!(error(&blob[..cut]) == Some(BlobError::Truncated { len: cut, needed: blob.len() }));
    assert!(error(&blob[16..]) == Some(BlobError::NotABlob));
    assert!(error(&blob[1..]) == Some(BlobError::Alignment { offset: 1 }));
}
