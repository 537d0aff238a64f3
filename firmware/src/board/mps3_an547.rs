//! QEMU's Cortex-M55 board; the program runs in the secure world.

use super::{Board, Parts, fpgaio::Fpgaio};

/// Arm MPS3 with the AN547 image: Cortex-M55.
pub struct Mps3An547;

impl Board for Mps3An547 {
    const NAME: &'static str = "mps3-an547 (Cortex-M55)";
    type Led = Fpgaio<0x5930_2000, 50>;
    type Delay = Fpgaio<0x5930_2000, 50>;
    type Counter = Fpgaio<0x5930_2000, 50>;

    fn start() -> Parts<Self::Led, Self::Delay, Self::Counter> {
        Fpgaio::start()
    }
}
