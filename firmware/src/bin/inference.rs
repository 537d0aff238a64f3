//! Inference and nothing else: its size less that of `baseline` and of the blob is the code that inference takes.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
#[path = "../models.rs"]
mod models;

#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    use core::hint::black_box;
    use thumbnet::Network;

    macro_rules! run {
        ($model:ident) => {{
            use models::$model::{BLOB, Model};
            let memory = cortex_m::singleton!(: <Model as Network>::Memory = Model::ZERO_MEMORY);
            let (Some(memory), Ok(network)) = (memory, Model::from_blob(black_box(BLOB))) else { firmware::exit(1) };
            let mut scores = Model::ZERO_SCORES;
            network.predict_into(&black_box(Model::ZERO_IMAGE), memory, &mut scores);
            black_box(scores);
        }};
    }
    models::for_each_model!(run);
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
