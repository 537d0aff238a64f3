//! The f32 network against Keras: trained weights, inputs and outputs in `kernels/tests/data`, made by `make_golden.py`
//! there.

use safetensors::SafeTensors;
use thumbnet::Network;
use thumbnet::arch::Backend;
use thumbnet::network::forward;
use thumbnet_models::MnistSmall;

const FILE: &[u8] = include_bytes!("../../kernels/tests/data/small_f32.safetensors");
const IMAGES: &[u8] = include_bytes!("../../kernels/tests/data/images.safetensors");

fn floats(name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(FILE).unwrap();
    file.tensor(name).unwrap().data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

#[test]
fn softmax_is_keras_within_1e_5() {
    let weights: Vec<f32> = ["conv2d", "conv2d_1", "dense", "dense_1"]
        .iter()
        .flat_map(|layer| [floats(&format!("{layer}.kernel")), floats(&format!("{layer}.bias"))])
        .flatten()
        .collect();
    let images = SafeTensors::deserialize(IMAGES).unwrap();
    let x: Vec<f32> = images.tensor("image").unwrap().data().iter().map(|&p| f32::from(p) / 255.0).collect();
    let expected = floats("softmax");
    for backend in Backend::available() {
        for batch in [1, 50, 200] {
            let mut memory = vec![f32::NAN; MnistSmall::inference_len(batch)];
            for (x, expected) in x.chunks(batch * 784).zip(expected.chunks(batch * 10)) {
                let y = forward::<MnistSmall>(backend, &weights, x, &mut memory).unwrap();
                let worst = y.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                // Sums of at most 784 products in another order, on logits of up to about 20.
                assert!(worst < 1e-5, "{} at batch {batch}: {worst}", backend.name());
            }
        }
    }
}
