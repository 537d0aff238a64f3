//! Counts the instructions of each step of its networks and of the whole inference. `cargo xtask device-bench` runs it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
#[path = "../images.rs"]
mod images;
#[cfg(target_os = "none")]
#[path = "../models.rs"]
mod models;
#[cfg(target_os = "none")]
#[path = "../stages.rs"]
mod stages;

#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    use firmware::board::{Board, Selected};

    let mut counter = Selected::start().counter;
    macro_rules! run {
        ($model:ident) => {
            if let Err(error) = stages::run::<models::$model::Model>(models::$model::BLOB, &mut counter) {
                defmt::error!("{}", defmt::Display2Format(&error));
                firmware::exit(1)
            }
        };
    }
    models::for_each_model!(run);
    firmware::exit(0)
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for a board: cargo xtask device-bench");
    std::process::exit(1);
}
