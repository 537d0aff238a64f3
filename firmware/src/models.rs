//! All networks that `build.rs` chose, and their blobs.
#![expect(unsafe_code, reason = "naming a link section is unsafe: linker scripts could misplace it")]

include!(concat!(env!("OUT_DIR"), "/models.rs"));
