//! Runs every case, and on a board those of the board itself; ends with status 0 if none panicked.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![deny(unsafe_code)]

#[cfg(target_os = "none")]
mod board;

#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    let mut passed = 0;
    for case in device_tests::all().chain(board::CASES) {
        // Should it panic, the handler logs why and ends the run.
        defmt::info!("{=str}", case.name);
        (case.run)();
        passed += 1;
    }
    defmt::info!("{=u32} passed, 0 failed", passed);
    firmware::exit(0)
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    firmware::report_panic(info)
}

#[cfg(not(target_os = "none"))]
fn main() {
    for case in device_tests::all() {
        println!("{}", case.name);
        (case.run)();
    }
}
