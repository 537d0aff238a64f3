//! The images that `build.rs` chose: for each its label, then its pixels.

include!(concat!(env!("OUT_DIR"), "/images.rs"));
