//! The boards. A new board is one file here, one folder in `boards/` with its `memory.x`, one feature of its name, and
//! one row in the table of `xtask/src/board.rs`.

use core::sync::atomic::{Ordering, compiler_fence};

use embedded_hal::{delay::DelayNs, digital::OutputPin};

core::cfg_select! {
    feature = "microbit" => { mod microbit; pub use microbit::MicroBit as Selected; }
    feature = "nrf52840-dk" => { mod nrf52840_dk; pub use nrf52840_dk::Nrf52840Dk as Selected; }
    any(feature = "mps2-an385", feature = "mps2-an385-m0") => {
        mod fpgaio;
        mod mps2_an385;
        pub use mps2_an385::Mps2An385 as Selected;
    }
    feature = "mps2-an500" => { mod fpgaio; mod mps2_an500; pub use mps2_an500::Mps2An500 as Selected; }
    feature = "mps2-an505" => { mod fpgaio; mod mps2_an505; pub use mps2_an505::Mps2An505 as Selected; }
    feature = "mps3-an547" => { mod fpgaio; mod mps3_an547; pub use mps3_an547::Mps3An547 as Selected; }
    _ => { mod fpgaio; mod mps2_an386; pub use mps2_an386::Mps2An386 as Selected; }
}

/// What a program here needs of a board.
pub trait Board {
    /// The board and its core, as a person names them.
    const NAME: &'static str;
    /// Shows that the board is at work.
    type Led: OutputPin;
    /// Waits.
    type Delay: DelayNs;
    /// Measures how long code takes.
    type Counter: Counter;

    /// Starts the board. The first call alone gets the parts; the program makes it first thing in `main`.
    ///
    /// # Panics
    /// On a second call, where the board's HAL hands out its peripherals once.
    fn start() -> Parts<Self::Led, Self::Delay, Self::Counter>;
}

/// The parts of a started board.
pub struct Parts<Led, Delay, Counter> {
    /// Lit while set high.
    pub led: Led,
    /// Blocking delays.
    pub delay: Delay,
    /// Instruction or cycle counter.
    pub counter: Counter,
}

/// A free-running counter of instructions (under QEMU) or cycles (on a chip).
pub trait Counter {
    /// What is counted.
    const UNIT: &'static str;
    /// Units that pass in one tick: the resolution of [`count`](Self::count).
    const UNITS_PER_TICK: u32;

    /// Ticks since some moment, modulo 2^32.
    fn ticks(&mut self) -> u32;

    /// Runs `call` and returns its result with the units it took, within one tick, if it took fewer than 2^32 ticks.
    #[inline(never)]
    fn count<R>(&mut self, call: impl FnOnce() -> R) -> (R, u64) {
        let start = self.ticks();
        // The fences keep the call's own memory accesses between the two readings.
        compiler_fence(Ordering::SeqCst);
        let result = core::hint::black_box(call());
        compiler_fence(Ordering::SeqCst);
        let ticks = self.ticks().wrapping_sub(start);
        (result, u64::from(ticks) * u64::from(Self::UNITS_PER_TICK))
    }
}
