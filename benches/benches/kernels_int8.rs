//! Int8 inference of the two MNIST networks, one image after the other on one thread: whole networks and each layer.
//!
//! `cargo bench -p benches --bench kernels_int8`. `THUMBNET_BACKEND=avx2` measures another back end than the fastest.
//! Best times, since what disturbs a run only ever makes it slower.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use thumbnet::{
    Network,
    arch::Backend,
    blob::{About, Family, write},
    infer::{LayerS8, OpS8, StepS8},
    int8::{ConvS8, DenseS8},
    network::WorkingMemory,
    quantize::{Calibrator, Range, quantize},
    train::{Initializer, initialize},
};
use thumbnet_models::{MnistConvNet, MnistSmall};

/// Images that take turns.
const IMAGES: usize = 50;

/// The shortest time of `work`, within the time given.
fn best(time: Duration, mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < time {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed());
    }
    best
}

fn layer(backend: Backend, step: &StepS8<'_>, layer: &LayerS8<'_>, macs: usize) {
    let (weights, packing, bias, requantize) = (layer.weights, layer.packing(), layer.bias, layer.requantize());
    let input = |len: usize| -> Vec<i8> { (0..len).map(|i| (i * 37 % 251) as u8 as i8).collect() };
    let mut output = vec![0; step.op().output_len()];
    let time = Duration::from_millis(300);
    let time = match step.op() {
        OpS8::Conv2D { geometry, pool } => {
            let input = input(geometry.input().len());
            let mut scratch = vec![0; Backend::conv_s8_scratch_len(geometry, pool)];
            let input_zero_point = layer.record.input_zero_points[0];
            let conv = ConvS8 { geometry, pool, input_zero_point, weights, packing, bias, requantize };
            best(time, || backend.conv_s8(&conv, black_box(&input), black_box(&mut output), &mut scratch))
        }
        OpS8::Dense { inputs, units } => {
            let (inputs, units) = (inputs as usize, units as usize);
            let input = input(inputs);
            let mut scratch = vec![0; Backend::dense_s8_scratch_len(inputs, units)];
            let dense = DenseS8 { inputs, units, weights, packing, bias, requantize };
            best(time, || backend.dense_s8(&dense, black_box(&input), black_box(&mut output), &mut scratch))
        }
        OpS8::DepthwiseConv2D { .. }
        | OpS8::MaxPooling2D { .. }
        | OpS8::AveragePooling2D { .. }
        | OpS8::Mean { .. }
        | OpS8::Activation { .. }
        | OpS8::Multiply { .. }
        | OpS8::Concatenate { .. }
        | OpS8::ZeroPadding2D { .. }
        | OpS8::Add { .. } => return,
    };
    let name = step.name();
    println!("  {name:10} {:8.2} us {:8.1} GMAC/s", time.as_secs_f64() * 1e6, macs as f64 / time.as_secs_f64() / 1e9);
}

fn network<N: Network>(name: &str, backend: Backend) {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 1);
    let x: Vec<f32> = (0..IMAGES * N::INPUT.len()).map(|i| (i * i % 257) as f32 / 256.0).collect();
    let mut calibrator = Calibrator::new(N::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(IMAGES)];
    calibrator.observe(Backend::detect(), &weights, &x, &mut memory).unwrap();
    let quantized = quantize(&N::GRAPH, &weights, &calibrator.finish()).unwrap();
    let blob = write(&N::GRAPH, &quantized, Family::Plain, &About::default()).unwrap();
    let mut aligned = vec![0u128; blob.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut aligned)[..blob.len()].copy_from_slice(&blob);
    let network = N::from_blob(bytemuck::cast_slice(&aligned)).unwrap().with_backend(backend);
    let images: Vec<N::Image> = x
        .chunks_exact(N::INPUT.len())
        .map(|x| {
            let image: Vec<i8> = x.iter().map(|x| network.input().quantize(*x)).collect();
            N::Image::try_from(&image).ok().expect("an image has as many values as the input")
        })
        .collect();

    let mut memory = N::Memory::boxed();
    let mut next = images.iter().cycle();
    let time = best(Duration::from_secs(2), || {
        if let Some(image) = next.next() {
            black_box(network.predict(black_box(image), &mut memory));
        }
    });
    let each = time.as_secs_f64();
    println!("{name} on {}: {:.1} us an image, {:.0} images/s", backend.name(), each * 1e6, 1.0 / each);
    for (k, (step, planned)) in N::STEPS_S8.iter().zip(N::INFERENCE.steps).enumerate() {
        let tensors = network.layer(k).expect("the blob was checked");
        layer(backend, step, &tensors, N::GRAPH.nodes[usize::from(planned.node)].macs());
    }
}

fn main() {
    let backend = match std::env::var("THUMBNET_BACKEND") {
        Ok(name) => Backend::with_name(&name).expect("THUMBNET_BACKEND names a back end that this CPU has"),
        Err(_) => Backend::detect(),
    };
    network::<MnistConvNet>("MnistConvNet", backend);
    network::<MnistSmall>("MnistSmall", backend);
}
