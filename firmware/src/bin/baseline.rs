//! All that `inference` has beside inference: start-up, the handlers, the blob, an image and the network's memory.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
#[path = "../model.rs"]
mod model;

#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    use core::hint::black_box;
    use thumbnet::Network;

    use model::{BLOB, Model};

    let memory = cortex_m::singleton!(: <Model as Network>::Memory = Model::ZERO_MEMORY);
    // A panic with numbers in its message, which is logging: inference has such too.
    let first = black_box(BLOB)[black_box(0)];
    black_box((memory, first, &black_box([0i8; Model::INPUT.len()])));
    firmware::exit(0)
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for a board: cargo xtask size");
    std::process::exit(1);
}
