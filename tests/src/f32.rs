//! The f32 forward pass.

use thumbnet::arch::Backend;
use thumbnet::network::forward;

use crate::bars::{self, Bars};
use crate::cases;
#[cfg(not(feature = "microbit"))]
use {thumbnet::Network, thumbnet_models::MnistSmall};

// 256 KB of flash do not hold the weights in f32 beside the images of the int8 tests.
#[cfg(feature = "microbit")]
cases![wrong_lengths_are_errors];
#[cfg(not(feature = "microbit"))]
cases![keras_softmax, wrong_lengths_are_errors];

/// Within 1e-5 of Keras: sums of up to 784 products in another order.
#[cfg(not(feature = "microbit"))]
fn keras_softmax() {
    const LEN: usize = MnistSmall::FORWARD.memory_len(&MnistSmall::GRAPH, 1);
    static IMAGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/images.i8"));
    let (weights, expected) = (crate::values!("keras.f32"), crate::values!("softmax.f32"));
    let mut memory = [0.0; LEN];
    for (image, expected) in IMAGES.as_chunks::<784>().0.iter().zip(expected.chunks(10)).take(4) {
        // The int8 image has scale 1/255 and zero point -128.
        let image = image.map(|byte| f32::from(i16::from(byte.cast_signed()) + 128) / 255.0);
        let scores = forward::<MnistSmall>(Backend::detect(), weights, &image, &mut memory).expect("lengths are right");
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-5, "{score}, Keras has {expected}");
        }
    }
}

fn wrong_lengths_are_errors() {
    let (weights, image) = ([0.0; bars::PARAMETERS], [0.0; 16]);
    let error = |x| forward::<Bars>(Backend::detect(), &weights, x, &mut []).err().map(|error| (error.what, error.len));
    assert!(error(&image) == Some(("memory", 0)));
    assert!(error(&image[1..]) == Some(("x", 15)));
}
