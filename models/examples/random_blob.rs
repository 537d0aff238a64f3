//! Writes a blob with random weights, the same on every machine: what the instructions of a network are counted with,
//! so that the counts do not hang on a training.
//!
//! `cargo run -p thumbnet-models --example random_blob -- mnist-convnet dsp FILE`

use std::error::Error;

use thumbnet::Network;
use thumbnet::arch::Backend;
use thumbnet::blob::{About, Family, write};
use thumbnet::quantize::{Calibrator, Range, quantize};
use thumbnet::train::{Initializer, initialize};
use thumbnet_models::{AutoEncoder, DsCnn, MnistConvNet, MnistSmall, MobileNetV1, ResNet8, layers};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [network, family, file] = arguments.as_slice() else {
        return Err("usage: random_blob NETWORK plain|dsp FILE".into());
    };
    let family = match family.as_str() {
        "plain" => Family::Plain,
        "dsp" => Family::Dsp,
        _ => return Err(format!("unknown family {family}").into()),
    };
    let random = match network.as_str() {
        "mnist-small" => random::<MnistSmall>,
        "mnist-convnet" => random::<MnistConvNet>,
        "resnet8" => random::<ResNet8>,
        "ds-cnn" => random::<DsCnn>,
        "mobilenet-v1" => random::<MobileNetV1>,
        "auto-encoder" => random::<AutoEncoder>,
        "pooled" => random::<layers::Pooled>,
        "strided" => random::<layers::Strided>,
        "pointwise" => random::<layers::Pointwise>,
        "unpooled" => random::<layers::Unpooled>,
        "sequence" => random::<layers::Sequence>,
        "spectrum" => random::<layers::Spectrum>,
        "camera" => random::<layers::Camera>,
        "depthwise" => random::<layers::Depthwise>,
        "pooling" => random::<layers::Pooling>,
        "merging" => random::<layers::Merging>,
        _ => return Err(format!("unknown network {network}").into()),
    };
    std::fs::write(file, random(family)?)?;
    Ok(())
}

fn random<N: Network>(family: Family) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 1);
    // Any image will do: it gives the ranges. The scalar kernels round alike on every machine.
    let x: Vec<f32> = (0..N::INPUT.len()).map(|i| (i * i % 256) as f32 / 255.0).collect();
    let mut calibrator = Calibrator::new(N::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(1)];
    calibrator.observe(Backend::SCALAR, &weights, &x, &mut memory).map_err(|error| error.to_string())?;
    let quantized = quantize(&N::GRAPH, &weights, &calibrator.finish()).map_err(|error| error.to_string())?;
    Ok(write(&N::GRAPH, &quantized, family, &About::default())?)
}
