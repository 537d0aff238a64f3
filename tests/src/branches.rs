//! int8 inference of a network with branches.

use thumbnet::Network;
use thumbnet::arch::Backend;
use thumbnet::include_blob;

use crate::cases;
use crate::residual::Residual;

cases![bytes_as_on_the_host];

static IMAGES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/residual_images.i8"));
static OUTPUTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/residual_outputs.i8"));

fn bytes_as_on_the_host() {
    let blobs = [
        include_blob!(concat!(env!("OUT_DIR"), "/residual.plain.tnb")),
        include_blob!(concat!(env!("OUT_DIR"), "/residual.dsp.tnb")),
    ];
    // A core that reads one order of weights refuses the other.
    let mut read = 0;
    for network in blobs.iter().filter_map(|blob| Residual::from_blob(blob).ok()) {
        read += 1;
        for backend in Backend::available() {
            let network = network.with_backend(backend);
            let mut memory = Residual::ZERO_MEMORY;
            let images = IMAGES.as_chunks::<{ Residual::INPUT.len() }>().0;
            for (image, expected) in images.iter().zip(OUTPUTS.chunks(4)) {
                let scores = network.predict(&image.map(u8::cast_signed), &mut memory);
                assert!(scores.iter().zip(expected).all(|(score, expected)| *score == expected.cast_signed()));
            }
        }
    }
    assert!(read == if Backend::CONV_S8_PACKING.is_some() { 1 } else { 2 });
}
