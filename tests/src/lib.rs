//! The same `no_std` test cases, run on the host and on every emulated core.
#![no_std]

pub mod int8_cases;
