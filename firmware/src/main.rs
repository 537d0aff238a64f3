//! Classifies the test images that it holds, logs each result, and ends with a status: 0, or 1 if the blob is unusable.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
mod app;
#[cfg(target_os = "none")]
mod images;
#[cfg(target_os = "none")]
mod model;

#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    let status = match app::run() {
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
    eprintln!(
        "this program is for a board: cargo run -p firmware --bin firmware --profile firmware --target \
         thumbv7em-none-eabihf"
    );
    std::process::exit(1);
}
