//! QEMU's Cortex-M33 board; the program runs in the secure world.

use super::{Board, Parts, fpgaio::Fpgaio};

/// Arm MPS2 with the AN505 image: Cortex-M33.
pub struct Mps2An505;

impl Board for Mps2An505 {
    const NAME: &'static str = "mps2-an505 (Cortex-M33)";
    type Led = Fpgaio<0x5030_2000, 50>;
    type Delay = Fpgaio<0x5030_2000, 50>;
    type Counter = Fpgaio<0x5030_2000, 50>;

    fn start() -> Parts<Self::Led, Self::Delay, Self::Counter> {
        Fpgaio::start()
    }
}
