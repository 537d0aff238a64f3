//! MnistConvNet in candle, with Adadelta in plain tensor operations, since candle has none.

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{Conv2d, Conv2dConfig, Init, Linear, Module, VarBuilder, VarMap, loss::cross_entropy, ops::dropout};
use peer_common::{PIXELS, Peer, Result};

fn main() -> Result<()> {
    peer_common::run("candle", env!("CARGO_PKG_VERSION"), Candle::new()?)
}

struct Network {
    conv1: Conv2d,
    conv2: Conv2d,
    dense1: Linear,
    dense2: Linear,
    dense3: Linear,
}

/// Keras's initial values for a layer whose kernel has `shape`.
fn layer(variables: VarBuilder, shape: &[usize]) -> candle_core::Result<(Tensor, Option<Tensor>)> {
    let window: usize = shape[2..].iter().product();
    let limit = (6.0 / ((shape[0] + shape[1]) * window) as f64).sqrt();
    let kernel = variables.get_with_hints(shape, "kernel", Init::Uniform { lo: -limit, up: limit })?;
    let bias = variables.get_with_hints(shape[0], "bias", Init::Const(0.0))?;
    Ok((kernel, Some(bias)))
}

impl Network {
    fn new(variables: &VarBuilder) -> candle_core::Result<Self> {
        let conv = |name, filters, channels| -> candle_core::Result<Conv2d> {
            let (kernel, bias) = layer(variables.pp(name), &[filters, channels, 5, 5])?;
            Ok(Conv2d::new(kernel, bias, Conv2dConfig { padding: 2, ..Default::default() }))
        };
        let dense = |name, units, inputs| -> candle_core::Result<Linear> {
            let (kernel, bias) = layer(variables.pp(name), &[units, inputs])?;
            Ok(Linear::new(kernel, bias))
        };
        Ok(Self {
            conv1: conv("conv1", 32, 1)?,
            conv2: conv("conv2", 64, 32)?,
            dense1: dense("dense1", 1024, 3136)?,
            dense2: dense("dense2", 256, 1024)?,
            dense3: dense("dense3", 10, 256)?,
        })
    }

    /// Scores before the softmax, which is in the loss.
    fn forward(&self, images: &Tensor, training: bool) -> candle_core::Result<Tensor> {
        let drop = |x: Tensor| if training { dropout(&x, 0.5) } else { Ok(x) };
        let x = self.conv1.forward(images)?.max_pool2d(2)?;
        let x = self.conv2.forward(&x)?.max_pool2d(2)?.flatten_from(1)?;
        let x = drop(self.dense1.forward(&x)?.relu()?)?;
        let x = drop(self.dense2.forward(&x)?.relu()?)?;
        self.dense3.forward(&x)
    }
}

/// A variable and Adadelta's two means for it.
struct Trained {
    values: Var,
    squares: Tensor,
    deltas: Tensor,
}

impl Trained {
    fn new(values: Var) -> candle_core::Result<Self> {
        Ok(Self { squares: values.zeros_like()?, deltas: values.zeros_like()?, values })
    }

    /// Adadelta (Zeiler 2012) with learning rate 1.0, rho 0.95 and epsilon 1e-7.
    fn update(&mut self, gradient: &Tensor) -> candle_core::Result<()> {
        const RHO: f64 = 0.95;
        const EPSILON: f64 = 1e-7;
        let mean = |old: &Tensor, new: &Tensor| (old * RHO)? + (new.sqr()? * (1.0 - RHO))?;
        self.squares = mean(&self.squares, gradient)?;
        let scale = ((&self.deltas + EPSILON)? / (&self.squares + EPSILON)?)?.sqrt()?;
        let delta = (scale * gradient)?;
        self.deltas = mean(&self.deltas, &delta)?;
        self.values.set(&(self.values.as_tensor() - delta)?)
    }
}

struct Candle {
    network: Network,
    trained: Vec<Trained>,
}

impl Candle {
    fn new() -> Result<Self> {
        let variables = VarMap::new();
        let network = Network::new(&VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
        let trained = variables.all_vars().into_iter().map(Trained::new).collect::<candle_core::Result<_>>()?;
        Ok(Self { network, trained })
    }
}

fn tensor(images: &[f32]) -> candle_core::Result<Tensor> {
    Tensor::from_slice(images, (images.len() / PIXELS, 1, 28, 28), &Device::Cpu)
}

impl Peer for Candle {
    fn step(&mut self, images: &[f32], labels: &[u8]) -> Result<()> {
        let classes = Tensor::from_slice(labels, labels.len(), &Device::Cpu)?;
        let scores = self.network.forward(&tensor(images)?, true)?;
        let gradients = cross_entropy(&scores, &classes)?.backward()?;
        for trained in &mut self.trained {
            // Without `detach`, the means keep what they were computed from: peak memory grows with the steps.
            let gradient = gradients.get(&trained.values).ok_or("a variable has no gradient")?.detach();
            trained.update(&gradient)?;
        }
        Ok(())
    }

    fn classes(&self, images: &[f32]) -> Result<Vec<u8>> {
        let classes = self.network.forward(&tensor(images)?, false)?.argmax(D::Minus1)?.to_vec1::<u32>()?;
        Ok(classes.into_iter().map(|class| class as u8).collect())
    }
}
