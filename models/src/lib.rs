//! The networks that the host program, the firmware and the tests share.
#![no_std]
