//! Nordic's nRF52840-DK. Logs go over RTT; `probe-rs` flashes it and prints them.

use core::convert::Infallible;

use cortex_m::peripheral::DWT;
use embedded_hal::digital::{ErrorType, OutputPin};
use nrf52840_hal::{
    Timer,
    gpio::{Level, Output, Pin, PushPull, p0},
    pac::{CorePeripherals, Peripherals, TIMER0},
};

use super::{Board, Counter, Parts};

/// nRF52840-DK: Cortex-M4F at 64 MHz.
pub struct Nrf52840Dk;

/// LED 1, which a low level lights.
pub struct Led(Pin<Output<PushPull>>);

/// The cycle counter of the core.
pub struct Cycles(DWT);

impl Board for Nrf52840Dk {
    const NAME: &'static str = "nrf52840-dk (Cortex-M4F)";
    type Led = Led;
    type Delay = Timer<TIMER0>;
    type Counter = Cycles;

    fn start() -> Parts<Led, Timer<TIMER0>, Cycles> {
        let (Some(mut core), Some(chip)) = (CorePeripherals::take(), Peripherals::take()) else {
            panic!("the board was started twice");
        };
        core.DCB.enable_trace();
        core.DWT.enable_cycle_counter();
        let port0 = p0::Parts::new(chip.P0);
        Parts {
            led: Led(port0.p0_13.into_push_pull_output(Level::High).degrade()),
            delay: Timer::new(chip.TIMER0),
            counter: Cycles(core.DWT),
        }
    }
}

impl Counter for Cycles {
    const UNIT: &'static str = "cycles";
    const UNITS_PER_TICK: u32 = 1;

    fn ticks(&mut self) -> u32 {
        self.0.cyccnt.read()
    }
}

impl ErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.set_high()
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.set_low()
    }
}
