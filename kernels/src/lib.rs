//! Keras for Thumb cores: small neural networks described once, trained on a PC, run on a microcontroller. No heap, no
//! C, no Python.
//!
//! ```
//! use thumbnet::{Network, sequential};
//!
//! sequential! {
//!     /// A digit classifier.
//!     pub struct Digits: [28, 28, 1] {
//!         conv: Conv2D { filters: 8, kernel_size: 3, padding: Same, activation: Relu },
//!         pool: MaxPooling2D,
//!         flatten: Flatten,
//!         dense: Dense { units: 10, activation: Softmax },
//!     }
//! }
//!
//! // Every size is a constant.
//! assert_eq!(Digits::PARAMETERS, (3 * 3 * 8 + 8) + (14 * 14 * 8 * 10 + 10));
//! let mut weights = vec![0.0; Digits::PARAMETERS];
//! thumbnet::train::initialize(&Digits::GRAPH, thumbnet::train::Initializer::default(), &mut weights, 1);
//!
//! // The caller owns every buffer.
//! let image = [0.5; 28 * 28];
//! let mut memory = vec![0.0; Digits::inference_len(1)];
//! let backend = thumbnet::arch::Backend::detect();
//! let scores = thumbnet::network::forward::<Digits>(backend, &weights, &image, &mut memory)?;
//! assert_eq!(scores.len(), 10);
//! # Ok::<(), thumbnet::LengthError>(())
//! ```
//!
//! # Where to begin
//!
//! **Running a network.** On the PC, `host-train` trains and quantises it into a blob. On the device,
//! [`include_blob!`] holds the blob in flash, [`Network::from_blob`] reads it in place, and [`Int8::predict`] computes,
//! with the same bytes as the PC; [`Network`] says how a build is held to the RAM that there is.
//!
//! **Training.** [`Trainer`](train::Trainer) takes steps, on a PC as on a device; its page has a whole training.
//! `quantize::Calibrator` and `quantize::quantize()`, of the feature `alloc`, make int8 of the weights, and
//! `blob::write()` a file of that.
//!
//! **Adding a layer.** [`layer`] holds one type a file, usable by hand: [`Conv2D`](layer::Conv2D) and
//! [`Dense`](layer::Dense) show it forward, backward and in int8. An operation is a variant of [`graph::Op`]; the
//! compiler names every match that must answer for a new one, and CONTRIBUTING.md of the repository lists them in
//! order.
//!
//! **Adding a back end.** [`arch`] says how kernels are chosen. The scalar ones are the oracle: an int8 kernel gives
//! their bytes, an f32 one their values within the error that its test states. What a back end does not have yet runs
//! as scalar code:
//!
//! ```
//! use thumbnet::arch::Backend;
//!
//! let table = core::array::from_fn(|i| (i / 2) as i8);
//! let run = |backend: Backend| {
//!     let mut values = [1, 2, 3, -4];
//!     backend.table_s8(&table, &mut values);
//!     values
//! };
//! assert!(Backend::available().all(|backend| run(backend) == run(Backend::SCALAR)));
//! ```
//!
//! # How the library is built
//!
//! From the top:
//!
//! - [`sequential!`] turns the description of a network into a type whose fields are layers, and implements [`Network`]
//!   for it; [`network`] holds that typed front, [`layer`] the layers, one const-generic type a file.
//! - [`graph`] holds a network as a value, which everything below works on, and [`plan`] where each of its tensors
//!   lies.
//! - [`mod@forward`] is the f32 forward pass, [`train`] holds the [`Trainer`](train::Trainer), losses, optimizers and
//!   initial values, [`infer`] the int8 forward pass.
//! - [`blob`] holds the file format of a quantised network, read in place from flash; calibration and quantisation
//!   (`quantize`) need the feature `alloc`.
//! - [`int8`] holds the int8 scheme and its arithmetic, which is TFLite's to the bit.
//! - [`arch`] holds the kernels, one folder an instruction set, with the scalar ones as the oracle.
//! - [`input`] holds what raw samples mean, and makes them a network's input.
//! - [`geometry`] holds the shape arithmetic that all of it rests on.
//!
//! Each imports only from those that stand before it:
//! `geometry` · `length` · `int8` · `arch` · `input` · `graph` · `plan` · `forward` · `train` · `infer` · `quantize` ·
//! `blob` · `layer` · `network`.
//!
//! # Features
//!
//! - `std`: asks the CPU for its vector extensions, and spreads work over rayon's threads: those of the pool that the
//!   caller runs in, else the global one. Results do not depend on the number of threads. [`network::forward`] and
//!   [`Trainer::step`](train::Trainer::step) of more than some 50 microseconds move into the pool as a whole, and its
//!   threads stay awake until 200 microseconds after their last work. Who calls them in a loop does best inside the
//!   pool (`rayon::scope`).
//! - `alloc`: calibration, quantisation, blob writing.
//! - `defmt`: `defmt::Format` on errors and reports.
#![no_std]
#![deny(unsafe_code)]
#![deny(
    clippy::wildcard_enum_match_arm,
    reason = "a new operation must not compile until every place has answered for it"
)]

