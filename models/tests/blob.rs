//! The blob: round trip, every truncation, every corrupted byte, and other networks.

mod tflite;

use thumbnet::arch::Backend;
use thumbnet::blob::{BlobError, Family, repack, write};
use thumbnet::quant::{Calibrator, QuantizedNetwork, Range, quantize};
use thumbnet::sequential::{Memory, forward};
use thumbnet::train::initialize;
use thumbnet::{Network, include_blob, sequential};
use thumbnet_models::MnistSmall;

sequential! {
    struct Tiny: [5, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 2, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2, padding: Same },
        hidden_conv: Conv2D { filters: 2, kernel_size: 1, activation: Tanh },
        flatten: Flatten,
        hidden: Dense { units: 4, activation: Sigmoid, use_bias: false },
        out: Dense { units: 3, activation: Softmax },
    }
}

sequential! {
    /// As `Tiny`, but for the filters of `hidden_conv` and what follows from them.
    struct OtherFilters: [5, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 2, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2, padding: Same },
        hidden_conv: Conv2D { filters: 4, kernel_size: 1, activation: Tanh },
        flatten: Flatten,
        hidden: Dense { units: 4, activation: Sigmoid, use_bias: false },
        out: Dense { units: 3, activation: Softmax },
    }
}

sequential! {
    /// The first layers of `Tiny`.
    struct Shorter: [5, 4, 2] {
        conv: Conv2D { filters: 3, kernel_size: 2, padding: Same, activation: Relu },
        pool: MaxPooling2D { pool_size: 2, padding: Same },
    }
}

const SAMPLES: usize = 40;

fn weights_and_samples<N: Network>() -> (Vec<f32>, Vec<f32>) {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize::<N>(&mut weights, 3);
    let x = (0..SAMPLES * N::INPUT.len()).map(|i| ((i * i * 31 + i * 7) % 199) as f32 / 100.0 - 0.5).collect();
    (weights, x)
}

fn quantized<N: Network>() -> QuantizedNetwork {
    let (weights, x) = weights_and_samples::<N>();
    let mut memory = vec![0.0; N::observed_len(SAMPLES)];
    let mut calibrator = Calibrator::<N>::new(Range::MinMax);
    calibrator.observe(Backend::detect(), &weights, &x, &mut memory).unwrap();
    quantize::<N>(&weights, &calibrator.finish()).unwrap()
}

/// A copy that lies where a blob may; `u128` is aligned to 16.
fn aligned(bytes: &[u8]) -> Vec<u128> {
    let mut copy = vec![0; bytes.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut copy)[..bytes.len()].copy_from_slice(bytes);
    copy
}

/// The error of reading `bytes` as a blob, if it is one.
fn error<N: Network>(bytes: &[u8]) -> Option<BlobError> {
    N::from_blob(&bytemuck::cast_slice(&aligned(bytes))[..bytes.len()]).err()
}

#[test]
fn every_family_computes_the_same_and_near_the_f32_network() {
    let (weights, x) = weights_and_samples::<Tiny>();
    let quantized = quantized::<Tiny>();
    let mut memory = vec![0.0; Tiny::inference_len(SAMPLES)];
    let expected = forward::<Tiny>(Backend::SCALAR, &weights, &x, &mut memory).unwrap();
    let blobs = [Family::Plain, Family::Dsp].map(|family| write::<Tiny>(&quantized, family).unwrap());
    assert_eq!(blobs[0].len(), blobs[1].len(), "packing takes no bytes");
    for (blob, other, family) in [(&blobs[0], &blobs[1], Family::Dsp), (&blobs[1], &blobs[0], Family::Plain)] {
        assert_ne!(blob, other);
        let copy = aligned(blob);
        let repacked = repack::<Tiny>(&bytemuck::cast_slice(&copy)[..blob.len()], family).unwrap();
        assert_eq!(&repacked, other, "to {family:?}");
    }
    let copies = blobs.each_ref().map(|blob| aligned(blob));
    let networks = copies.each_ref().map(|copy| Tiny::from_blob(bytemuck::cast_slice(copy)).unwrap());
    let mut worst = 0.0f32;
    for (x, expected) in x.chunks(Tiny::INPUT.len()).zip(expected.chunks(3)) {
        let mut image = [0; Tiny::INPUT.len()];
        for (q, x) in image.iter_mut().zip(x) {
            *q = networks[0].input().quantize(*x);
        }
        let mut results = Vec::new();
        for network in &networks {
            for backend in Backend::available() {
                results.push(network.with_backend(backend).predict(&image, &mut Memory::default()));
            }
        }
        assert!(results.iter().all(|scores| scores == &results[0]), "{results:?}");
        for (score, expected) in results[0].iter().zip(expected) {
            worst = worst.max((networks[0].output().dequantize(*score) - expected).abs());
        }
    }
    // Four int8 layers one after the other; half a step of each is 0.2 to 2 percent.
    assert!(worst < 0.03, "{worst}");
}

