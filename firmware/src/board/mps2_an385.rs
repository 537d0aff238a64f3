//! QEMU's Cortex-M3 board. It also runs what is compiled for a Cortex-M0, all of whose instructions it has: QEMU's own
//! board with that core holds no larger networks.

use super::{Board, Parts, fpgaio::Fpgaio};

/// Arm MPS2 with the AN385 image: Cortex-M3.
pub struct Mps2An385;

impl Board for Mps2An385 {
    const NAME: &'static str = "mps2-an385 (Cortex-M3)";
    type Led = Fpgaio<0x4002_8000, 40>;
    type Delay = Fpgaio<0x4002_8000, 40>;
    type Counter = Fpgaio<0x4002_8000, 40>;

    fn start() -> Parts<Self::Led, Self::Delay, Self::Counter> {
        Fpgaio::start()
    }
}
