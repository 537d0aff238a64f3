//! The boards that firmware is built for, in one table.

use clap::ValueEnum;

/// A board: the name is its feature in the firmware and the device tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Board {
    #[value(name = "microbit")]
    Microbit,
    #[value(name = "mps2-an385")]
    Mps2An385,
    #[value(name = "mps2-an385-m0")]
    Mps2An385M0,
    #[value(name = "mps2-an386")]
    Mps2An386,
    #[value(name = "mps2-an500")]
    Mps2An500,
    #[value(name = "mps2-an505")]
    Mps2An505,
    #[value(name = "mps3-an547")]
    Mps3An547,
    #[value(name = "nrf52840-dk")]
    Nrf52840Dk,
}

/// How an image is started on a board.
pub(crate) enum Start {
    /// QEMU's machine of this name.
    Qemu(&'static str),
    /// The real chip of this name, through probe-rs.
    ProbeRs(&'static str),
}

impl Board {
    /// Every board.
    pub(crate) fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The boards that QEMU plays.
    pub(crate) fn emulated() -> impl Iterator<Item = Self> {
        Self::all().iter().copied().filter(|board| matches!(board.start(), Start::Qemu(_)))
    }

    /// The feature's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Microbit => "microbit",
            Self::Mps2An385 => "mps2-an385",
            Self::Mps2An385M0 => "mps2-an385-m0",
            Self::Mps2An386 => "mps2-an386",
            Self::Mps2An500 => "mps2-an500",
            Self::Mps2An505 => "mps2-an505",
            Self::Mps3An547 => "mps3-an547",
            Self::Nrf52840Dk => "nrf52840-dk",
        }
    }

    /// The core, as measurements name it.
    pub(crate) const fn core(self) -> &'static str {
        match self {
            // A Cortex-M3 that runs a Cortex-M0's code, for networks that the other board cannot hold.
            Self::Microbit | Self::Mps2An385M0 => "m0",
            Self::Mps2An385 => "m3",
            Self::Mps2An386 | Self::Nrf52840Dk => "m4",
            Self::Mps2An500 => "m7",
            Self::Mps2An505 => "m33",
            Self::Mps3An547 => "m55",
        }
    }

    /// Instructions in a tick of the counter that QEMU plays, as the board's file in `firmware/src/board` has it: what
    /// counts of two runs may differ by.
    pub(crate) const fn tick(self) -> u64 {
        match self {
            Self::Microbit => 125,
            Self::Mps2An385 | Self::Mps2An385M0 | Self::Mps2An386 | Self::Mps2An500 => 40,
            Self::Mps2An505 | Self::Mps3An547 => 50,
            // Counts cycles of the real chip.
            Self::Nrf52840Dk => 1,
        }
    }

    /// The Rust target.
    pub(crate) const fn target(self) -> &'static str {
        match self {
            Self::Microbit | Self::Mps2An385M0 => "thumbv6m-none-eabi",
            Self::Mps2An385 => "thumbv7m-none-eabi",
            Self::Mps2An386 | Self::Mps2An500 | Self::Nrf52840Dk => "thumbv7em-none-eabihf",
            Self::Mps2An505 | Self::Mps3An547 => "thumbv8m.main-none-eabihf",
        }
    }

    /// How an image is started.
    pub(crate) const fn start(self) -> Start {
        match self {
            Self::Microbit => Start::Qemu("microbit"),
            Self::Mps2An385 | Self::Mps2An385M0 => Start::Qemu("mps2-an385"),
            Self::Mps2An386 => Start::Qemu("mps2-an386"),
            Self::Mps2An500 => Start::Qemu("mps2-an500"),
            Self::Mps2An505 => Start::Qemu("mps2-an505"),
            Self::Mps3An547 => Start::Qemu("mps3-an547"),
            Self::Nrf52840Dk => Start::ProbeRs("nRF52840_xxAA"),
        }
    }

    /// The board whose `memory.x` defined the symbol `_BOARD_<name>`.
    pub(crate) fn from_symbol(symbol: &str) -> Option<Self> {
        let name = symbol.strip_prefix("_BOARD_")?.replace('_', "-");
        Self::all().iter().copied().find(|board| board.name() == name)
    }
}

/// The targets of all boards, each once.
pub(crate) fn targets() -> Vec<&'static str> {
    let mut targets: Vec<_> = Board::all().iter().map(|board| board.target()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}
