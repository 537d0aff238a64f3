//! What `build.rs` chose: the network, its blob, the images.
#![expect(unsafe_code, reason = "naming a link section is unsafe: linker scripts could misplace it")]

include!(concat!(env!("OUT_DIR"), "/contents.rs"));
