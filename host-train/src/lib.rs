//! What a person does on a PC with a thumbnet network: train it, judge it, quantise it, look at it.
//!
//! - [`data`] reads labelled images, and fetches MNIST.
//! - [`model`] is a network with f32 weights, handled as in Keras: compile, fit, evaluate, predict. [`progress`] and
//!   [`history`] show and keep how a training goes.
//! - [`quantized`] makes a blob of a model and runs blobs.
//! - [`checkpoint`] and [`safetensors`] are the files of weights; [`atomic`] writes files.
//! - [`image`] makes a picture into what the networks expect; [`summary`] shows a network as a table; [`memory`] is
//!   where networks compute.
//! - [`network`] lists the networks; [`cli`] is the command line over all this.

pub mod atomic;
pub mod checkpoint;
pub mod cli;
pub mod data;
pub mod history;
pub mod image;
pub mod memory;
pub mod model;
pub mod network;
pub mod profile;
pub mod progress;
pub mod quantized;
pub mod safetensors;
pub mod summary;
