//! The network that `build.rs` chose, and its blob.
#![expect(unsafe_code, reason = "naming a link section is unsafe: linker scripts could misplace it")]

include!(concat!(env!("OUT_DIR"), "/model.rs"));
