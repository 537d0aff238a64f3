//! Residual networks and those of MLPerf Tiny: their memory, their gradients, and the same int8 outputs on every back
//! end.

use thumbnet::Network;
use thumbnet::arch::{Backend, Trainable};
use thumbnet::blob::{About, Family, write};
use thumbnet::network::WorkingMemory;
use thumbnet::quantize::{Calibrator, Range, quantize};
use thumbnet::train::{Buffers, Initializer, Loss, Optimizer, SettingError, Settings, Trainer, initialize};
use thumbnet_models::{AutoEncoder, DsCnn, MnistResNet, MnistTiny, MobileNetV1, ResNet8};

/// The sizes that MLPerf Tiny's network has, and no more memory than what exists at the same time.
#[test]
fn activations_meet_the_bound() {
    assert_eq!((ResNet8::PARAMETERS, ResNet8::MACS), (78_666, 12_501_632));
    assert_eq!((ResNet8::ACTIVATION_BYTES, ResNet8::INFERENCE.bound), (49_152, 49_152));
    assert_eq!((DsCnn::PARAMETERS, DsCnn::MACS), (24_908, 2_656_768));
    assert_eq!((DsCnn::ACTIVATION_BYTES, DsCnn::INFERENCE.bound), (16_000, 16_000));
    assert_eq!((MobileNetV1::PARAMETERS, MobileNetV1::MACS), (221_794, 7_489_664));
    assert_eq!((MobileNetV1::ACTIVATION_BYTES, MobileNetV1::INFERENCE.bound), (55_296, 55_296));
    assert_eq!((AutoEncoder::PARAMETERS, AutoEncoder::MACS), (269_992, 264_192));
    assert_eq!((AutoEncoder::ACTIVATION_BYTES, AutoEncoder::INFERENCE.bound), (768, 768));
    assert_eq!(MnistResNet::PARAMETERS, 22_122);
    assert_eq!((MnistTiny::PARAMETERS, MnistTiny::MACS), (8_594, 733_984));
    assert_eq!((MnistTiny::ACTIVATION_BYTES, MnistTiny::INFERENCE.bound), (4_704, 4_704));
    assert_eq!((MnistResNet::ACTIVATION_BYTES, MnistResNet::INFERENCE.bound), (9_408, 9_408));
}

const BATCH: usize = 2;

/// Values in -0.5..0.5 without a pattern (a Weyl sequence), another one for each `start`.
fn noise(len: usize, start: u32) -> Vec<f32> {
    let value = |i: u32| (i ^ start << 20).wrapping_mul(0x9e37_79b9) as f32 / 4_294_967_296.0 - 0.5;
    (0..len as u32).map(value).collect()
}

/// Keeps the gradient in the slot and leaves the weights alone, whatever the learning rate.
struct KeepGradient(f32);

impl Optimizer for KeepGradient {
    const SLOTS: usize = 1;

    fn learning_rate(&mut self) -> &mut f32 {
        &mut self.0
    }

    fn update(&self, _backend: Backend, parameters: Trainable<'_>, gradient: &[f32]) {
        parameters.state.into_iter().next().unwrap().copy_from_slice(gradient);
    }

    fn check(&self) -> Result<(), SettingError> {
        Ok(())
    }
}

/// The mean loss, and the gradient.
fn loss_of<N: Network>(weights: &mut [f32], x: &[f32], memory: &mut [f32]) -> (f64, Vec<f32>) {
    let classes = N::OUTPUT.len();
    let targets: Vec<f32> = (0..BATCH * classes).map(|i| f32::from(i % classes == i / classes)).collect();
    let mut gradient = vec![f32::NAN; N::PARAMETERS];
    let backend = Backend::detect();
    let settings = Settings { backend, optimizer: KeepGradient(1.0), loss: Loss::CategoricalCrossentropy, seed: 1 };
    let buffers = Buffers { weights, slots: &mut gradient, memory };
    let loss = Trainer::of::<N>(settings, buffers).unwrap().step(x, &targets).unwrap().loss;
    (f64::from(loss) / BATCH as f64, gradient)
}

