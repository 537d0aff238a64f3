//! Runs a blob over test images on one back end, and writes the int8 outputs, image after image: what
//! shows on a CPU that QEMU plays that a back end gives the same bytes as another.
//!
//! `cargo run -p thumbnet-models --example int8_outputs -- mnist-small BLOB IMAGES neon FILE`; `host-train sample`
//! writes images as they are read here.

use std::error::Error;
use std::fs;

use thumbnet::Network;
use thumbnet::arch::Backend;
use thumbnet::blob::{Family, repack};
use thumbnet_models::{MnistConvNet, MnistSmall};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, blob, images, backend, file] = arguments.as_slice() else {
        return Err("usage: int8_outputs mnist-small|mnist-convnet BLOB IMAGES BACKEND FILE".into());
    };
    let backend = Backend::with_name(backend).ok_or_else(|| format!("this CPU has no back end {backend}"))?;
    let (blob, images) = (fs::read(blob)?, fs::read(images)?);
    let outputs = match network.as_str() {
        "mnist-small" => outputs::<MnistSmall>(&blob, &images, backend)?,
        "mnist-convnet" => outputs::<MnistConvNet>(&blob, &images, backend)?,
        _ => return Err(format!("unknown network {network}").into()),
    };
    fs::write(file, outputs)?;
    Ok(())
}

/// A copy at a multiple of 16 bytes, as a blob must lie, zeros after it.
fn aligned(bytes: &[u8]) -> Vec<u128> {
    let mut words = vec![0; bytes.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    words
}

/// The outputs for images of a label and as many pixels as the network has inputs.
fn outputs<N: Network>(blob: &[u8], images: &[u8], backend: Backend) -> Result<Vec<u8>, Box<dyn Error>> {
    let aligned = aligned(blob);
    let plain = repack(&bytemuck::cast_slice(&aligned)[..blob.len()], Family::Plain)?;
    let aligned = self::aligned(&plain);
    let network = N::from_blob(&bytemuck::cast_slice(&aligned)[..plain.len()])?.with_backend(backend);
    let mut memory = Box::new(N::ZERO_MEMORY);
    let mut outputs = Vec::new();
    for image in images.chunks_exact(1 + N::INPUT.len()) {
        let values = image[1..].iter().map(|&pixel| network.input().quantize(f32::from(pixel) / 255.0));
        let values: Vec<i8> = values.collect();
        let image = N::Image::try_from(values.as_slice()).map_err(|_| "an image has another size")?;
        outputs.extend(network.predict(&image, &mut memory).as_ref().iter().map(|score| score.cast_unsigned()));
    }
    Ok(outputs)
}
