//! The FPGAIO block that Arm's MPS2 and MPS3 boards share: LEDs and a counter at the speed of the system clock.
//!
//! Under `qemu -icount shift=0` each instruction takes one nanosecond of the board's time, so the counter counts
//! instructions, as many a tick as its clock's period has nanoseconds; the counts of two runs are equal to a tick. QEMU
//! models no caches, wait states or multi-cycle instructions: these are not cycles.
#![expect(unsafe_code, reason = "the addresses of registers are promised to be right")]

use core::convert::Infallible;

use embedded_hal::{
    delay::DelayNs,
    digital::{ErrorType, OutputPin},
};

use super::{Counter, Parts};
use crate::mmio::Register;

/// The FPGAIO block at the address `BASE`, with a clock of period `PERIOD_NS`.
#[derive(Clone, Copy)]
pub struct Fpgaio<const BASE: usize, const PERIOD_NS: u32>;

impl<const BASE: usize, const PERIOD_NS: u32> Fpgaio<BASE, PERIOD_NS> {
    // SAFETY: offsets from Arm's application notes AN385, AN505 and AN547, section "FPGA system control and
    // I/O"; these registers drive LEDs and a counter, nothing else.
    const LEDS: Register = unsafe { Register::new(BASE) };
    // SAFETY: as above.
    const COUNTER: Register = unsafe { Register::new(BASE + 0x18) };
    // SAFETY: as above.
    const PRESCALE: Register = unsafe { Register::new(BASE + 0x1C) };

    /// Turns the LEDs off and lets the counter run at full speed.
    pub(super) fn start() -> Parts<Self, Self, Self> {
        Self::PRESCALE.write(0);
        Self::LEDS.write(0);
        Parts { led: Self, delay: Self, counter: Self }
    }
}

impl<const BASE: usize, const PERIOD_NS: u32> Counter for Fpgaio<BASE, PERIOD_NS> {
    const UNIT: &'static str = "instructions";
    const UNITS_PER_TICK: u32 = PERIOD_NS;

    fn ticks(&mut self) -> u32 {
        Self::COUNTER.read()
    }
}

impl<const BASE: usize, const PERIOD_NS: u32> DelayNs for Fpgaio<BASE, PERIOD_NS> {
    fn delay_ns(&mut self, ns: u32) {
        let start = Self::COUNTER.read();
        while Self::COUNTER.read().wrapping_sub(start) < ns.div_ceil(PERIOD_NS) {}
    }
}

impl<const BASE: usize, const PERIOD_NS: u32> ErrorType for Fpgaio<BASE, PERIOD_NS> {
    type Error = Infallible;
}

impl<const BASE: usize, const PERIOD_NS: u32> OutputPin for Fpgaio<BASE, PERIOD_NS> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Self::LEDS.write(0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Self::LEDS.write(1);
        Ok(())
    }
}
