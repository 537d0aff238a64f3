//! Training on the device.

use crate::bars;
use crate::{cases, values};

cases![training_gives_the_hosts_weights];

/// Every operation of the scalar kernels is one of IEEE 754, in the same order everywhere, so the bits agree.
fn training_gives_the_hosts_weights() {
    let mut weights = [0.0; bars::PARAMETERS];
    let metrics = bars::train(&mut weights, &mut [0.0; bars::MEMORY]);
    assert_eq!((metrics.correct, metrics.samples), (Some(8), 8));
    assert!(metrics.loss < 0.8);
    for (weight, expected) in weights.iter().zip(values!("bars.f32")) {
        assert_eq!(weight.to_bits(), expected.to_bits());
    }
}
