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
    black_box((memory, black_box(BLOB), &black_box(Model::ZERO_IMAGE)));
    firmware::exit(0)
}

/// Silent: what is written of a panic is logging, and no part of what is measured.
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::exit(101)
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for a board: cargo xtask size");
    std::process::exit(1);
}