/// What the loss changes by along the gradient of one layer, against the sum of its gradients on the way: a wrong sign,
/// a lost reader or a missing sum changes that by its own size. One gradient would not do, for relu and pooling have
/// kinks on the way.
fn check_gradients<N: Network>() {
    const POINTS: u8 = 16;
    const STEP: f32 = 0.005 / POINTS as f32;
    let mut memory = vec![0.0; N::training_len(BATCH)];
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 3);
    // Where a bias and all inputs are 0, so is the sum, which is the kink of relu.
    weights.iter_mut().zip(noise(N::PARAMETERS, 99)).for_each(|(weight, noise)| *weight += 0.1 * noise);
    let x = noise(BATCH * N::INPUT.len(), 1);
    let (_, start) = loss_of::<N>(&mut weights.clone(), &x, &mut memory);
    for layer in N::GRAPH.layers().iter().filter(|layer| layer.parameters() > 0) {
        // Moving averages are not trained.
        let own = layer.weights..layer.weights + layer.parameters() - layer.statistics_len();
        let steepest = start[own.clone()].iter().fold(0.0f32, |most, g| most.max(g.abs()));
        let direction: Vec<f32> = start[own.clone()].iter().map(|g| g / steepest).collect();
        let mut at = |way: f32| {
            let mut weights = weights.clone();
            weights[own.clone()].iter_mut().zip(&direction).for_each(|(weight, d)| *weight += way * d);
            let (loss, gradient) = loss_of::<N>(&mut weights, &x, &mut memory);
            let slope: f64 = gradient[own.clone()].iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
            (loss, slope)
        };
        let sum: f64 = (0..POINTS).map(|point| at((f32::from(point) + 0.5) * STEP).1 * f64::from(STEP)).sum();
        let change = at(f32::from(POINTS) * STEP).0 - at(0.0).0;
        let (network, layer) = (N::NAME, layer.name);
        assert!((change - sum).abs() < 1e-4 + 0.015 * sum.abs(), "{network}, layer {layer}: {change}, gradients {sum}");
    }
}

#[test]
fn gradients_are_those_of_the_loss() {
    check_gradients::<MnistResNet>();
    check_gradients::<ResNet8>();
    check_gradients::<DsCnn>();
}

fn check_bytes<N: Network>() {
    let mut weights = vec![0.0; N::PARAMETERS];
    initialize(&N::GRAPH, Initializer::default(), &mut weights, 5);
    let x = noise(4 * N::INPUT.len(), 1);
    let mut calibrator = Calibrator::new(N::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(4)];
    calibrator.observe(Backend::detect(), &weights, &x, &mut memory).unwrap();
    let quantized = quantize(&N::GRAPH, &weights, &calibrator.finish()).unwrap();
    let mut expected: Option<Vec<i8>> = None;
    for family in [Family::Plain, Family::Dsp] {
        let blob = write(&N::GRAPH, &quantized, family, &About::default()).unwrap();
        if N::NAME == MnistTiny::NAME {
            assert!(blob.len() <= 10_240, "{} bytes", blob.len());
        }
        let mut aligned = vec![0u128; blob.len().div_ceil(16)];
        bytemuck::cast_slice_mut(&mut aligned)[..blob.len()].copy_from_slice(&blob);
        for backend in Backend::available() {
            let network = N::from_blob(bytemuck::cast_slice(&aligned)).unwrap().with_backend(backend);
            let mut memory = N::Memory::boxed();
            let mut outputs = Vec::new();
            for image in x.chunks(N::INPUT.len()) {
                let image: Vec<i8> = image.iter().map(|&x| network.input().quantize(x)).collect();
                let image = N::Image::try_from(&image).ok().unwrap();
                outputs.extend_from_slice(network.predict(&image, &mut memory).as_ref());
            }
            let expected = expected.get_or_insert(outputs.clone());
            assert_eq!(&outputs, expected, "{} on {}, {family:?}", N::NAME, backend.name());
        }
    }
}

#[test]
fn every_back_end_gives_the_same_bytes() {
    check_bytes::<MnistTiny>();
    check_bytes::<MnistResNet>();
    check_bytes::<ResNet8>();
    check_bytes::<DsCnn>();
    check_bytes::<MobileNetV1>();
    check_bytes::<AutoEncoder>();
}
