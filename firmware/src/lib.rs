//! What every image for a board shares: the board itself, handlers that log and end the run, and the measured stack.
//!
//! `src/main.rs` is the application; the `device-tests` package links this library for its own image. For the host
//! there is nothing here.
#![no_std]
#![cfg(target_os = "none")]
#![deny(unsafe_code)]

pub mod board;
mod fault;
#[cfg(not(feature = "nrf52840-dk"))]
mod mmio;
pub mod stack;

pub use fault::{exit, report_panic};
