//! Networks of one layer, as `sequential!` makes them, against Keras: short forms of other layers, layers along one
//! dimension, and those that only move values. Forward and backward, on every back end.

use crate::f32_layers::check_sums;
use crate::record::{KERAS, Record};
use thumbnet::arch::{Backend, Trainable};
use thumbnet::network::forward;
use thumbnet::train::{Buffers, Loss, Optimizer, SettingError, Settings, Trainer};
use thumbnet::{Network, sequential};

/// Layers by themselves, with the shape of what they read. A network's input says which of the two samples it is; a
/// dense layer makes of that the sample, which its kernel holds. So the kernel's gradient is that of the layer's input.
macro_rules! networks {
    ($($name:ident: [$($size:literal),+] { $($layer:tt)+ })+) => {$(
        sequential! {
            struct $name: [2] {
                values: Dense { units: 1 $(* $size)+, use_bias: false },
                x: Reshape { target_shape: ($($size),+) },
                layer: $($layer)+
            }
        }
    )+};
}

networks! {
    Padded: [3, 2, 3] { ZeroPadding2D { padding: ((1, 0), (2, 3)) } }
    Reshaped: [3, 4] { Reshape { target_shape: (2, 6, 1) } }
    Flat: [3, 2, 2] { Flatten }
    Separable: [5, 4, 3] { SeparableConv2D { filters: 5, kernel_size: 3, padding: Same, depth_multiplier: 2 } }
    SeparableSteps: [6, 7, 3] { SeparableConv2D { filters: 4, kernel_size: (2, 3), strides: 2, use_bias: false } }
    Line: [9, 3] { Conv1D { filters: 4, kernel_size: 3, strides: 2, padding: Same } }
    ValidLine: [7, 4] { Conv1D { filters: 3, kernel_size: 2 } }
    DepthwiseLine: [8, 3] { DepthwiseConv1D { kernel_size: 3, padding: Same, depth_multiplier: 2 } }
    SeparableLine: [9, 3] { SeparableConv1D { filters: 5, kernel_size: 4, strides: 2, padding: Same } }
    Largest: [8, 3] { MaxPooling1D { pool_size: 3, strides: 2, padding: Same } }
    Average: [8, 3] { AveragePooling1D { pool_size: 3, strides: 2, padding: Same } }
    ValidAverage: [9, 2] { AveragePooling1D { pool_size: 2 } }
    LargestOfAll: [7, 3] { GlobalMaxPooling1D }
    AverageOfAll: [7, 3] { GlobalAveragePooling1D }
    PaddedLine: [4, 3] { ZeroPadding1D { padding: (2, 1) } }
}

sequential! {
    struct Sum: [2] {
        a: Dense { units: 12, use_bias: false },
        b: Dense(input) { units: 12, use_bias: false },
        sum: Add(a, b),
        layer: Reshape { target_shape: (3, 2, 2) },
    }
}

sequential! {
    struct SumOfThree: [2] {
        a: Dense { units: 5, use_bias: false },
        b: Dense(input) { units: 5, use_bias: false },
        c: Dense(input) { units: 5, use_bias: false },
        layer: Add(a, b, c),
    }
}

/// Keeps the gradient in the slot and leaves the weights alone.
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

/// The tensors of a record called so, with a number behind: as many as there are.
fn fields(record: &Record, name: &str) -> Vec<String> {
    (0..).map(|i| format!("{name}{i}")).take_while(|field| record.has(field)).collect()
}

fn check<N: Network>(record: &Record) {
    let parameters = [fields(record, "in"), fields(record, "weight")].concat();
    let mut weights: Vec<f32> = parameters.iter().flat_map(|field| record.floats(field)).collect();
    assert_eq!(weights.len(), N::PARAMETERS, "{record}");
    let samples = [1.0, 0.0, 0.0, 1.0];
    for backend in Backend::available() {
        let mut memory = vec![f32::NAN; N::inference_len(2)];
        let y = forward::<N>(backend, &weights, &samples, &mut memory).unwrap().to_vec();
        check_sums(record, backend, "out", &y);
        // The gradient of the squared error is 2 / n (y - target).
        let half = y.len() as f32 / 2.0;
        let targets: Vec<f32> = y.iter().zip(record.floats("dout")).map(|(y, dy)| y - half * dy).collect();
        let mut gradient = vec![f32::NAN; N::PARAMETERS];
        let mut memory = vec![f32::NAN; N::training_len(2)];
        let loss = Loss::MeanSquaredError;
        let settings = Settings { backend, optimizer: KeepGradient(1.0), loss, seed: 1 };
        let buffers = Buffers { weights: &mut weights, slots: &mut gradient, memory: &mut memory };
        Trainer::of::<N>(settings, buffers).unwrap().step(&samples, &targets).unwrap();
        let mut rest = &gradient[..];
        for field in &parameters {
            let (own, others) = rest.split_at(record.floats(field).len());
            check_sums(record, backend, &format!("d{field}"), own);
            rest = others;
        }
    }
}

#[test]
fn networks_of_one_layer() {
    type Checks = &'static [fn(&Record)];
    let kinds: [(&str, Checks); 13] = [
        ("Add", &[check::<Sum>, check::<SumOfThree>]),
        ("ZeroPadding2D", &[check::<Padded>]),
        ("Reshape", &[check::<Reshaped>]),
        ("Flatten", &[check::<Flat>]),
        ("SeparableConv2D", &[check::<Separable>, check::<SeparableSteps>]),
        ("Conv1D", &[check::<Line>, check::<ValidLine>]),
        ("DepthwiseConv1D", &[check::<DepthwiseLine>]),
        ("SeparableConv1D", &[check::<SeparableLine>]),
        ("MaxPooling1D", &[check::<Largest>]),
        ("AveragePooling1D", &[check::<Average>, check::<ValidAverage>]),
        ("GlobalMaxPooling1D", &[check::<LargestOfAll>]),
        ("GlobalAveragePooling1D", &[check::<AverageOfAll>]),
        ("ZeroPadding1D", &[check::<PaddedLine>]),
    ];
    for (kind, checks) in kinds {
        let records = KERAS.records(kind);
        assert_eq!(records.len(), checks.len(), "{kind}");
        records.iter().zip(checks).for_each(|(record, check)| check(record));
    }
}
