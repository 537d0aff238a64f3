//! MnistConvNet in Burn, with Adadelta in plain tensor operations, since Burn has none.

use burn::{
    module::{Initializer, Module},
    nn::{
        Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
        loss::CrossEntropyLossConfig,
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    optim::{GradientsParams, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource},
    tensor::{Device, Int, Tensor, TensorData, activation::relu},
};
use peer_common::{PIXELS, Peer, Result};

fn main() -> Result<()> {
    peer_common::run("burn", env!("CARGO_PKG_VERSION"), Burn::new())
}

#[derive(Module, Debug)]
struct Network {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    dense1: Linear,
    dense2: Linear,
    dense3: Linear,
    dropout: Dropout,
}

impl Network {
    fn new(device: &Device) -> Self {
        let glorot = Initializer::XavierUniform { gain: 1.0 };
        let conv = |channels| {
            let same = PaddingConfig2d::Explicit(2, 2, 2, 2);
            Conv2dConfig::new(channels, [5, 5]).with_padding(same).with_initializer(glorot.clone()).init(device)
        };
        let dense = |inputs, units| LinearConfig::new(inputs, units).with_initializer(glorot.clone()).init(device);
        Self {
            conv1: conv([1, 32]),
            conv2: conv([32, 64]),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            dense1: dense(3136, 1024),
            dense2: dense(1024, 256),
            dense3: dense(256, 10),
            dropout: DropoutConfig::new(0.5).init(),
        }
    }

    /// Scores before the softmax, which is in the loss.
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(self.conv1.forward(images));
        let x = self.pool.forward(self.conv2.forward(x)).flatten(1, 3);
        let x = self.dropout.forward(relu(self.dense1.forward(x)));
        let x = self.dropout.forward(relu(self.dense2.forward(x)));
        self.dense3.forward(x)
    }
}

/// Adadelta (Zeiler 2012) with rho 0.95 and epsilon 1e-7.
#[derive(Clone)]
struct Adadelta;

#[derive(RecordState, Clone)]
struct AdadeltaState<const D: usize> {
    squares: Tensor<D>,
    deltas: Tensor<D>,
}

impl Optimizer for Adadelta {
    type State<const D: usize> = AdadeltaState<D>;

    fn step<const D: usize>(
        &self,
        rate: f64,
        values: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        const RHO: f32 = 0.95;
        const EPSILON: f32 = 1e-7;
        let state =
            state.unwrap_or_else(|| AdadeltaState { squares: values.zeros_like(), deltas: values.zeros_like() });
        let mean = |old: Tensor<D>, new: Tensor<D>| old.mul_scalar(RHO) + new.square().mul_scalar(1.0 - RHO);
        let squares = mean(state.squares, gradient.clone());
        let scale = (state.deltas.clone().add_scalar(EPSILON) / squares.clone().add_scalar(EPSILON)).sqrt();
        let delta = scale * gradient;
        let deltas = mean(state.deltas, delta.clone());
        (values - delta.mul_scalar(rate), Some(AdadeltaState { squares, deltas }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdadeltaState { squares: state.squares.to_device(device), deltas: state.deltas.to_device(device) }
    }
}

struct Burn {
    network: Network,
    optimizer: ModuleOptimizer,
    training: Device,
}

impl Burn {
    fn new() -> Self {
        let training = Device::flex().autodiff();
        training.seed(1);
        Self { network: Network::new(&training), optimizer: ModuleOptimizer::from(Adadelta), training }
    }
}

fn tensor(images: &[f32], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(images.to_vec(), [images.len() / PIXELS, 1, 28, 28]), device)
}

impl Peer for Burn {
    fn step(&mut self, images: &[f32], labels: &[u8]) -> Result<()> {
        let classes: Vec<i64> = labels.iter().map(|&class| i64::from(class)).collect();
        let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [labels.len()]), &self.training);
        let scores = self.network.forward(tensor(images, &self.training));
        let loss = CrossEntropyLossConfig::new().init(&self.training).forward(scores, classes);
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimizer.step(1.0, self.network.clone(), gradients);
        Ok(())
    }

    fn classes(&self, images: &[f32]) -> Result<Vec<u8>> {
        let network = self.network.valid();
        let classes = network.forward(tensor(images, &Device::flex())).argmax(1);
        Ok(classes.into_data().iter::<i64>().map(|class| class as u8).collect())
    }
}
