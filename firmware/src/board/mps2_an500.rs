//! QEMU's Cortex-M7 board.

use super::{Board, Parts, fpgaio::Fpgaio};

/// Arm MPS2 with the AN500 image: Cortex-M7.
pub struct Mps2An500;

impl Board for Mps2An500 {
    const NAME: &'static str = "mps2-an500 (Cortex-M7)";
    type Led = Fpgaio<0x4002_8000, 40>;
    type Delay = Fpgaio<0x4002_8000, 40>;
    type Counter = Fpgaio<0x4002_8000, 40>;

    fn start() -> Parts<Self::Led, Self::Delay, Self::Counter> {
        Fpgaio::start()
    }
}
