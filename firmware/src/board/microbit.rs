//! QEMU's Cortex-M0 board, with 16 KB of RAM.
#![expect(unsafe_code, reason = "the addresses of registers are promised to be right")]

use core::convert::Infallible;

use embedded_hal::{
    delay::DelayNs,
    digital::{ErrorType, OutputPin},
};

use super::{Board, Counter, Parts};
use crate::mmio::Register;

/// BBC micro:bit: nRF51822, Cortex-M0.
pub struct MicroBit;

/// TIMER0 of the nRF51 at 8 MHz. Under `qemu -icount shift=0`, where each instruction takes one nanosecond, that is one
/// tick every 125 instructions.
pub struct Timer0;

/// The LED in the upper left corner: row 1 high, column 1 low.
pub struct Led;

// SAFETY: addresses from the nRF51 Series Reference Manual, chapters TIMER and GPIO; none of them starts a DMA.
const START: Register = unsafe { Register::new(0x4000_8000) };
// SAFETY: as above.
const CAPTURE0: Register = unsafe { Register::new(0x4000_8040) };
// SAFETY: as above.
const BITMODE: Register = unsafe { Register::new(0x4000_8508) };
// SAFETY: as above.
const PRESCALER: Register = unsafe { Register::new(0x4000_8510) };
// SAFETY: as above.
const CC0: Register = unsafe { Register::new(0x4000_8540) };
// SAFETY: as above.
const OUTSET: Register = unsafe { Register::new(0x5000_0508) };
// SAFETY: as above.
const OUTCLR: Register = unsafe { Register::new(0x5000_050C) };
// SAFETY: as above.
const DIRSET: Register = unsafe { Register::new(0x5000_0518) };

const COLUMN_1: u32 = 1 << 4;
const ROW_1: u32 = 1 << 13;
const BITMODE_32: u32 = 3;

impl Board for MicroBit {
    const NAME: &'static str = "microbit (Cortex-M0)";
    type Led = Led;
    type Delay = Timer0;
    type Counter = Timer0;

    fn start() -> Parts<Led, Timer0, Timer0> {
        DIRSET.write(ROW_1 | COLUMN_1);
        OUTCLR.write(ROW_1 | COLUMN_1);
        BITMODE.write(BITMODE_32);
        PRESCALER.write(1);
        START.write(1);
        Parts { led: Led, delay: Timer0, counter: Timer0 }
    }
}

impl Counter for Timer0 {
    const UNIT: &'static str = "instructions";
    const UNITS_PER_TICK: u32 = 125;

    fn ticks(&mut self) -> u32 {
        CAPTURE0.write(1);
        CC0.read()
    }
}

impl DelayNs for Timer0 {
    fn delay_ns(&mut self, ns: u32) {
        let start = self.ticks();
        while self.ticks().wrapping_sub(start) < ns.div_ceil(Self::UNITS_PER_TICK) {}
    }
}

impl ErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        OUTCLR.write(ROW_1);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        OUTSET.write(ROW_1);
        Ok(())
    }
}
