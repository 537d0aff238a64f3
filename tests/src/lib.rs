//! Test cases that need neither std nor an allocator. `cargo test -p device-tests` runs them on the host, and
//! `cargo xtask device-test` on every core that QEMU plays.
//!
//! A case is a function that panics when something is wrong. Data to compare with is made by the build script, on the
//! host.
#![no_std]
#![deny(unsafe_code)]

mod bars;
// 256 KB of flash do not hold these beside the images of the int8 tests.
#[cfg(not(feature = "microbit"))]
mod branches;
mod f32;
mod input;
mod int8;
pub mod int8_cases;
mod kernels;
#[cfg(not(feature = "microbit"))]
mod residual;
mod samples;
mod training;

/// A test case.
pub struct Case {
    /// Module and function.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub run: fn(),
}

/// A list of [`Case`]s from functions of this module.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// The cases of this module.
        pub(crate) const CASES: &[$crate::Case] =
            &[$($crate::Case { name: concat!(module_path!(), "::", stringify!($name)), run: $name }),*];
    };
}
use cases;

/// Every case.
pub fn all() -> impl Iterator<Item = &'static Case> {
    #[cfg(not(feature = "microbit"))]
    let branches = branches::CASES;
    #[cfg(feature = "microbit")]
    let branches = &[];
    [int8::CASES, input::CASES, branches, kernels::CASES, f32::CASES, training::CASES].into_iter().flatten()
}

/// A file that the build script made, where a blob may lie. (`include_blob!` refuses that of another core.)
macro_rules! bytes {
    ($file:literal) => {{
        static BYTES: &thumbnet::blob::Aligned<[u8]> =
            &thumbnet::blob::Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $file)));
        &BYTES.0
    }};
}
use bytes;

/// Little-endian `f32` values that the build script made.
macro_rules! values {
    ($file:literal) => {
        bytemuck::cast_slice::<u8, f32>($crate::bytes!($file))
    };
}
use values;
