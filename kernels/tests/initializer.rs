//! Initial values: their spread is what the initializer promises, whatever else a layer has is Keras's.

use thumbnet::train::{Initializer, initialize};
use thumbnet::{Network, sequential};

sequential! {
    struct Net: [9, 8, 3] {
        conv: Conv2D { filters: 40, kernel_size: 5 },
        norm: BatchNormalization,
        depthwise: DepthwiseConv2D { kernel_size: 3, depth_multiplier: 2 },
        flatten: Flatten,
        units: Dense { units: 50 },
    }
}

/// The fans are Keras's `compute_fans`: of a depthwise kernel its last two dimensions are 40 and 2.
#[test]
fn kernels_have_the_promised_spread() {
    let fans = [("conv", 75, 1000), ("depthwise", 360, 18), ("units", 480, 50)];
    for initializer in
        [Initializer::GlorotUniform, Initializer::GlorotNormal, Initializer::HeUniform, Initializer::HeNormal]
    {
        let mut weights = vec![f32::NAN; Net::PARAMETERS];
        initialize(&Net::GRAPH, initializer, &mut weights, 3);
        for (name, fan_in, fan_out) in fans {
            let node = Net::GRAPH.nodes.iter().find(|node| node.name == name).unwrap();
            let kernel = &weights[node.weights..][..node.kernel_len()];
            let variance = match initializer {
                Initializer::GlorotUniform | Initializer::GlorotNormal => 2.0 / f64::from(fan_in + fan_out),
                _ => 2.0 / f64::from(fan_in),
            };
            // How far the largest values lie, in deviations.
            let reach = match initializer {
                Initializer::GlorotUniform | Initializer::HeUniform => 3f64.sqrt(),
                _ => 2.0 / 0.879_625_66,
            };
            let count = kernel.len() as f64;
            let mean = kernel.iter().map(|&w| f64::from(w)).sum::<f64>() / count;
            let found = kernel.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / count;
            let largest = kernel.iter().fold(0.0f64, |most, &w| most.max(f64::from(w).abs()));
            let deviation = variance.sqrt();
            // Five deviations of the mean and of the variance.
            assert!(mean.abs() < 5.0 * deviation / count.sqrt(), "{initializer:?} {name}: mean {mean}");
            assert!((found / variance - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "{initializer:?} {name}: {found}");
            assert!(largest <= 1.0001 * reach * deviation, "{initializer:?} {name}: {largest}");
            assert!(largest > 0.9 * reach * deviation, "{initializer:?} {name}: {largest}");
        }
    }
}

#[test]
fn the_rest_is_kerass() {
    let mut weights = vec![f32::NAN; Net::PARAMETERS];
    initialize(&Net::GRAPH, Initializer::default(), &mut weights, 3);
    for node in Net::GRAPH.layers() {
        let (_, rest) = weights[node.weights..][..node.parameters()].split_at(node.kernel_len());
        if node.name == "norm" {
            let expected: Vec<f32> = [1.0, 0.0, 0.0, 1.0].into_iter().flat_map(|value| [value; 40]).collect();
            assert_eq!(rest, expected);
        } else {
            assert!(rest.iter().all(|&bias| bias == 0.0), "{}", node.name);
        }
    }
}