#[cfg(feature = "alloc")]
extern crate alloc;
// So that the paths `sequential!` writes also resolve in this crate's own tests.
extern crate self as thumbnet;
#[cfg(feature = "std")]
extern crate std;

pub mod arch;
pub mod blob;
pub mod forward;
pub mod geometry;
pub mod graph;
pub mod infer;
pub mod input;
pub mod int8;
pub mod layer;
mod length;
pub mod network;
pub mod plan;
#[cfg(feature = "alloc")]
pub mod quantize;
pub mod train;

pub use length::LengthError;
pub use network::{Int8, Network};
/// Defines a network: a struct with one field a layer, which implements [`Network`].
///
/// ```
/// thumbnet::sequential! {
///     /// Height, width and channels of the input, then the layers.
///     pub struct Net: [8, 8, 3] {
///         conv: Conv2D { filters: 4, kernel_size: (3, 5), strides: 2, padding: Same, activation: Relu },
///         pool: MaxPooling2D { pool_size: 2, strides: 2, padding: Valid },
///         drop: Dropout { rate: 0.25 },
///         flat: Flatten,
///         out: Dense { units: 2, activation: Softmax, use_bias: true },
///     }
/// }
/// ```
///
/// Words and defaults are Keras's. The input is `[height, width, channels]`, `[steps, channels]` or `[values]`. Sizes
/// are one number or two (height, width), and any constant expression; `activation` is `Linear` (default), `Relu`,
/// `Relu6`, `LeakyRelu` (of slope 0.2), `Sigmoid`, `Tanh` or `Softmax`; `padding` is `Same` or `Valid` (default). The
/// layers and their settings:
///
/// | layer | settings and defaults |
/// |---|---|
/// | `Conv2D` | `filters`, `kernel_size`, `strides: 1`, `padding`, `activation`, `use_bias: true` |
/// | `DepthwiseConv2D` | as `Conv2D`, with `depth_multiplier: 1` for `filters` |
/// | `SeparableConv2D` | those of both; two layers, of which the first is called `<name>_depthwise` |
/// | `Dense` | `units`, `activation`, `use_bias: true` |
/// | `BatchNormalization` | `momentum: 0.99`, `epsilon: 0.001` |
/// | `Activation` | `activation` |
/// | `LeakyReLU` | `negative_slope: 0.3` |
/// | `MaxPooling2D`, `AveragePooling2D` | `pool_size: 2`, `strides` (the window), `padding` |
/// | `GlobalMaxPooling2D`, `GlobalAveragePooling2D` | |
/// | `ZeroPadding2D` | `padding: 1`, or `(rows, columns)`, or `((above, below), (left, right))` |
/// | `Add`, `Multiply` | `activation`: `Linear`, `Relu` or `Relu6` |
/// | `Concatenate` | |
/// | `Flatten` | |
/// | `Reshape` | `target_shape: (height, width, channels)`, or its last dimensions |
/// | `Dropout` | `rate` |
///
/// Windows that run along one dimension are called `Conv1D`, `MaxPooling1D` and so on, of one number each: the steps
/// are the columns of a single row. A layer reads the one before it, or those that it names: `sum: Add(stem, conv)`,
/// `short: Conv2D(stem) { ... }`; `input` is the network's own. `Add`, `Multiply` and `Concatenate` name two or more;
/// of more, the first are a layer called `<name>_1` and so on. The second factor of a product may be a vector of its
/// channels.
///
/// A shape that does not work out, an unknown layer or
/// setting is an error of `cargo check` that names the layer:
///
/// ```compile_fail
/// thumbnet::sequential! {
///     struct Net: [2, 2, 1] {
///         conv: Conv2D { filters: 4, kernel_size: 3 },
///     }
/// }
/// ```
pub use thumbnet_macros::sequential;
