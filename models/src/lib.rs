//! The networks that the host program, the firmware and the tests share.
#![no_std]

pub mod layers;
mod mlperf_tiny;
mod mnist;

pub use mlperf_tiny::{AutoEncoder, DsCnn, MobileNetV1, ResNet8};
pub use mnist::{MnistConvNet, MnistResNet, MnistSmall, MnistTiny};
