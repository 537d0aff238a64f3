//! See the library.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    use firmware::board::{Board, Counter, Selected};
    let mut parts = Selected::start();
    let ((), stack) = firmware::stack::used_by(|| defmt::info!("hello from {=str}", Selected::NAME));
    let (_, count) = parts.counter.count(|| cortex_m::asm::delay(1_000_000));
    defmt::info!("{=u64} {=str}, {=usize} bytes of stack", count, <Selected as Board>::Counter::UNIT, stack);
    firmware::exit(0)
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("this program is for a board: cargo run -p firmware --target thumbv7em-none-eabihf");
    std::process::exit(1);
}
