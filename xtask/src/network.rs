//! The networks that measurements and tests on devices run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

use crate::board::Board;
use crate::build;
use crate::shell::{root, run};

/// A network with random weights, always the same ones: softmax and the bounds of activations take a few instructions
/// more or less from value to value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Network {
    /// The name in tables.
    pub(crate) short: &'static str,
    /// The name for `host-train --network` and the firmware.
    pub(crate) name: &'static str,
    /// The type's name.
    type_name: &'static str,
    /// What it is measured for.
    pub(crate) kind: Kind,
}

/// What a network is measured for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// It is one of MNIST's, whose code is measured on every core.
    Mnist,
    /// It is one of MLPerf Tiny's.
    MlperfTiny,
    /// Its layers.
    Layers,
}

impl Network {
    pub(crate) const SMALL: Self = Self::new("small", "mnist-small", "MnistSmall", Kind::Mnist);
    pub(crate) const CONVNET: Self = Self::new("convnet", "mnist-convnet", "MnistConvNet", Kind::Mnist);

    /// Every one.
    pub(crate) const ALL: [Self; 16] = [
        Self::SMALL,
        Self::CONVNET,
        Self::new("kws", "ds-cnn", "DsCnn", Kind::MlperfTiny),
        Self::new("ic", "resnet8", "ResNet8", Kind::MlperfTiny),
        Self::new("vww", "mobilenet-v1", "MobileNetV1", Kind::MlperfTiny),
        Self::new("ad", "auto-encoder", "AutoEncoder", Kind::MlperfTiny),
        Self::new("pooled", "pooled", "Pooled", Kind::Layers),
        Self::new("strided", "strided", "Strided", Kind::Layers),
        Self::new("pointwise", "pointwise", "Pointwise", Kind::Layers),
        Self::new("unpooled", "unpooled", "Unpooled", Kind::Layers),
        Self::new("sequence", "sequence", "Sequence", Kind::Layers),
        Self::new("spectrum", "spectrum", "Spectrum", Kind::Layers),
        Self::new("camera", "camera", "Camera", Kind::Layers),
        Self::new("depthwise", "depthwise", "Depthwise", Kind::Layers),
        Self::new("pooling", "pooling", "Pooling", Kind::Layers),
        Self::new("merging", "merging", "Merging", Kind::Layers),
    ];

    const fn new(short: &'static str, name: &'static str, type_name: &'static str, kind: Kind) -> Self {
        Self { short, name, type_name, kind }
    }

    /// The network of a type of that name.
    pub(crate) fn of_type(type_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|network| network.type_name == type_name)
    }

    /// The networks that fit on a board.
    pub(crate) fn on(board: Board) -> Vec<Self> {
        let fits = |network: Self| match board {
            // The others need more than 256 KB or 1 MB of flash, or 16 KB of RAM.
            Board::Microbit | Board::Nrf52840Dk => network == Self::SMALL,
            // Those that its core's other board does not hold, but none that such a core never has flash for.
            Board::Mps2An385M0 => network.kind != Kind::Mnist,
            Board::Mps2An385 | Board::Mps2An386 | Board::Mps2An500 | Board::Mps2An505 | Board::Mps3An547 => true,
        };
        Self::ALL.into_iter().filter(|&network| fits(network)).collect()
    }

    /// The order of weights that a board's core is fastest with, as `host-train --family` names it.
    pub(crate) const fn family(board: Board) -> &'static str {
        match board {
            Board::Microbit | Board::Mps2An385M0 | Board::Mps3An547 => "plain",
            Board::Mps2An385 | Board::Mps2An386 | Board::Mps2An500 | Board::Mps2An505 | Board::Nrf52840Dk => "dsp",
        }
    }

    /// Writes a blob with its weights in the order of the board's core, and returns its path.
    pub(crate) fn blob(self, board: Board) -> Result<PathBuf> {
        let family = Self::family(board);
        let folder = root().join("target").join("device-bench");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join(format!("{}-{family}.tnb", self.short));
        static WRITER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let build = || build::example("random_blob", &build::HOST).map_err(|error| format!("{error:#}"));
        let example = WRITER.get_or_init(build).as_ref().map_err(|error| anyhow!("{error}"))?;
        run(Command::new(example).args([self.name, family]).arg(&path))?;
        Ok(path)
    }
}

/// The names and the blobs of networks, separated by commas: what firmware with all of them is built with.
pub(crate) fn together(board: Board, networks: &[Network]) -> Result<(String, PathBuf)> {
    let blobs = networks.iter().map(|network| Ok(network.blob(board)?.display().to_string()));
    let blobs = blobs.collect::<Result<Vec<_>>>()?.join(",");
    Ok((networks.iter().map(|network| network.name).collect::<Vec<_>>().join(","), blobs.into()))
}

/// What `--network` takes: a network by its name in tables, or `all`.
#[derive(Clone, Debug)]
pub(crate) struct Selection(pub(crate) Vec<Network>);

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let chosen: Vec<_> =
            Network::ALL.into_iter().filter(|network| text == "all" || text == network.short).collect();
        if chosen.is_empty() {
            let known = Network::ALL.map(|network| network.short).join(", ");
            return Err(format!("known are all, {known}"));
        }
        Ok(Self(chosen))
    }
}