#[test]
fn every_truncation_is_an_error() {
    let blob = write::<Tiny>(&quantized::<Tiny>(), Family::Plain).unwrap();
    assert_eq!(error::<Tiny>(&blob), None);
    for len in 0..blob.len() {
        let found = error::<Tiny>(&blob[..len]);
        let expected = match len {
            0..8 => matches!(found, Some(BlobError::NotABlob)),
            8..13 => matches!(found, Some(BlobError::Truncated { needed: 13, .. })),
            _ => found == Some(BlobError::Truncated { len, needed: blob.len() }),
        };
        assert!(expected, "cut to {len} bytes: {found:?}");
    }
}

#[test]
fn every_corrupted_byte_is_an_error() {
    let mut blob = write::<Tiny>(&quantized::<Tiny>(), Family::Dsp).unwrap();
    for at in 0..blob.len() {
        for flip in [0x01, 0x80, 0xff] {
            blob[at] ^= flip;
            let found = error::<Tiny>(&blob);
            let expected = match at {
                0..8 => matches!(found, Some(BlobError::NotABlob)),
                8 => matches!(found, Some(BlobError::Version { .. })),
                // A length that is too small makes four bytes of data the CRC.
                9..13 => matches!(
                    found,
                    Some(BlobError::Truncated { .. } | BlobError::Corrupt { .. } | BlobError::Malformed { .. })
                ),
                _ => matches!(found, Some(BlobError::Corrupt { .. })),
            };
            assert!(expected, "byte {at} ^ {flip:#x}: {found:?}");
            blob[at] ^= flip;
        }
    }
}

/// Writes the CRC anew, so that only the checks behind it remain.
fn reseal(blob: &mut [u8]) {
    let (covered, stored) = blob.split_last_chunk_mut::<4>().unwrap();
    *stored = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(covered).to_le_bytes();
}

#[test]
fn no_byte_with_a_right_crc_makes_prediction_panic() {
    let original = write::<Tiny>(&quantized::<Tiny>(), Family::Dsp).unwrap();
    for at in 13..original.len() - 4 {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut blob = original.clone();
            blob[at] = value;
            reseal(&mut blob);
            let copy = aligned(&blob);
            if let Ok(network) = Tiny::from_blob(bytemuck::cast_slice(&copy)) {
                for backend in Backend::available() {
                    network.with_backend(backend).predict(&[at as i8; 40], &mut Memory::default());
                }
            }
        }
    }
}

#[test]
fn errors_name_what_differs() {
    let blob = write::<Tiny>(&quantized::<Tiny>(), Family::Plain).unwrap();
    let found = error::<OtherFilters>(&blob).unwrap();
    assert_eq!(found, BlobError::Architecture { layer: "hidden_conv" });
    assert_eq!(found.to_string(), "the blob is of another network: layer `hidden_conv` differs");
    assert_eq!(error::<Shorter>(&blob), Some(BlobError::Architecture { layer: "" }));
    assert_eq!(
        error::<Tiny>(&write::<Shorter>(&quantized::<Shorter>(), Family::Plain).unwrap()),
        Some(BlobError::Architecture { layer: "hidden_conv" })
    );
    assert_eq!(error::<MnistSmall>(&blob), Some(BlobError::Architecture { layer: "conv1" }));

    let copy = aligned(&[&[0; 3], blob.as_slice()].concat());
    let misplaced = Tiny::from_blob(&bytemuck::cast_slice(&copy)[3..]);
    assert_eq!(misplaced.err(), Some(BlobError::Alignment { offset: 3 }));

    let longer = [blob.as_slice(), &[0xff; 100]].concat();
    assert_eq!(error::<Tiny>(&longer), None, "a flash partition may be longer than its blob");
}

/// The whole way of a device - blob, stages, fused pooling, memory plan - with TFLite's own parameters.
#[test]
fn a_blob_of_tflites_network_gives_tflites_bytes() {
    let quantized = tflite::network();
    let (images, expected) = (tflite::bytes("input"), tflite::bytes("op7_softmax.activation"));
    for family in [Family::Plain, Family::Dsp] {
        let copy = aligned(&write::<MnistSmall>(&quantized, family).unwrap());
        let network = MnistSmall::from_blob(bytemuck::cast_slice(&copy)).unwrap();
        for backend in Backend::available() {
            let network = network.with_backend(backend);
            let mut memory = MnistSmall::ZERO_MEMORY;
            for (image, expected) in images.as_chunks().0.iter().zip(expected.chunks(10)) {
                assert_eq!(network.predict(image, &mut memory), expected, "{family:?} on {}", backend.name());
            }
        }
    }
}

/// The two blobs that firmware embeds by default hold the same network. After a change of one, write the other with [`repack`].
#[test]
fn the_embedded_blobs_differ_in_order_alone() {
    let plain: &[u8] = include_blob!("../blobs/mnist_small.plain.tnb");
    let dsp: &[u8] = include_blob!("../blobs/mnist_small.dsp.tnb");
    assert_eq!(repack::<MnistSmall>(dsp, Family::Plain).unwrap(), plain);
    assert_eq!(repack::<MnistSmall>(plain, Family::Dsp).unwrap(), dsp);
}
