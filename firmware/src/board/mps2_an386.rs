//! QEMU's Cortex-M4F board, the embedded default.

use super::{Board, Parts, fpgaio::Fpgaio};

/// Arm MPS2 with the AN386 image: Cortex-M4F.
pub struct Mps2An386;

impl Board for Mps2An386 {
    const NAME: &'static str = "mps2-an386 (Cortex-M4F)";
    type Led = Fpgaio<0x4002_8000, 40>;
    type Delay = Fpgaio<0x4002_8000, 40>;
    type Counter = Fpgaio<0x4002_8000, 40>;

    fn start() -> Parts<Self::Led, Self::Delay, Self::Counter> {
        Fpgaio::start()
    }
}
