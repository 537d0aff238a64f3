//! Weights from a safetensors file.
#![no_main]

use std::sync::LazyLock;

use host_train::model::About;
use host_train::safetensors::{self, Names};
use libfuzzer_sys::fuzz_target;
use thumbnet::Network;
use thumbnet_fuzz::edited;
use thumbnet_models::MnistSmall;

static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    safetensors::export(&MnistSmall::GRAPH, &About::default(), &vec![0.5; MnistSmall::PARAMETERS], Names::Keras)
        .expect("these are the weights")
});

fuzz_target!(|data: &[u8]| {
    if let Ok(weights) = safetensors::import(&MnistSmall::GRAPH, &edited(&VALID, data)) {
        assert_eq!(weights.len(), MnistSmall::PARAMETERS);
    }
});
