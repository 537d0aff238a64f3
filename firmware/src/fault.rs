//! The ends of a run: every path out of the program, wanted or not, logs what happened and exits with a status.
#![expect(unsafe_code, reason = "cortex-m-rt wants the handler of a hard fault to be an unsafe function")]

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

#[cfg(feature = "nrf52840-dk")]
use defmt_rtt as _;
#[cfg(not(feature = "nrf52840-dk"))]
use defmt_semihosting as _;

/// Ends the run with `status` as the exit status of QEMU or of `probe-rs run`.
///
/// On a board with no debugger attached nobody could receive a status: the core sleeps.
pub fn exit(status: u8) -> ! {
    if cfg!(feature = "nrf52840-dk") && !cortex_m::peripheral::DCB::is_debugger_attached() {
        loop {
            cortex_m::asm::wfi();
        }
    }
    semihosting::process::exit(status.into())
}

/// Logs a panic and ends the run: what the panic handler of each program does, but of those that measure flash.
pub fn report_panic(info: &PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    exit(101)
}

// `defmt::panic!` has logged its message already.
#[defmt::panic_handler]
fn defmt_panic() -> ! {
    exit(101)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr());
    exit(102)
}
