//! The networks that measurements and tests on devices run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::board::Board;
use crate::build;
use crate::shell::{root, run};

/// A network with random weights, always the same ones: softmax and the bounds of activations take a few instructions
/// more or less from value to value.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Network {
    /// MnistSmall.
    Small,
    /// MnistConvNet.
    Convnet,
}

impl Network {
    /// The networks that fit on a board.
    pub(crate) fn on(board: Board) -> Vec<Self> {
        // 256 KB of flash, and 1 MB, do not hold the 3.5 MB of MnistConvNet.
        let large = !matches!(board, Board::Microbit | Board::Nrf52840Dk);
        [Self::Small, Self::Convnet].into_iter().filter(|&network| network == Self::Small || large).collect()
    }

    /// The name in the table.
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Convnet => "convnet",
        }
    }

    /// The name for `host-train --network`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Small => "mnist-small",
            Self::Convnet => "mnist-convnet",
        }
    }

    /// The order of weights that a board's core is fastest with, as `host-train --family` names it.
    pub(crate) const fn family(board: Board) -> &'static str {
        match board {
            Board::Microbit | Board::Mps3An547 => "plain",
            Board::Mps2An385 | Board::Mps2An386 | Board::Mps2An500 | Board::Mps2An505 | Board::Nrf52840Dk => "dsp",
        }
    }

    /// Writes a blob with its weights in the order of the board's core, and returns its path.
    pub(crate) fn blob(self, board: Board) -> Result<PathBuf> {
        let family = Self::family(board);
        let folder = root().join("target").join("device-bench");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join(format!("{}-{family}.tnb", self.short()));
        let example = build::example("random_blob", &build::HOST)?;
        run(Command::new(example).args([self.name(), family]).arg(&path))?;
        Ok(path)
    }
}
