//! Counts the instructions of each stage of the network and of the whole inference. `cargo xtask device-bench` runs it.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
#[path = "../images.rs"]
mod images;
#[cfg(target_os = "none")]
#[path = "../model.rs"]
mod model;
#[cfg(target_os = "none")]
#[path = "../stages.rs"]
mod stages;

#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    let status = match stages::run() {
        Ok(()) => 0,
        Err(error) => {
            defmt::error!("{}", defmt::Display2Format(&error));
            1
        }
    };
    firmware::exit(status)
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
