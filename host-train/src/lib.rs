//! What a person does on a PC with a thumbnet network: train it, judge it, quantise it, look at it.
pub mod atomic;
pub mod checkpoint;
pub mod data;
pub mod history;
pub mod image;
pub mod model;
pub mod network;
pub mod progress;
pub mod quantized;
pub mod safetensors;
